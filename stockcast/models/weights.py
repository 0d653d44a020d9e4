"""Load a run's stored weights into the network that its config builds."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stockcast.errors import RunError

_MAX_OBJECTS = 100_000
"""Groups and arrays in a file, each link counted; 32 members of 8 layers with their optimizers have about 10,000."""

_MAX_DEPTH = 24
"""Groups within groups; a group can contain itself."""


def load_weights(network: Any, path: Path) -> None:
    """Set the weights of a network to those in a file that may come from anybody.

    No array is read before all arrays of the network are known to be there, stored in the file itself, and of the right
    shape and type. Anything else in the file, such as the optimizer's state, is ignored.

    Args:
        network: a keras.Model as the config builds it.
        path: the file that `save_weights` wrote, `*.weights.h5`.

    Raises:
        RunError: it is no such file, links to another one, or is of another network.
    """
    import h5py  # type: ignore[import-untyped]

    with tempfile.TemporaryDirectory() as folder:
        like = Path(folder) / "like.weights.h5"
        network.save_weights(like)  # the layout of this network's file, by Keras itself
        with h5py.File(like, "r") as file:
            expected = _array_types(file)
    try:
        with h5py.File(path, "r") as file:
            stored = _array_types(file)
        for name, kind in expected.items():
            if stored.get(name) != kind:
                raise ValueError(f"{name} holds {stored.get(name, 'nothing')}, and this run's config builds {kind}")
        network.load_weights(path)
    except (OSError, ValueError, KeyError, RuntimeError) as error:  # h5py's and Keras' own
        reason = str(error)[:300].splitlines()[0]
        raise RunError(f"{path} is damaged: {reason}. Train again.", file=path) from error


def _array_types(file: Any) -> dict[str, str]:
    """Name of each array -> its type and shape, in words."""
    return {name: f"{array.dtype} of shape {array.shape}" for name, array in _arrays(file)}


def _arrays(file: Any) -> Iterator[tuple[str, Any]]:
    """Every array in an HDF5 file with its name; links are refused before they are followed.

    Raises:
        ValueError: the file holds something that Keras does not write.
    """
    import h5py

    left = _MAX_OBJECTS
    groups = [("", file)]
    while groups:
        where, group = groups.pop()
        if where.count("/") > _MAX_DEPTH:
            raise ValueError(f"its groups are nested deeper than {_MAX_DEPTH}")
        for key in group:
            name = f"{where}/{key}"
            left -= 1
            if left < 0:
                raise ValueError(f"it holds more than {_MAX_OBJECTS:,} objects")
            if group.get(key, getclass=True, getlink=True) is not h5py.HardLink:
                raise ValueError(f"{name} is a link to somewhere else")
            node = group[key]
            if isinstance(node, h5py.Group):
                groups.append((name, node))
            elif not isinstance(node, h5py.Dataset):
                raise ValueError(f"{name} is neither a group nor an array")
            elif node.external or node.is_virtual or node.chunks is not None:
                raise ValueError(f"{name} is stored in another file or in pieces, which stockcast never writes")
            else:
                yield name, node
