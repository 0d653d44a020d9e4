"""Numbered pieces of work, done side by side by processes, each of which takes the next one when it is free.

How many pieces there are, only the processes know: they walk through the same work in the same order, and do the pieces
whose number they are given. A process is sent the order, then `{"number": 0}` and so on. It sends `{"ready": true}`
once it can work, `{"begun": number, "name": name}` when it has reached a piece, `{"done": number, ...}` after it, and
`{"none": number}` where there is no such piece; any other message is passed on.
"""

import queue
from collections.abc import Generator, Mapping
from itertools import count
from typing import Any

from stockcast.errors import RunError
from stockcast.execution.process import ChildProcess


def work_side_by_side(
    module: str, *arguments: str, order: Mapping[str, Any], processes: int
) -> Generator[dict[str, Any], None, None]:
    """Yield what processes send about their pieces of work; they end with the iterator, at the latest.

    A process that dies takes the piece that it was at along, and another one takes its place: for that piece,
    `{"done": number, "name": name, "died": how}` is yielded.

    Raises:
        RunError: a process ended before it could work, or two on the way to one piece.
    """
    team = _Team(module, arguments, order)
    try:
        for _ in range(processes):
            team.start()
        while team.members:
            member, message = team.inbox.get()
            if message is None:
                how = member.process.failure()
                team.remove(member)
                if how and member.name is None and (member.number is None or member.is_second):
                    raise RunError(f"A process of {module} ended {how} before it began; was there enough memory?")
                if how and member.name is None:
                    team.start(number=member.number)
                elif how:
                    yield {"done": member.number, "name": member.name, "died": how}
                    team.start()
            elif "ready" in message:
                team.give(member, number=member.number)
            elif "done" in message:
                member.name, member.is_second = None, False
                team.give(member)
            elif "begun" in message:
                member.name = message["name"]
            if message is not None and not {"ready", "begun", "none"} & message.keys():
                yield message
    finally:
        team.end()


class _Member:
    """A process, and the piece that it is at, or on the way to.

    Attributes:
        process: the process.
        number: of the piece; None before there is one.
        name: of the piece, once it has begun.
        is_second: whether another process died on the way to the same piece.
    """

    def __init__(self, number: int | None) -> None:
        self.process: ChildProcess
        self.number = number
        self.name: str | None = None
        self.is_second = number is not None


class _Team:
    """The processes that work."""

    def __init__(self, module: str, arguments: tuple[str, ...], order: Mapping[str, Any]) -> None:
        self.members: list[_Member] = []
        self.inbox: queue.SimpleQueue[tuple[_Member, dict[str, Any] | None]] = queue.SimpleQueue()
        self._module, self._arguments, self._order = module, arguments, order
        self._numbers = count()

    def start(self, *, number: int | None = None) -> None:
        """Start one more process, for the piece of this number, or the next one."""
        member = _Member(number)
        member.process = ChildProcess(
            self._module,
            *self._arguments,
            on_message=lambda message: self.inbox.put((member, message)),
            on_end=lambda: self.inbox.put((member, None)),
            environment={"OMP_NUM_THREADS": "1"},  # one core each
        )
        self.members.append(member)
        member.process.send(self._order)

    def give(self, member: _Member, *, number: int | None = None) -> None:
        """Give a process the piece of this number, or the next one."""
        member.number = next(self._numbers) if number is None else number
        member.process.send({"number": member.number})

    def remove(self, member: _Member) -> None:
        """Let a process go that has ended."""
        self.members.remove(member)
        member.process.end()

    def end(self) -> None:
        """End all processes, wherever they are."""
        for member in self.members:
            member.process.end()
