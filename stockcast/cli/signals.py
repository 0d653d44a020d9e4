"""Ctrl-C and requests to end: at once, or, where work would be lost, between two batches."""

import signal
from collections.abc import Callable
from typing import Any, Self


class Interrupted(BaseException):
    """SIGINT or SIGTERM; no handler of ordinary errors catches it.

    Attributes:
        number: of the signal.
        advice: what the user can do now, a sentence; empty for none.
    """

    def __init__(self, number: int, advice: str = "") -> None:
        super().__init__(number)
        self.number = number
        self.advice = advice


def _interrupt(number: int, frame: Any) -> None:
    raise Interrupted(number)


def handle_signals(handler: Callable[[int, Any], None] = _interrupt) -> None:
    """Install the handler of SIGINT and SIGTERM; by default they end the program at once."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


class DeferredSignals:
    """A block in which signals can be deferred; after it they end the program at once again."""

    def __init__(self) -> None:
        self._received: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        handle_signals()

    def defer(self) -> None:
        """From now on let a first signal wait for `check`; a second ends the program at once."""
        handle_signals(self._note)

    def check(self) -> None:
        """Raise `Interrupted` if a signal has arrived."""
        if self._received:
            raise Interrupted(self._received[0])

    def _note(self, number: int, frame: Any) -> None:
        self._received.append(number)
        handle_signals()
