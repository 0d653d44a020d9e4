"""A process that does tasks: python -m stockcast.execution.task_worker.

`processes.py` starts it and sends it a task at a time. It sends `{"message": text}` as the task does, and then
`{"done": None}`, `{"done": error}` as of `error_message`, or `{"fault": traceback}` of an error that is a bug.
"""

import traceback
from pathlib import Path

from stockcast.errors import StockcastError
from stockcast.execution.parent import Parent, error_message
from stockcast.execution.tasks import Task


def main() -> None:
    """Do the tasks that the parent sends, until it ends."""
    parent = Parent()
    while True:
        order = parent.receive()
        task = Task(order["key"], order["function"], Path(order["folder"]), order["arguments"])
        try:
            task.run(lambda text: parent.send({"message": text}))
        except StockcastError as error:
            parent.send({"done": error_message(error)})
        except Exception:
            parent.send({"fault": traceback.format_exc()})
        else:
            parent.send({"done": None})


if __name__ == "__main__":
    main()
