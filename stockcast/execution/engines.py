"""The engines that tasks are done by, by name."""

from collections.abc import Generator, Sequence

from stockcast.errors import StockcastError
from stockcast.execution.processes import run_in_processes
from stockcast.execution.ray_engine import run_on_ray
from stockcast.execution.tasks import EngineName, OnMessage, Task, TaskEnd, run_in_process


def run_tasks(
    tasks: Sequence[Task],
    *,
    engine: EngineName = "processes",
    address: str | None = None,
    cores: int | None = None,
    on_message: OnMessage = lambda key, text: None,
) -> Generator[TaskEnd, None, None]:
    """Do tasks and yield how each ended, as it ends; what runs is ended with the iterator, at the latest.

    Args:
        tasks: in the order in which they begin; their folders differ.
        engine: `in_process` one after the other, `processes` side by side on this machine, `ray` on a cluster.
        address: of a running cluster; None for one on this machine, which ends with the iterator.
        cores: of this machine that `processes`, or a cluster of its own, keeps busy; None for all.
        on_message: is called with the key of a task and a message of it.

    Raises:
        StockcastError: the engine cannot work. A task that cannot be done is no error here; its end holds the reason.
    """
    if address is not None and engine != "ray":
        message = f"--address {address} is of a Ray cluster, and the engine is {engine}. Add --engine ray."
        raise StockcastError(message, key="--address", value=address)
    if engine == "in_process":
        yield from run_in_process(tasks, on_message=on_message)
    elif engine == "processes":
        yield from run_in_processes(tasks, cores=cores, on_message=on_message)
    else:
        yield from run_on_ray(tasks, address=address, cores=cores, on_message=on_message)
