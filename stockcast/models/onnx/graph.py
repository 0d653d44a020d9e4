"""An ONNX graph under construction; nodes and constants are named by the order in which they are added."""

from typing import Any

import numpy as np
import numpy.typing as npt


class Graph:
    """Nodes and constants; methods return the name of the value that they add."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[tuple[str, tuple[int, ...], bytes], Any] = {}
        self._transposed: dict[str, tuple[str, tuple[int, ...]]] = {}

    def add(self, operation: str, *inputs: str, output: int = 0, **attributes: Any) -> str:
        """Add a node; return the name of its `output`-th value."""
        from onnx import helper

        name = f"{operation}_{len(self.nodes) + 1}"
        self.nodes.append(helper.make_node(operation, inputs, [""] * output + [name], **attributes))
        return name

    def transpose(self, value: str, *axes: int) -> str:
        """Reorder the dimensions of a value as numpy's `transpose` does; one that undoes another adds no node."""
        source, before = self._transposed.get(value, (value, ()))
        if before and [before[axis] for axis in axes] == list(range(len(axes))):
            return source
        transposed = self.add("Transpose", value, perm=axes)
        self._transposed[transposed] = (value, axes)
        return transposed

    def reshape(self, value: str, *sizes: int) -> str:
        """Change the dimensions of a value: 0 keeps the one in its place, -1 is inferred."""
        return self.add("Reshape", value, self.integers(*sizes))

    def numbers(self, array: npt.NDArray[Any]) -> str:
        """Add a constant of weights."""
        return self._constant(np.ascontiguousarray(array, dtype=np.float32))

    def integers(self, *values: int) -> str:
        """Add a constant list of sizes or indices."""
        return self._constant(np.array(values, dtype=np.int64))

    def integer(self, value: int) -> str:
        """Add a constant index."""
        return self._constant(np.array(value, dtype=np.int64))

    def _constant(self, array: npt.NDArray[Any]) -> str:
        from onnx import numpy_helper

        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self.constants:
            self.constants[key] = numpy_helper.from_array(array, f"constant_{len(self.constants) + 1}")
        return str(self.constants[key].name)

    def needed(self, output: str) -> list[Any]:
        """Return the nodes that an output depends on, in order."""
        wanted, kept = {output}, []
        for node in reversed(self.nodes):
            if wanted.intersection(node.output):
                kept.append(node)
                wanted.update(node.input)
        return kept[::-1]
