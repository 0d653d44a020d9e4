"""Pieces of work whose results are files, and the one way to have them done.

A task is a function of this package and plain arguments; what it makes are the files of one folder. So it can be done
in this process, in another one, or on another machine, and the folder is the same to the last bit. A task that was
killed finds what it had written in its folder, and goes on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from stockcast.errors import StockcastError

EngineName = Literal["in_process", "processes", "ray"]


@dataclass(frozen=True)
class Task:
    """A piece of work.

    Attributes:
        key: names it in messages, and among the others.
        function: `package.module:name` of what is called with the folder and the arguments by name. It writes files in
            the folder, goes on where it finds its own unfinished ones there, and raises StockcastError if it cannot.
        folder: that its files are in, absolute; other tasks write elsewhere.
        arguments: plain values, as JSON has them.
        inputs: the files that it reads, absolute.
        cpus: cores that it keeps busy.
        gpus: accelerators that it needs.
    """

    key: str
    function: str
    folder: Path
    arguments: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Path, ...] = ()
    cpus: int = 1
    gpus: int = 0

    def run(self) -> None:
        """Do it here and now.

        Raises:
            StockcastError: it cannot be done.
        """
        module, _, name = self.function.partition(":")
        getattr(import_module(module), name)(self.folder, **self.arguments)


@dataclass(frozen=True)
class TaskEnd:
    """How a task ended.

    Attributes:
        task: the task.
        error: why it could not be done; None where its files are all in its folder.
    """

    task: Task
    error: StockcastError | None = None


def run_in_process(tasks: Sequence[Task]) -> Iterator[TaskEnd]:
    """Do the tasks one after the other in this process; yield how each ended."""
    for task in tasks:
        try:
            task.run()
        except StockcastError as error:
            yield TaskEnd(task, error)
        else:
            yield TaskEnd(task)
