"""An ONNX graph on its way: nodes and constants, each known by a name of its place in the order of writing."""

from typing import Any

import numpy as np
import numpy.typing as npt


class Graph:
    """The nodes so far; every value is known by the name that its node gave it."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[tuple[str, tuple[int, ...], bytes], Any] = {}
        self._turned: dict[str, tuple[str, tuple[int, ...]]] = {}

    def add(self, operation: str, *inputs: str, output: int = 0, **attributes: Any) -> str:
        """Add a node; return the name of its `output`-th value."""
        from onnx import helper

        name = f"{operation}_{len(self.nodes) + 1}"
        self.nodes.append(helper.make_node(operation, inputs, [""] * output + [name], **attributes))
        return name

    def turn(self, value: str, *axes: int) -> str:
        """Reorder the dimensions of a value: the first becomes the one that was at `axes[0]`, and so on."""
        source, before = self._turned.get(value, (value, ()))
        if before and [before[axis] for axis in axes] == list(range(len(axes))):
            return source
        turned = self.add("Transpose", value, perm=axes)
        self._turned[turned] = (value, axes)
        return turned

    def reshape(self, value: str, *sizes: int) -> str:
        """Give a value other dimensions: 0 keeps the one in its place, -1 takes what is left."""
        return self.add("Reshape", value, self.integers(*sizes))

    def numbers(self, array: npt.NDArray[Any]) -> str:
        """Return the name of weights."""
        return self._constant(np.ascontiguousarray(array, dtype=np.float32))

    def integers(self, *values: int) -> str:
        """Return the name of a list of sizes or places."""
        return self._constant(np.array(values, dtype=np.int64))

    def integer(self, value: int) -> str:
        """Return the name of one place."""
        return self._constant(np.array(value, dtype=np.int64))

    def _constant(self, array: npt.NDArray[Any]) -> str:
        from onnx import numpy_helper

        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self.constants:
            self.constants[key] = numpy_helper.from_array(array, f"constant_{len(self.constants) + 1}")
        return str(self.constants[key].name)

    def needed(self, output: str) -> list[Any]:
        """Return the nodes without which there is no output, in order."""
        wanted, kept = {output}, []
        for node in reversed(self.nodes):
            if wanted.intersection(node.output):
                kept.append(node)
                wanted.update(node.input)
        return kept[::-1]
