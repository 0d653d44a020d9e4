"""A process that does tasks: python -m stockcast.execution.task_worker.

`processes.py` starts it and sends it a task at a time; it sends what `perform` does.
"""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stockcast.errors import StockcastError
from stockcast.execution.parent import Parent, error_message
from stockcast.execution.tasks import Task


def main() -> None:
    """Do the tasks that the parent sends, until it ends."""
    parent = Parent()
    while True:
        perform(task_of(parent.receive()), parent.send)


def perform(task: Task, send: Callable[[dict[str, Any]], None]) -> None:
    """Do a task, and send `{"message": text}` for each of its messages, and how it ended.

    That is `{"done": None}`, `{"done": error}` as of `error_message`, or `{"fault": traceback}` of a bug.
    """
    try:
        task.run(lambda text: send({"message": text}))
    except StockcastError as error:
        send({"done": error_message(error)})
    except Exception:
        send({"fault": traceback.format_exc()})
    else:
        send({"done": None})


def order_of(task: Task) -> dict[str, Any]:
    """Return a task as plain values, for `task_of`."""
    return {**vars(task), "folder": str(task.folder), "inputs": list(map(str, task.inputs))}


def task_of(order: dict[str, Any]) -> Task:
    """Return the task that `order_of` made plain values of."""
    return Task(**{**order, "folder": Path(order["folder"]), "inputs": tuple(map(Path, order["inputs"]))})


if __name__ == "__main__":
    main()
