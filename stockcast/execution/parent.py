"""The process that started this one, seen from here: messages to and from it, and a common end."""

import json
import os
import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any

from stockcast.errors import StockcastError


class Parent:
    """The process that started this one, see `process.ChildProcess`; this one ends with it."""

    def __init__(self, *, before_end: Callable[[], None] = lambda: None) -> None:
        """Open the channel of messages; `before_end` is called in another thread when the parent has ended."""
        self._before_end = before_end
        self._channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)  # what libraries print must not get between the messages
        self._received: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message."""
        print(json.dumps(message, default=str), file=self._channel, flush=True)

    def receive(self) -> dict[str, Any]:
        """Wait for the next message."""
        return self._received.get()

    def _listen(self) -> None:
        rest = b""
        while received := os.read(0, 65536):  # not by sys.stdin, whose lock the end of the interpreter would wait for
            *lines, rest = (rest + received).split(b"\n")
            for line in lines:
                self._received.put(json.loads(line))
        self._before_end()
        os._exit(1)


def error_message(error: StockcastError) -> dict[str, Any]:
    """Return a message of which `process.error_of` makes the error again."""
    return {"kind": type(error).__name__, "error": str(error), "fields": vars(error)}
