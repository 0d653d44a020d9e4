"""The engines that tasks are done by, by name."""

from collections.abc import Generator, Sequence

from stockcast.errors import StockcastError
from stockcast.execution.tasks import EngineName, Task, TaskEnd, run_in_process


def run_tasks(
    tasks: Sequence[Task], *, engine: EngineName = "processes", address: str | None = None
) -> Generator[TaskEnd, None, None]:
    """Do tasks and yield how each ended, as it ends; what runs is ended with the iterator, at the latest.

    Args:
        tasks: in the order in which they begin; their folders differ.
        engine: `in_process` one after the other, `processes` one for each core, `ray` on a cluster.
        address: of a running cluster; None for one on this machine, which ends with the iterator.

    Raises:
        StockcastError: the engine cannot work. A task that cannot be done is no error here; its end holds the reason.
    """
    if engine != "in_process":
        raise StockcastError(f"engine {engine} is not built yet.", key="--engine", value=engine)
    yield from run_in_process(tasks)
