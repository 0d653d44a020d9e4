"""Pieces of work whose results are files, and the one way to have them done.

A task is a function of this package and plain arguments; what it makes are the files of one folder. So it can be done
in this process, in another one, or on another machine, and the folder is the same to the last bit. A task that was
killed finds what it had written in its folder, and goes on.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from stockcast.errors import StockcastError
from stockcast.models.backend import limit_threads

EngineName = Literal["in_process", "processes", "ray"]

OnMessage = Callable[[str, str], None]
"""What is called with the key of a task and a message of it."""


@dataclass(frozen=True)
class Task:
    """A piece of work.

    Attributes:
        key: names it in messages, and among the others.
        function: `package.module:name` of what is called with the folder and, by name, the arguments and `on_message`,
            which takes a text for the user. It writes files in the folder, goes on where it finds its own unfinished
            ones there, and raises StockcastError if it cannot.
        folder: that its files are in, absolute; other tasks write elsewhere.
        arguments: plain values, as JSON has them.
        inputs: the files that it reads, absolute.
        cpus: cores that it keeps busy, at least 1.
        gpus: accelerators that it needs; with none, it sees none.
    """

    key: str
    function: str
    folder: Path
    arguments: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Path, ...] = ()
    cpus: int = 1
    gpus: int = 0

    def run(self, on_message: Callable[[str], None]) -> None:
        """Do it here and now.

        Raises:
            StockcastError: it cannot be done.
        """
        module, _, name = self.function.partition(":")
        getattr(import_module(module), name)(self.folder, on_message=on_message, **self.arguments)


@dataclass(frozen=True)
class TaskEnd:
    """How a task ended.

    Attributes:
        task: the task.
        error: why it could not be done; None where its files are all in its folder.
    """

    task: Task
    error: StockcastError | None = None


def run_in_process(tasks: Sequence[Task], *, on_message: OnMessage) -> Iterator[TaskEnd]:
    """Do the tasks one after the other in this process; yield how each ended."""
    limit_threads(max((task.cpus for task in tasks), default=1))  # as the other engines do: the same bits
    for task in tasks:
        try:
            task.run(partial(on_message, task.key))
        except StockcastError as error:
            yield TaskEnd(task, error)
        else:
            yield TaskEnd(task)
