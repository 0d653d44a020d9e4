"""Types of arrays, by what stands in them."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Dates = npt.NDArray[np.datetime64]
Days = npt.NDArray[np.intp]
"""Indices of trading days, 0 is the first row of the data."""
Flags = npt.NDArray[np.bool_]
"""Whether something holds for each row."""
Labels = npt.NDArray[np.intp]
"""Numbers of classes, 0 is the lowest."""
