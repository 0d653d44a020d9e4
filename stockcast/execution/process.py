"""A worker seen from the process that started it."""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from signal import Signals

from stockcast.errors import RunError, StockcastError, TrainingError
from stockcast.models.callbacks import EpochLog
from stockcast.runs.directory import RunDirectory

_ERRORS = {kind.__name__: kind for kind in (TrainingError, RunError)}
_WAIT = 0.1  # seconds between looks at the other workers once this one has finished; Ctrl-C waits as long


class WorkerProcess:
    """A process that trains some members; it ends when this one does, however that ends."""

    def __init__(self, run: RunDirectory, members: range) -> None:
        self._run, self._members = run, members
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "stockcast.execution.worker", str(run.path), *map(str, members)],
            stdin=subprocess.PIPE,  # closes with this process, and the worker ends
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            process_group=0,  # Ctrl-C reaches this process alone, which knows what to do with it
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def epochs(self) -> Iterator[EpochLog]:
        """Yield the epochs that the worker has finished since the last call.

        Raises:
            TrainingError, RunError: what ended the worker.
        """
        ended = not self._listener.is_alive()  # read first: after it no line can follow
        while not self._lines.empty():
            message = json.loads(self._lines.get())
            if "error" in message:
                raise _ERRORS.get(message["kind"], StockcastError)(message["error"], **message["fields"])
            yield EpochLog(**message)
        if ended and (code := self._process.wait()):
            how = f"by {Signals(-code).name}" if code < 0 else f"with exit code {code}"
            who = f"member {self._members[0]}" if len(self._members) == 1 else f"members {list(self._members)}"
            raise RunError(
                f"{self._run.path}: the process that trained {who} ended {how}; was there enough memory?",
                file=self._run.path,
                value=code,
            )

    def is_running(self) -> bool:
        """Wait a moment, and return whether more epochs may come."""
        self._listener.join(_WAIT)
        return self._listener.is_alive()

    def end(self) -> None:
        """End the process; what it had finished is in its checkpoints."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            self._lines.put(line)
