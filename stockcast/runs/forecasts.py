"""An evaluation's forecasts, read back from a run that may be anybody's: bounded, no pickles, shapes that fit."""

import io
import zipfile
import zlib
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.errors import RunError
from stockcast.forecast import LEVELS, Floats, Forecast
from stockcast.runs.names import evaluation_folder
from stockcast.untrusted import MAX_NETWORK_BYTES, read_bytes

_MOST_UNPACKED = 2**28
"""Bytes of all arrays together: 20 years of origins, 250 days ahead, 25 levels. The default's have 10 MB."""

_BROKEN = (ValueError, TypeError, KeyError, EOFError, SyntaxError, RuntimeError, MemoryError, OverflowError)
"""What zipfile and numpy raise on bytes that are not what they say."""

_KINDS = {"origin_dates": "M", "target_dates": "M", "levels": "f", "quantiles": "f", "actual": "f", "last_close": "f"}


def stored_forecast(run: Path) -> tuple[Forecast, Floats] | None:
    """Return what a run forecast on its test days and what came, in price units, shape (origins, horizon).

    Returns:
        None if the run keeps no forecasts.

    Raises:
        RunError: the file is damaged, or larger than any that evaluate writes.
    """
    path = run / evaluation_folder("test") / "forecasts.npz"
    if not path.exists():
        return None
    content = read_bytes(path, folder=run, most=MAX_NETWORK_BYTES)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            entries = [packed.getinfo(f"{name}.npy") for name in _KINDS]
            if sum(entry.file_size for entry in entries) > _MOST_UNPACKED:
                raise ValueError(f"it unpacks to more than {_MOST_UNPACKED:,} bytes")
            arrays: dict[str, Any] = {
                name: _array(packed.read(entry), kind=kind)
                for (name, kind), entry in zip(_KINDS.items(), entries, strict=True)
            }
        actual = arrays.pop("actual")
        forecast = Forecast(**arrays)
        _check(forecast, actual)
    except (*_BROKEN, zipfile.BadZipFile, zlib.error) as error:
        raise RunError(f"{path} is damaged: {_why(error)}. Next: stockcast evaluate {run.name}") from error
    return forecast, actual


def _array(content: bytes, *, kind: str) -> Floats:
    """Return the array in the bytes of an npy file; nothing is made room for that the bytes do not hold.

    Raises:
        ValueError: it is no plain array of this kind.
    """
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("an array is in a format that evaluate does not write")
    shape, by_column, dtype = np.lib.format.read_array_header_1_0(stream)
    start = stream.tell()
    if by_column or dtype.kind != kind or (kind == "M" and dtype != np.dtype("<M8[D]")):
        raise ValueError(f"an array holds {dtype}")
    if prod(shape) * dtype.itemsize != len(content) - start:
        raise ValueError(f"an array claims shape {shape}, and its bytes are not as many")
    found = np.frombuffer(content, dtype=dtype, offset=start).reshape(shape)
    return found if kind == "M" else found.astype(np.float64)


def _check(forecast: Forecast, actual: Floats) -> None:
    """Check that the arrays are one forecast.

    Raises:
        ValueError: they are not.
    """
    origins, horizon, levels = (*actual.shape, len(forecast.levels)) if actual.ndim == 2 else (0, 0, 0)
    shapes = (
        forecast.origin_dates.shape,
        forecast.target_dates.shape,
        forecast.quantiles.shape,
        forecast.last_close.shape,
    )
    if not origins or shapes != ((origins,), (origins, horizon), (origins, horizon, levels), (origins,)):
        raise ValueError("its arrays do not fit each other")
    for prices in (forecast.quantiles, forecast.last_close, actual):
        if not (np.isfinite(prices) & (prices > 0)).all():
            raise ValueError("a price in it is no number above 0")
    if levels != len(LEVELS) or not np.allclose(forecast.levels, LEVELS):
        raise ValueError("its levels are not those that evaluate writes")
    if not (np.diff(forecast.origin_dates).astype(int) > 0).all():
        raise ValueError("its days are not in order")


def _why(error: Exception) -> str:
    return str(error)[:200].splitlines()[0] if str(error) else type(error).__name__
