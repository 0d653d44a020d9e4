"""Run an exported network with ONNX Runtime, without a deep-learning library."""

from pathlib import Path

from stockcast.errors import NoOnnx, RunError
from stockcast.limits import MAX_NETWORK_BYTES
from stockcast.models.inference import Network, in_batches
from stockcast.models.onnx.verify import Shapes, check_onnx


def load_onnx(path: Path, *, shapes: Shapes | None = None) -> Network:
    """Open an exported network, after `check_onnx`.

    Args:
        path: the file, which may come from anybody.
        shapes: of its inputs and outputs, as the config needs them; None for those of the file.

    Raises:
        NoOnnx: ONNX Runtime cannot open a file that passed the check.
        RunError: the file is no network that stockcast exported, or of another config. The returned network raises it
            too, see `in_batches`.
    """
    import onnxruntime

    with path.open("rb") as stream:
        content = stream.read(MAX_NETWORK_BYTES + 1)
    if len(content) > MAX_NETWORK_BYTES:
        raise RunError(
            f"{path} is damaged: no network has more than {MAX_NETWORK_BYTES:,} bytes. Train again.", file=path
        )
    rows = check_onnx(content, source=path, shapes=shapes)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors are raised, and reported once
    try:  # the very bytes that were checked
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has no public family of errors
        raise NoOnnx(
            f"{path} cannot be opened by ONNX Runtime ({' '.join(str(error).split())[:200]})", file=path
        ) from error
    name = session.get_inputs()[0].name
    return in_batches(lambda part: session.run(None, {name: part})[0], rows=rows, source=path)
