"""Ctrl-C and requests to end: at once, or, where work would be lost, at the next good place."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Stopped(BaseException):
    """Ctrl-C or a request to end; passes through every handler of ordinary errors.

    Attributes:
        number: of the signal.
        advice: what the user may do now, a sentence, or nothing.
    """

    def __init__(self, number: int, advice: str = "") -> None:
        super().__init__(number)
        self.number = number
        self.advice = advice


def stop_at_once(number: int, frame: Any) -> None:
    """Handle a signal by ending now."""
    raise Stopped(number)


def listen(handler: Callable[[int, Any], None] = stop_at_once) -> None:
    """Have the signals that ask a program to end handled so."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


@contextmanager
def stopping_between_batches() -> Iterator[Callable[[], None]]:
    """Yield a function to call where the program may end: it raises `Stopped` once a signal has come.

    A second signal ends at once.
    """
    came: list[int] = []

    def note(number: int, frame: Any) -> None:
        came.append(number)
        listen()

    def pause() -> None:
        if came:
            raise Stopped(came[0])

    listen(note)
    try:
        yield pause
    finally:
        listen()
