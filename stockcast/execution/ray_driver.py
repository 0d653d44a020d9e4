"""A process that has tasks done by a Ray cluster: python -m stockcast.execution.ray_driver.

`ray_engine.py` starts it and sends it the tasks. It sends `{"connected": True}`, then the messages of `perform` with
the `number` of each task, and last `{"failed": error}` where the cluster cannot work. It is a process of its own
because Ray prints, handles signals and waits as it likes; killed, it takes what it has begun on the cluster along.
"""

import hashlib
import os
import signal
import time
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from stockcast.errors import StockcastError
from stockcast.execution import ray_node
from stockcast.execution.parent import Parent, error_message
from stockcast.execution.processes import NO_GPU, death
from stockcast.execution.task_files import Input, changes_since
from stockcast.execution.task_worker import task_of
from stockcast.execution.tasks import Task
from stockcast.models.backend import thread_settings
from stockcast.text import plural

_MOST_TRIES = 4
_MOST_WAITING = 64  # tasks that Ray has besides those that it can do at once: their inputs take its memory
_UNTIL_KILLED = 5.0  # seconds
_PATIENCE = 60  # seconds for a node to state its versions; its first process may have to be started


def main() -> None:
    """Have the tasks of the parent's order done."""
    parent = Parent(before_end=_leave)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    order = parent.receive()
    try:
        with _connected(order["address"], order["cores"]):
            parent.send({"connected": True})
            _check_nodes(order["versions"])
            for number, message in _do([task_of(task) for task in order["tasks"]], order["versions"]):
                parent.send({"number": number, **message})
    except StockcastError as error:
        parent.send({"failed": error_message(error)})
    except Exception:
        parent.send({"fault": traceback.format_exc()})


def _leave() -> None:
    """Let Ray end the processes that it has started, as it does when it is sent this signal."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_UNTIL_KILLED)


@contextmanager
def _connected(address: str | None, cores: int) -> Iterator[None]:
    """Connect to the cluster at an address, or start one on this machine alone that ends with the block."""
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    alone: dict[str, Any] = {"num_cpus": cores, "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    try:
        if address is None:
            ray.init("local", **alone, **quiet)
        else:
            ray.init(address, **quiet)
    except (ConnectionError, RuntimeError, ValueError, RayError) as error:
        where = "of this machine" if address is None else f"at {address}"
        advice = "" if address is None else f" This machine must be one of its nodes: ray start --address={address}"
        reason = str(error).strip().removesuffix(".")
        raise StockcastError(
            f"The Ray cluster {where} cannot be used: {reason}.{advice}", key="--address", value=address
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _check_nodes(versions: dict[str, str]) -> None:
    """Check that the nodes that do tasks have these versions; StockcastError with those that differ."""
    state = ray.remote(ray_node.versions_here)
    stated = {}
    for node in _working_nodes():
        there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        stated[_name(node)] = state.options(num_cpus=0, scheduling_strategy=there).remote(list(versions))
    for name, found in stated.items():
        try:
            reason = ray_node.differing(versions, ray.get(found, timeout=_PATIENCE), node=name)
        except GetTimeoutError:
            reason = f"The node {name} of the Ray cluster did not respond within {_PATIENCE} s."
        except RayTaskError as error:
            cause = str(error).strip().splitlines()[-1]
            reason = f"The node {name} of the Ray cluster cannot run stockcast {versions['stockcast']}: {cause}"
        if reason:
            raise StockcastError(reason, key="--address", value=name)


def _working_nodes() -> list[dict[str, Any]]:
    return [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]


def _name(node: dict[str, Any]) -> str:
    return f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})"


@dataclass(frozen=True)
class _Try:
    """A task that Ray has.

    Attributes:
        number: of the task.
        task: the task.
        tries: which try this is, from 1.
        inputs: what it reads, held as long as it may be fetched.
    """

    number: int
    task: Task
    tries: int
    inputs: tuple[Input, ...]


def _do(tasks: Sequence[Task], versions: dict[str, str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Have tasks done; yield their messages with their numbers, once their files are in their folders."""
    cluster = _Cluster(versions)
    waiting = deque((number, task, 1) for number, task in enumerate(tasks))
    running: dict[Any, _Try] = {}
    while waiting or running:
        while waiting and len(running) < cluster.most():
            generator, begun = cluster.submit(*waiting.popleft())
            running[generator] = begun
        finished: Sequence[Any] = ray.wait(list(running), num_returns=1)[0]
        ready = finished[0]
        begun = running[ready]
        try:
            message: dict[str, Any] = ray.get(next(ready))
        except RayTaskError:  # a bug
            raise
        except RayError as error:  # a process or a node is gone, or what it had sent
            del running[ready]
            ray.cancel(ready, force=True)
            how = _reason(error)
            if begun.tries < _MOST_TRIES:
                yield begun.number, {"message": f"{how}; it is tried again."}
                waiting.appendleft((begun.number, begun.task, begun.tries + 1))
            else:
                yield begun.number, {"done": error_message(death(begun.task, how, tries=_MOST_TRIES))}
            continue
        if files := message.pop("files", None):
            files.apply_to(begun.task.folder)
        else:
            yield begun.number, message
        if "done" in message:
            del running[ready]


def _reason(error: RayError) -> str:
    """Return how a process or node was lost, the first sentence of what Ray has to say."""
    return f"Ray lost it ({type(error).__name__}: {str(error).strip().splitlines()[0].partition('. ')[0]})"


class _Cluster:
    """What the cluster's nodes have."""

    def __init__(self, versions: dict[str, str]) -> None:
        self._versions = versions
        self._do = ray.remote(ray_node.do)
        self._backend = {name: os.environ[name] for name in ("KERAS_BACKEND",) if name in os.environ}
        self._inputs: WeakValueDictionary[Path, Input] = WeakValueDictionary()

    def most(self) -> int:
        """Return how many tasks Ray is given at a time."""
        return _MOST_WAITING + sum(int(node["Resources"]["CPU"]) for node in _working_nodes())

    def submit(self, number: int, task: Task, tries: int) -> tuple[Any, _Try]:
        """Give a task to Ray; return the generator of its messages."""
        inputs = tuple(self._input(path) for path in task.inputs if path.is_file())  # the task states what it lacks
        if task.gpus > self._largest("GPU"):
            raise StockcastError(
                f"{task.key} needs {plural(task.gpus, 'GPU')}, and no node of the Ray cluster has so many.",
                key="--engine",
                value=task.gpus,
            )
        files, _ = changes_since(task.folder, {})
        environment = {**thread_settings(task.cpus), **self._backend, **({} if task.gpus else NO_GPU)}
        options = {
            "num_cpus": min(task.cpus, self._largest("CPU") or task.cpus),
            "num_gpus": task.gpus,
            "max_retries": 0,  # another try begins with the files that have come back by then
            "num_returns": "streaming",
            "runtime_env": {"env_vars": environment},
        }
        generator = self._do.options(**options).remote(task, files, inputs, self._versions)
        return generator, _Try(number, task, tries, inputs)

    def _largest(self, resource: str) -> int:
        return max((int(node["Resources"].get(resource, 0)) for node in _working_nodes()), default=0)

    def _input(self, path: Path) -> Input:
        held = self._inputs.get(path)
        if held is None:
            content = path.read_bytes()
            held = Input(path, hashlib.sha256(content).hexdigest(), (ray.put(content),))
            self._inputs[path] = held
        return held


if __name__ == "__main__":
    main()
