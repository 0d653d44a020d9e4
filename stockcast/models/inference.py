"""Run a trained network without a deep-learning library: ONNX Runtime, many windows at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.errors import RunError, TrainingError
from stockcast.forecast import Floats
from stockcast.models.backend import quiet_stderr
from stockcast.models.onnxfile import MAX_FILE, Shapes, check_onnx

Network = Callable[[Floats], Floats]
"""Windows of shape (origins, window, features) -> outputs of shape (origins, horizon, parameters), both float32."""


def export_onnx(network: Any, path: Path) -> None:
    """Write a keras.Model as ONNX, and check that it answers as Keras does.

    Raises:
        TrainingError: it does not, and forecasts from it would be wrong.
    """
    import warnings

    for layer in network._flatten_layers():  # those of an average's members too
        if hasattr(layer, "use_cudnn"):
            layer.use_cudnn = False  # ONNX has no word for cuDNN's fused kernel
    probe = np.random.default_rng(0).normal(size=(3, *network.input_shape[1:])).astype(np.float32)
    expected = np.asarray(network.predict_on_batch(probe))
    with warnings.catch_warnings(), quiet_stderr():
        # tf2onnx asks numpy for an alias that a later numpy will define (keras/src/export/tf2onnx_lib.py)
        warnings.filterwarnings("ignore", message=".*np.object.*", category=FutureWarning)
        network.export(str(path), format="onnx", verbose=False)
    answered = load_onnx(path)(probe)
    if answered.shape != expected.shape or not np.allclose(answered, expected, rtol=1e-4, atol=1e-5):
        raise TrainingError(
            f"The network exported to {path.name} does not answer as Keras does (shapes {answered.shape} and "
            f"{expected.shape}). Please report this with your config."
        )


def load_onnx(path: Path, *, shapes: Shapes | None = None) -> Network:
    """Open an exported network, once it is known to be no more than that.

    Args:
        path: the file, which may come from anybody.
        shapes: what the config says of its inputs and outputs; None to take the file's word.

    Raises:
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
        raise RunError(f"{path} is damaged: ONNX Runtime cannot open it. Train again.") from error
    name = session.get_inputs()[0].name

    def run(inputs: Floats) -> Floats:
        try:
            parts = [
                session.run(None, {name: inputs[row : row + rows].astype(np.float32)})[0]
                for row in range(0, len(inputs), rows)
            ]
        except Exception as error:  # as above; and MemoryError
            raise RunError(f"{path} cannot be run: {str(error)[:200]}. Train again, or free some memory.") from error
        outputs: Floats = np.concatenate(parts)
        if not np.isfinite(outputs).all():
            raise RunError(f"{path} answers with what is no number, so its weights are damaged. Train again.")
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
