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


class BetweenBatches:
    """Signals that wait, once there is work to lose, until the program comes to a place where it may end."""

    def __init__(self) -> None:
        self._came: list[int] = []

    def wait(self) -> None:
        """From now on let a first signal wait for `pause`; a second ends at once."""
        listen(self._note)

    def pause(self) -> None:
        """Raise `Stopped` if a signal has come."""
        if self._came:
            raise Stopped(self._came[0])

    def _note(self, number: int, frame: Any) -> None:
        self._came.append(number)
        listen()


@contextmanager
def between_batches() -> Iterator[BetweenBatches]:
    """Yield what makes signals wait; after the block they end the program at once again."""
    try:
        yield BetweenBatches()
    finally:
        listen()
