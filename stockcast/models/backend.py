"""Keras and its backend: loaded without log output, sharing the cores, and what they run on."""

import importlib
import logging
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hide what native libraries write to standard error, unless the block fails.

    TensorFlow logs from C++ before it reads its settings, so Python's own streams cannot stop it.
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
    """Import Keras on the backend that `KERAS_BACKEND` names (TensorFlow if unset), without log output."""
    if "keras" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        with quiet_stderr():
            importlib.import_module("keras")
    return importlib.import_module("keras")


def forget_networks() -> None:
    """Let Keras forget the networks that were built, and number new layers from 1.

    TensorFlow keeps the graph of every function with a gradient of its own until the process ends: 25 MB for each
    training. No gradient of an earlier network can be taken afterwards.
    """
    load_keras().backend.clear_session()
    if operations := sys.modules.get("tensorflow.python.framework.ops"):
        gradients = operations.gradient_registry._registry
        for name in [name for name in gradients if name.startswith("CustomGradient-")]:
            del gradients[name]


@contextmanager
def without_advice() -> Iterator[None]:
    """Suppress TensorFlow's advice against building one network after another, for what must."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def processors() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def has_gpu() -> bool:
    """Whether the system has an NVIDIA GPU (Linux, or Linux under Windows); the backend may still not use it."""
    return any(os.path.exists(device) for device in ("/dev/nvidiactl", "/dev/dxg"))


def share_threads(processes: int) -> None:
    """Give this process, and those that it starts, its share of the cores, as `limit_threads` does."""
    limit_threads(max(1, processors() // processes))


def limit_threads(cores: int) -> None:
    """Have this process, and those that it starts, keep so many cores busy; without effect once Keras is loaded.

    Variables that are set already stay.
    """
    for variable, threads in thread_settings(cores).items():
        os.environ.setdefault(variable, threads)


def thread_settings(cores: int) -> dict[str, str]:
    """Return the environment of a process that keeps so many cores busy.

    The matrix products of one day gain little from a second thread, so each of two streams of independent operations
    gets half of the cores.
    """
    streams = min(2, cores)
    return {
        "TF_NUM_INTEROP_THREADS": str(streams),
        "TF_NUM_INTRAOP_THREADS": str(cores // streams),
        "OMP_NUM_THREADS": str(cores),  # PyTorch
    }


def machine() -> dict[str, Any]:
    """Return what the last bits of trained weights may depend on: system, processor and number of threads."""
    return {"system": platform.system(), "processor": _processor(), "threads": processors()}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())


def versions() -> dict[str, str]:
    """Return the versions of Python, stockcast, numpy, Keras and its backend."""
    load_keras()
    return {
        "python": platform.python_version(),
        **{package: metadata.version(package) for package in ("stockcast", "numpy", "keras", backend_name())},
    }


def backend_name() -> str:
    """Return the package that Keras computes with; Keras need not be loaded for it."""
    keras = sys.modules.get("keras")
    return str(keras.backend.backend() if keras else os.environ.get("KERAS_BACKEND") or "tensorflow")
