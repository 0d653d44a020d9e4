"""Run a trained network without a deep-learning library: ONNX Runtime, many windows at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.errors import ExportError, NoOnnx, RunError
from stockcast.forecast import Floats
from stockcast.models.onnxfile import MAX_FILE, Shapes, check_onnx
from stockcast.models.onnxwriter import write_onnx

Network = Callable[[Floats], Floats]
"""Windows of shape (origins, window, features) -> outputs of shape (origins, horizon, parameters), both float32."""


def export_onnx(network: Any, path: Path) -> None:
    """Write a keras.Model as ONNX, and check that it answers as Keras does.

    Raises:
        ExportError: it has no ONNX form, or answers otherwise, and forecasts from it would be wrong.
    """
    path.write_bytes(write_onnx(network))
    probe = np.random.default_rng(0).normal(size=(3, *network.input_shape[1:])).astype(np.float32)
    expected = np.asarray(network.predict_on_batch(probe))
    try:
        answered = load_onnx(path)(probe)
    except RunError as error:
        raise ExportError(f"it does not run as ONNX: {error}") from error
    # Wide enough for a graphics processor, which multiplies in ten bits; a gate in the wrong place is no rounding.
    if answered.shape != expected.shape or not np.allclose(answered, expected, rtol=1e-2, atol=1e-3):
        raise ExportError(f"as ONNX it does not answer as Keras does (shapes {answered.shape} and {expected.shape})")


def load_onnx(path: Path, *, shapes: Shapes | None = None) -> Network:
    """Open an exported network, once it is known to be no more than that.

    Args:
        path: the file, which may come from anybody.
        shapes: what the config says of its inputs and outputs; None to take the file's word.

    Raises:
        NoOnnx: ONNX Runtime cannot open it, though nothing is wrong with it that we know of.
        RunError: the file is no network that we exported, or of another config. The network raises it too, where
            memory does not suffice to run it.
    """
    import onnxruntime

    with path.open("rb") as stream:
        content = stream.read(MAX_FILE + 1)
    if len(content) > MAX_FILE:
        raise RunError(f"{path} is damaged: no network has more than {MAX_FILE:,} bytes. Train again.")
    rows = check_onnx(content, source=path, shapes=shapes)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is raised and told once, by us
    try:  # the very bytes that were checked
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has no public family of errors
        raise NoOnnx(f"{path} cannot be opened by ONNX Runtime ({' '.join(str(error).split())[:200]})") from error
    name = session.get_inputs()[0].name
    return _in_parts(lambda part: session.run(None, {name: part})[0], rows=rows, source=path)


def keras_network(network: Any, *, source: Path) -> Network:
    """Return a keras.Model as what forecasts: slower than ONNX Runtime, and the same to the last digits but one.

    Args:
        network: (batch, window, features) -> (batch, horizon, parameters).
        source: where its weights lie, for messages.
    """
    return _in_parts(network.predict_on_batch, rows=_KERAS_ROWS, source=source)


_KERAS_ROWS = 256


def _in_parts(answer: Network, *, rows: int, source: Path) -> Network:
    """Ask a network for no more than so many windows at once, and see that it answers in numbers.

    Raises:
        RunError: the network raises it where memory does not suffice, or its weights are damaged.
    """

    def run(inputs: Floats) -> Floats:
        try:
            parts = [answer(inputs[row : row + rows].astype(np.float32)) for row in range(0, len(inputs), rows)]
        except Exception as error:  # of ONNX Runtime and of Keras' backends; and MemoryError
            raise RunError(f"{source} cannot be run: {str(error)[:200]}. Train again, or free some memory.") from error
        outputs: Floats = np.concatenate(parts)
        if not np.isfinite(outputs).all():
            raise RunError(f"{source} answers with what is no number, so its weights are damaged. Train again.")
        return outputs

    return run


def roll_forward(
    network: Network, inputs: Floats, *, steps: int, feed: Callable[[Floats], Floats] | None = None
) -> Floats:
    """Forecast day after day, each forecast fed back as the next day's inputs, all origins side by side.

    Args:
        network: one that answers one day ahead.
        inputs: the last known windows, shape (origins, window, features).
        steps: days ahead.
        feed: one-day answers, shape (origins, answers), to the next day's inputs, shape (origins, features); None where
            the network answers each of its inputs in that input's own unit and order.

    Returns:
        One-day answers, shape (origins, steps, answers).
    """
    origins, window, features = inputs.shape
    known = np.concatenate([inputs, np.empty((origins, steps, features), dtype=inputs.dtype)], axis=1)
    answers = []
    for step in range(steps):
        said = network(known[:, step : window + step])[:, 0]
        known[:, window + step] = said if feed is None else feed(said)
        answers.append(said)
    return np.stack(answers, axis=1)
