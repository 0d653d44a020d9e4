"""Tasks done by processes of this machine, each of which takes the next task when it is free.

A process stays for several tasks, as loading TensorFlow takes seconds. How many threads it has is settled when it loads
Keras, so it does only tasks that keep as many cores busy: a task has the same bits whatever the machine does beside it.
"""

import queue
from collections import deque
from collections.abc import Generator, Sequence
from typing import Any

from stockcast.errors import RunError
from stockcast.execution.process import ChildProcess, error_of
from stockcast.execution.task_worker import order_of
from stockcast.execution.tasks import OnMessage, Task, TaskEnd
from stockcast.models.backend import processors, thread_settings

_MOST_TRIES = 2
NO_GPU = {"CUDA_VISIBLE_DEVICES": ""}
"""Environment of a process that does tasks without an accelerator."""


def run_in_processes(
    tasks: Sequence[Task], *, cores: int | None = None, on_message: OnMessage
) -> Generator[TaskEnd, None, None]:
    """Do the tasks side by side; yield how each ended, as it ends. The processes end with the iterator, at the latest.

    A task whose process dies is tried once more.

    Args:
        tasks: in the order in which they begin; one that would keep more cores busy than there are has all of them.
        cores: that the tasks keep busy together; None for those that this process may use.
        on_message: is called with the key of a task and a message of it.
    """
    waiting = deque((task, 1) for task in tasks)
    team = _Team(cores or processors())
    try:
        while waiting or team.is_busy():
            while waiting and team.begin(*waiting[0]):
                waiting.popleft()
            worker, message = team.inbox.get()
            task = worker.task
            if message is None:
                how = worker.process.failure() or "early"
                team.end(worker)
                if task is None:
                    continue
                how = f"the process that did it ended {how}"
                if worker.tries < _MOST_TRIES:
                    on_message(task.key, f"{how}; it is tried again.")
                    waiting.appendleft((task, worker.tries + 1))
                else:
                    yield TaskEnd(task, death(task, how, tries=_MOST_TRIES))
            elif task is None:  # a thread that the task has left behind
                continue
            elif "message" in message:
                on_message(task.key, message["message"])
            elif "fault" in message:
                raise RuntimeError(f"{task.key}: {message['fault']}")
            else:
                worker.task = None
                yield TaskEnd(task, message["done"] and error_of(message["done"]))
    finally:
        team.end_all()


def death(task: Task, how: str, *, tries: int) -> RunError:
    """Return the error of a task that was given up after so many tries, the last of which ended as `how` states."""
    return RunError(
        f"{task.key}: {how}, at the last of {tries} tries; was there enough memory?", file=task.folder, value=task.key
    )


class _Worker:
    """A process, and the task that it does.

    Attributes:
        process: the process.
        needs: cores and accelerators of each of its tasks.
        task: the one that it does; None while it does none.
        tries: which try of the task this is, from 1.
    """

    def __init__(self, needs: tuple[int, int]) -> None:
        self.process: ChildProcess
        self.needs = needs
        self.task: Task | None = None
        self.tries = 0


class _Team:
    """The processes, and the cores that they share; an accelerator is taken by one of them."""

    def __init__(self, cores: int) -> None:
        self.inbox: queue.SimpleQueue[tuple[_Worker, dict[str, Any] | None]] = queue.SimpleQueue()
        self._cores = cores
        self._workers: list[_Worker] = []

    def is_busy(self) -> bool:
        """Whether a task is being done."""
        return any(worker.task for worker in self._workers)

    def begin(self, task: Task, tries: int) -> bool:
        """Have a process begin a task, if cores and accelerator are free; return whether it has begun."""
        needs = min(task.cpus, self._cores), min(task.gpus, 1)
        idle = [worker for worker in self._workers if worker.task is None]
        worker = next((worker for worker in idle if worker.needs == needs), None)
        if worker is None:
            busy = [worker.needs for worker in self._workers if worker.task]
            is_taken = needs[1] > 0 and any(gpus for _, gpus in busy)
            if is_taken or self._cores - sum(cores for cores, _ in busy) < needs[0]:
                return False
            for other in idle:  # each would keep its memory, for tasks that may not come
                self.end(other)
            worker = self._start(needs)
        worker.task, worker.tries = task, tries
        worker.process.send(order_of(task))
        return True

    def end(self, worker: _Worker) -> None:
        """End a process, wherever it is."""
        if worker in self._workers:
            self._workers.remove(worker)
            worker.process.end()

    def end_all(self) -> None:
        """End all processes, wherever they are."""
        for worker in self._workers:
            worker.process.end()

    def _start(self, needs: tuple[int, int]) -> _Worker:
        worker = _Worker(needs)
        cores, gpus = needs
        worker.process = ChildProcess(
            "stockcast.execution.task_worker",
            on_message=lambda message: self.inbox.put((worker, message)),
            on_end=lambda: self.inbox.put((worker, None)),
            environment={**thread_settings(cores), **({} if gpus else NO_GPU)},
        )
        self._workers.append(worker)
        return worker
