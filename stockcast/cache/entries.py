"""An entry of the cache: a few arrays and some words about them, as the bytes of an npz file, and under which key."""

import hashlib
import io
import json
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from stockcast import __version__
from stockcast.cache.folder import CacheFolder
from stockcast.runs.npz import unpack_npz

_LIBRARIES = ("numpy", "pandas", "exchange_calendars", "openpyxl", "pyarrow")
"""What numbers depend on besides this package."""

_WORDS = "words"


def key_of(kind: str, *parts: object) -> str:
    """Return the key of an entry: a hash of its kind, of all that it is made of, and of what makes it.

    Args:
        kind: of the entry.
        parts: texts, arrays, and values of which `repr` gives all that matters.
    """
    digest = hashlib.sha256(repr((kind, _makers(), len(parts))).encode())
    for part in parts:
        content = np.ascontiguousarray(part).data if isinstance(part, np.ndarray) else repr(part).encode()
        digest.update(f"{len(content)} {type(part).__name__} ".encode())
        digest.update(content)
    return digest.hexdigest()


@cache
def _makers() -> str:
    """Return a hash of the package's code that reads and computes, and the versions of the libraries that it uses.

    The code, as it may be changed without a new version.
    """
    package, digest = Path(__file__).parents[1], hashlib.sha256()
    for module in sorted([*(package / "data").rglob("*.py"), *(package / "cache").glob("*.py")]):
        digest.update(f"{module.relative_to(package)} {module.stat().st_size} ".encode())
        digest.update(module.read_bytes())
    versions = {name: _version(name) for name in _LIBRARIES}
    return repr((digest.hexdigest(), __version__, platform.python_version(), platform.machine(), versions))


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def store_entry(folder: CacheFolder, key: str, arrays: Mapping[str, Any], words: Mapping[str, Any]) -> None:
    """Write an entry of arrays of numbers, and words as JSON has them."""
    stream = io.BytesIO()
    stated: Any = np.frombuffer(json.dumps({**words, "key": key}).encode(), dtype=np.uint8)
    np.savez(stream, **arrays, **{_WORDS: stated})
    folder.store(key, stream.getvalue())


def load_entry(folder: CacheFolder, key: str, kinds: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return the arrays of an entry, of these kinds of dtype, and its words.

    None where there is no such entry, or it is not what was written: a zip file holds a checksum of each array.
    """
    content = folder.load(key)
    if content is None:
        return None
    try:
        arrays = unpack_npz(content, {**kinds, _WORDS: "u"})
        words = json.loads(arrays.pop(_WORDS).tobytes())
        return (arrays, words) if words["key"] == key else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
