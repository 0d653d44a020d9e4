"""Tasks done by the nodes of a Ray cluster; their files come back into the folders of this machine."""

import queue
import time
from collections.abc import Generator, Sequence
from importlib.util import find_spec
from secrets import token_hex
from typing import Any

from stockcast.errors import RunError, StockcastError
from stockcast.execution.process import ChildProcess, error_of
from stockcast.execution.ray_node import versions_here
from stockcast.execution.task_worker import order_of
from stockcast.execution.tasks import OnMessage, Task, TaskEnd
from stockcast.models.backend import backend_name, processors

CONNECTS_WITHIN = 12.0
"""Seconds that a cluster has to respond."""

_UNTIL_KILLED = 5.0  # seconds to end the processes of a cluster of this machine alone

_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # Ray sends them to its makers otherwise
    "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
_IMPATIENCE = {
    "RAY_gcs_server_request_timeout_seconds": "8"
}  # where this machine is no node, Ray gives up before we do


def run_on_ray(
    tasks: Sequence[Task], *, address: str | None, cores: int | None = None, on_message: OnMessage
) -> Generator[TaskEnd, None, None]:
    """Have the tasks done by a Ray cluster; yield how each ended, once its files are in its folder.

    A task whose process or node is lost is tried again, from the files that had come back by then. What is not done
    when the iterator ends is cancelled.

    Args:
        tasks: in the order in which Ray is given them.
        address: of a running cluster, such as `ray-head:6379`, that this machine is a node of; None for a cluster on
            this machine alone, which ends with the iterator.
        cores: of a cluster on this machine alone; None for those that this process may use.
        on_message: is called with the key of a task and a message of it.

    Raises:
        StockcastError: Ray is not installed, the cluster does not respond, or a node has other versions.
    """
    if find_spec("ray") is None:
        raise StockcastError(
            "The engine ray needs Ray, which is not installed. Install the extra cluster (python -m pip install -c "
            'constraints.txt -e ".[cluster]"), or choose --engine processes.',
            key="--engine",
            value="ray",
        )
    if address is not None and address.startswith("ray://"):
        raise StockcastError(
            f"{address} is an address of Ray Client, which cannot send files back while a task runs. Make this machine "
            f"a node of the cluster (ray start --address=HOST:6379 --num-cpus=0), and use --address HOST:6379.",
            key="--address",
            value=address,
        )
    if not tasks:
        return
    inbox: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    deadline = time.monotonic() + CONNECTS_WITHIN
    driver = ChildProcess(
        "stockcast.execution.ray_driver",
        on_message=inbox.put,
        on_end=lambda: inbox.put(None),
        environment={**_ENVIRONMENT, **(_own_token() if address is None else _IMPATIENCE)},
    )
    try:
        versions = versions_here(["python", "stockcast", "numpy", "keras", backend_name()])
        orders = list(map(order_of, tasks))
        driver.send({"address": address, "cores": cores or processors(), "versions": versions, "tasks": orders})
        message = _first(inbox, deadline, address)
        while message is not None:
            if "failed" in message:
                raise error_of(message["failed"])
            if "fault" in message:
                task = f"{tasks[message['number']].key}: " if "number" in message else ""
                raise RuntimeError(task + message["fault"])
            if "message" in message:
                on_message(tasks[message["number"]].key, message["message"])
            elif "done" in message:
                yield TaskEnd(tasks[message["number"]], message["done"] and error_of(message["done"]))
            message = inbox.get()
        if how := driver.failure():
            doubt = "was there enough memory" if address is None else f"is the cluster at {address} still there"
            raise RunError(f"The process that has tasks done by Ray ended {how}; {doubt}?")
    finally:
        driver.end(patience=_UNTIL_KILLED if address is None else 0.0)


def _own_token() -> dict[str, str]:
    """Return the environment of a cluster that only who starts it can use; Ray would write a token into the home."""
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token_hex(32)}


def _first(
    inbox: "queue.SimpleQueue[dict[str, Any] | None]", deadline: float, address: str | None
) -> dict[str, Any] | None:
    """Return the first message; StockcastError if a cluster at an address does not respond in time."""
    try:
        return inbox.get(timeout=None if address is None else max(0.0, deadline - time.monotonic()))
    except queue.Empty:
        raise StockcastError(
            f"No Ray cluster responds at {address} (waited {CONNECTS_WITHIN:.0f} s). Start one there with `ray start "
            f"--head`, or correct --address.",
            key="--address",
            value=address,
        ) from None
