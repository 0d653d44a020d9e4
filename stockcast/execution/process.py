"""Processes of stockcast seen from the one that started them; `parent.py` is the other side."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from signal import Signals
from typing import Any

from stockcast import errors
from stockcast.data.shared_windows import SharedWindows
from stockcast.errors import RunError, StockcastError
from stockcast.models.callbacks import EpochLog
from stockcast.runs.directory import RunDirectory

_WAIT = 0.1  # seconds between looks at the other workers once this one has finished; Ctrl-C waits as long


class ChildProcess:
    """A process that reports by messages, JSON objects; it ends when this one does, however that ends."""

    def __init__(
        self,
        module: str,
        *arguments: str,
        on_message: Callable[[dict[str, Any]], None],
        on_end: Callable[[], None] = lambda: None,
        environment: Mapping[str, str] | None = None,
        descriptors: Sequence[int] = (),
    ) -> None:
        """Start it: `python -m module arguments`; a thread of its own calls `on_message`, and last `on_end`.

        It inherits the open files of these descriptors.
        """
        self._on_message, self._on_end = on_message, on_end
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],
            stdin=subprocess.PIPE,  # closes with this process, and the child ends
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            pass_fds=descriptors,
            process_group=0,  # Ctrl-C reaches this process alone, which knows what to do with it
            env={**os.environ, **(environment or {})},
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message; one to a process that has ended is lost, as `on_end` tells."""
        try:
            print(json.dumps(message, default=str), file=self._process.stdin, flush=True)
        except OSError:  # a broken pipe
            return

    def is_listening(self, *, wait: float = 0.0) -> bool:
        """Wait so many seconds, and return whether more messages may come."""
        self._listener.join(wait)
        return self._listener.is_alive()

    def failure(self) -> str | None:
        """Wait for its end, and return how it failed, such as `by SIGKILL`; None where it did not."""
        code = self.exit_code()
        return None if code == 0 else f"by {Signals(-code).name}" if code < 0 else f"with exit code {code}"

    def exit_code(self) -> int:
        """Wait for its end, and return its exit code, minus the signal that ended it."""
        return self._process.wait()

    def end(self, *, patience: float = 0.0) -> None:
        """End the process, wherever it is; with patience, it has so many seconds to end what it has started itself."""
        if patience:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
        self._process.kill()
        self._process.wait()
        self._listener.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:  # what was not sent yet
                    continue

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            if line.endswith("\n"):  # else it was killed as it wrote the line
                self._on_message(json.loads(line))
        self._on_end()


class WorkerProcess:
    """A process that trains some members."""

    def __init__(self, run: RunDirectory, members: range, windows: SharedWindows) -> None:
        self._run, self._members = run, members
        self._messages: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._process = ChildProcess(
            "stockcast.execution.worker",
            str(run.path),
            str(windows.descriptor),
            *map(str, members),
            on_message=self._messages.put,
            descriptors=[windows.descriptor],
        )
        self._process.send(windows.order())

    def epochs(self) -> Iterator[EpochLog]:
        """Yield the epochs that the worker has finished since the last call.

        Raises:
            TrainingError, RunError: what ended the worker.
        """
        ended = not self._process.is_listening()  # read first: after it no message can follow
        while not self._messages.empty():
            message = self._messages.get()
            if "error" in message:
                raise error_of(message)
            yield EpochLog(**message)
        if ended and (how := self._process.failure()):
            who = f"member {self._members[0]}" if len(self._members) == 1 else f"members {list(self._members)}"
            raise RunError(
                f"{self._run.path}: the process that trained {who} ended {how}; was there enough memory?",
                file=self._run.path,
                value=self._process.exit_code(),
            )

    def is_running(self) -> bool:
        """Wait a moment, and return whether more epochs may come."""
        return self._process.is_listening(wait=_WAIT)

    def end(self) -> None:
        """End the process; what it had finished is in its checkpoints."""
        self._process.end()


def error_of(message: Mapping[str, Any]) -> StockcastError:
    """Return the error that `parent.error_message` made a message of."""
    kind = getattr(errors, message["kind"], StockcastError)
    fields = {name: message["fields"].get(name) for name in ("file", "line", "column", "key", "value")}
    error: StockcastError = kind(message["error"], **fields)
    return error
