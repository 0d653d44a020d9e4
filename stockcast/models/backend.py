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
