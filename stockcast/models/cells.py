"""The recurrent layers that a config can name, one function and one line of `CELLS` each."""

from collections.abc import Callable
from typing import Any


def _lstm(units: int, *, sequences: bool, name: str) -> Any:
    import keras

    # tanh and sigmoid, no recurrent dropout: the conditions under which Keras takes the cuDNN kernel on a GPU.
    return keras.layers.LSTM(units, return_sequences=sequences, name=name)


CELLS: dict[str, Callable[..., Any]] = {
    "lstm": _lstm,
}
"""Name in the config -> a layer of (units, sequences, name): (batch, days, inputs) -> (batch, days, units) if
`sequences`, else (batch, units)."""
