"""Tries of one request, with growing waits between them, and a message before each."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import date

import stamina
from stamina.instrumentation import RetryDetails, get_on_retry_hooks, set_on_retry_hooks

from stockcast.errors import SourceError
from stockcast.sources.source import Bars, Source

TRIES = 5
"""Most tries of one request; the waits between them are 1, 3, 9 and 27 seconds, each up to a second longer."""


def fetch(source: Source, ticker: str, *, start: date | None) -> Bars:
    """Return what `Source.fetch` does, tried again where its error may pass."""
    tries = stamina.retry_context(
        on=_may_pass, attempts=TRIES, timeout=None, wait_initial=1, wait_max=60, wait_jitter=1, wait_exp_base=3
    )
    for attempt in tries:
        with attempt:
            return source.fetch(ticker, start=start)
    raise AssertionError("a last try returns or raises")


def _may_pass(error: Exception) -> bool:
    return isinstance(error, SourceError) and error.again


@contextlib.contextmanager
def reporting(on_message: Callable[[str], None]) -> Iterator[None]:
    """Report each wait within the block."""

    def report(details: RetryDetails) -> None:
        on_message(f"{details.caused_by} Try {details.retry_num + 1} of {TRIES} in {details.wait_for:.0f} s.")

    before = get_on_retry_hooks()
    set_on_retry_hooks([report])
    try:
        yield
    finally:
        set_on_retry_hooks(before)
