"""Put a run's stored weights into the network that its config builds."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stockcast.errors import RunError

_MOST_OBJECTS = 100_000
"""Groups and arrays in a file, links counted each; 32 members of 8 layers with their optimizers have about 10,000."""

_MOST_DEPTH = 24
"""Groups within groups; a group that holds itself has no end."""


def load_weights(network: Any, path: Path) -> None:
    """Set the weights of a network to those in a file that may come from anybody.

    The file is opened for reading, and nothing of its numbers is read before every array that the network asks for is
    known to be there, plainly stored, and of the network's own shape and type. What else is in it, such as the
    optimizer's state, is not read.

    Args:
        network: a keras.Model as the config builds it.
        path: the file that `save_weights` wrote, `*.weights.h5`.

    Raises:
        RunError: it is no such file, leads to another one, or is of another network.
    """
    import h5py  # type: ignore[import-untyped]

    with tempfile.TemporaryDirectory() as folder:
        like = Path(folder) / "like.weights.h5"
        network.save_weights(like)  # the one authority on how Keras lays out this network
        with h5py.File(like, "r") as stored:
            needed = {name: (array.shape, array.dtype) for name, array in _arrays(stored)}
    try:
        with h5py.File(path, "r") as stored:
            found = {name: (array.shape, array.dtype) for name, array in _arrays(stored)}
        for name, expected in needed.items():
            if found.get(name) != expected:
                there = "nothing" if name not in found else _described(*found[name])
                raise ValueError(f"{name} holds {there}, and this run's config builds {_described(*expected)}")
        network.load_weights(path)
    except (OSError, ValueError, KeyError, RuntimeError) as error:  # h5py's and Keras' own
        raise RunError(f"{path} is damaged: {str(error)[:300].splitlines()[0]}. Train again.") from error


def _arrays(stored: Any) -> Iterator[tuple[str, Any]]:
    """Every array in an HDF5 file by its name; a link to elsewhere is refused before it is followed.

    Raises:
        ValueError: something in it is not what Keras writes.
    """
    import h5py

    left = _MOST_OBJECTS
    groups = [("", stored)]
    while groups:
        where, group = groups.pop()
        if where.count("/") > _MOST_DEPTH:
            raise ValueError(f"its groups are nested deeper than {_MOST_DEPTH}")
        for key in group:
            name = f"{where}/{key}"
            left -= 1
            if left < 0:
                raise ValueError(f"it holds more than {_MOST_OBJECTS:,} objects")
            if group.get(key, getclass=True, getlink=True) is not h5py.HardLink:
                raise ValueError(f"{name} is a link to somewhere else")
            found = group[key]
            if isinstance(found, h5py.Group):
                groups.append((name, found))
            elif not isinstance(found, h5py.Dataset):
                raise ValueError(f"{name} is neither a group nor an array")
            elif found.external or found.is_virtual or found.chunks is not None:
                raise ValueError(f"{name} is kept in another file or in pieces, which stockcast never writes")
            else:
                yield name, found


def _described(shape: tuple[int, ...], kind: Any) -> str:
    return f"{kind} of shape {shape}"
