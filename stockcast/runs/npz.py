"""Arrays of an npz file that anybody may have made: bounded, no pickles, no memory for what the bytes do not hold."""

import io
import zipfile
import zlib
from math import prod
from typing import Any

import numpy as np

_MOST_UNPACKED = 2**28
"""Bytes of all arrays together: 20 years of origins, 250 days ahead, 25 levels. The default's have 10 MB."""

_BROKEN = (ValueError, TypeError, KeyError, EOFError, SyntaxError, RuntimeError, MemoryError, OverflowError)
"""What zipfile and numpy raise on bytes that are not what they claim to be."""


def unpack_npz(content: bytes, kinds: dict[str, str]) -> dict[str, Any]:
    """Return the arrays of these names and kinds of dtype; whole numbers and fractions are as wide as numpy's own.

    Raises:
        ValueError: the bytes are no npz file with plain arrays of these kinds, or hold more than any of a run.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            entries = [packed.getinfo(f"{name}.npy") for name in kinds]
            if sum(entry.file_size for entry in entries) > _MOST_UNPACKED:
                raise ValueError(f"it unpacks to more than {_MOST_UNPACKED:,} bytes")
            return {
                name: _array(packed.read(entry), kind=kind)
                for (name, kind), entry in zip(kinds.items(), entries, strict=True)
            }
    except (*_BROKEN, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(str(error) or type(error).__name__) from error


def _array(content: bytes, *, kind: str) -> Any:
    """Return the array in the bytes of an npy file; ValueError if it is no plain array of this kind."""
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("an array is in a format that stockcast does not write")
    shape, by_column, dtype = np.lib.format.read_array_header_1_0(stream)
    start = stream.tell()
    if by_column or dtype.kind != kind or (kind == "M" and dtype != np.dtype("<M8[D]")):
        raise ValueError(f"an array holds {dtype}")
    if prod(shape) * dtype.itemsize != len(content) - start:
        raise ValueError(f"an array claims shape {shape}, and its bytes are not as many")
    array = np.frombuffer(content, dtype=dtype, offset=start).reshape(shape)
    return array.astype({"f": np.float64, "i": np.intp}.get(kind, dtype))
