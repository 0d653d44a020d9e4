"""Keras, loaded without its backend's chatter."""

import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what native libraries write to standard error; hand it on if the block fails.

    TensorFlow logs from C++ before any of its settings is read, so Python's own streams cannot stop it.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)


def load_keras() -> Any:
    """Import Keras on the backend that `KERAS_BACKEND` names (TensorFlow if unset), in silence."""
    if "keras" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        with quiet_stderr():
            importlib.import_module("keras")
    return importlib.import_module("keras")


def forget_networks() -> None:
    """Let Keras forget the networks that were built, and begin to count their names anew."""
    load_keras().backend.clear_session()


def processors() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def has_gpu() -> bool:
    """Whether the system shows a GPU of NVIDIA (Linux, or Linux under Windows); the backend may still not use it."""
    return any(os.path.exists(device) for device in ("/dev/nvidiactl", "/dev/dxg"))


def share_threads(processes: int) -> None:
    """Give this process, and those that it starts, its share of the cores; without effect once Keras is loaded.

    Matrix products of a day's size gain less from a second thread than two independent ones side by side, so half of
    the share goes to each of two streams of operations. What the environment says already is left alone.
    """
    share = max(1, processors() // processes)
    streams = min(2, share)
    for variable, threads in (
        ("TF_NUM_INTEROP_THREADS", streams),
        ("TF_NUM_INTRAOP_THREADS", share // streams),
        ("OMP_NUM_THREADS", share),  # PyTorch
    ):
        os.environ.setdefault(variable, str(threads))
