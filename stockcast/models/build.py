"""Build networks from settings and sizes.

The outputs of a network of many days ahead are curves over the horizon: its dense layer gives a few coefficients for
each parameter of the head, and a fixed layer turns them into a smooth curve, so that neighbouring days have similar
outputs. With 150 free outputs (50 days x 3 parameters) some days had bands twice as wide as the day before, and the
validation loss was worse.
"""

from typing import Any

import numpy as np
from numpy.polynomial import legendre

from stockcast.models.backend import load_keras
from stockcast.models.heads import Head
from stockcast.models.layers import count_layer_weights, stack_layers
from stockcast.models.settings import NetworkSettings
from stockcast.typing import Floats

CURVES = 3
"""Level, slope and curvature: coefficients for each parameter of the head."""

LOGITS = "logits"
"""The layer before a head's sigmoid or softmax."""


def build_network(
    settings: NetworkSettings,
    *,
    head: Head,
    window: int,
    features: int,
    horizon: int,
    sequence_length: int | None = None,
    seed: int = 0,
) -> Any:
    """Build a network: the cell's layers with dropout after each, then one dense layer and the curves.

    With `sequence_length` it has the same weights, and outputs on every day of a sequence from the `window`-th on: one
    pass over 200 days gives the outputs of 151 windows of 50, for the work of four.

    Args:
        settings: cell, layers, dropout, skip connection and penalty.
        head: number of outputs per day, their first values, and the last activation.
        window: days in.
        features: inputs per day.
        horizon: days out.
        sequence_length: days of the sequences that a causal cell is trained on; None for windows.
        seed: of the first weights and the dropout; sets the global seeds of Python, numpy and the backend.

    Returns:
        A keras.Model, (batch, window, features) -> (batch, horizon, parameters of the head), or
        (batch, sequence_length, features) -> (batch, sequence_length - window + 1, horizon, parameters).
    """
    keras = load_keras()
    keras.utils.set_random_seed(seed)
    every_day = sequence_length is not None
    days = (sequence_length - window + 1,) if sequence_length is not None else ()
    inputs = keras.Input((sequence_length or window, features), name="window")
    hidden = stack_layers(
        inputs, settings.cell, settings.layers, window=window, dropout=settings.dropout, every_day=every_day
    )
    if every_day:
        hidden = hidden[:, window - 1 :]
    if settings.skip_connection:
        today = inputs[:, window - 1 :] if every_day else inputs[:, -1]
        hidden = keras.layers.Concatenate(name="skip_connection")([hidden, today])

    curves = horizon_curves(horizon)
    dense = keras.layers.Dense(
        head.parameters * len(curves),
        # small weights keep the outputs of an untrained network at the head's start
        kernel_initializer="glorot_uniform" if head.start is None else keras.initializers.RandomNormal(stddev=0.01),
        kernel_regularizer=keras.regularizers.L2(settings.output_l2) if settings.output_l2 else None,
        name="dense",
    )
    last = head.name if head.activation is None else LOGITS
    if horizon == 1:  # a single day has no curve
        outputs = keras.layers.Reshape((*days, 1, head.parameters), name=last)(dense(hidden))
    else:
        coefficients = keras.layers.Reshape((*days, head.parameters, len(curves)), name="coefficients")(dense(hidden))
        curve = keras.layers.Dense(horizon, use_bias=False, trainable=False, name="curves")
        outputs = keras.layers.Permute((1, 3, 2) if every_day else (2, 1), name=last)(curve(coefficients))
        curve.set_weights([curves])
    if head.start is not None and any(head.start):
        bias = np.zeros((head.parameters, len(curves)))
        bias[:, 0] = head.start  # the first curve is the level
        dense.set_weights([dense.get_weights()[0], bias.ravel()])
    if head.activation is not None:
        outputs = keras.layers.Activation(head.activation, name=head.name)(outputs)
    return keras.Model(inputs, outputs)


def logits_model(network: Any) -> Any:
    """Return the part of a network that the loss is computed on: up to the logits, if its head has an activation."""
    if LOGITS not in [layer.name for layer in network.layers]:
        return network
    return load_keras().Model(network.input, network.get_layer(LOGITS).output)


def count_weights(settings: NetworkSettings, *, window: int, features: int, horizon: int, parameters: int) -> int:
    """Return the number of weights that a network of `build_network` trains, without building it.

    `parameters` is the head's number of outputs per day ahead.
    """
    inner, width = count_layer_weights(settings.cell, settings.layers, window=window, features=features)
    outputs = parameters * min(CURVES, horizon)
    return inner + (width + (features if settings.skip_connection else 0) + 1) * outputs


def average(members: list[Any]) -> Any:
    """Return one network whose outputs are the mean of its members' outputs; a single member is returned as it is.

    For a Student-t head this is the mean location and the geometric mean of the scales; for probabilities, their mean.
    """
    if len(members) == 1:
        return members[0]
    keras = load_keras()
    inputs = keras.Input(members[0].input_shape[1:], name="window")
    for number, member in enumerate(members, start=1):
        member.name = f"member_{number}"
    return keras.Model(inputs, keras.layers.Average(name="members")([member(inputs) for member in members]))


def horizon_curves(horizon: int) -> Floats:
    """Return the curves whose weighted sum the outputs are, shape (curves, horizon).

    They are Legendre polynomials of the log of the days ahead (level, slope, curvature), each between -1 and 1; they
    change fast in the first days and slowly in the last.
    """
    if horizon == 1:
        return np.ones((1, 1), dtype=np.float32)
    days = np.log(np.arange(1, horizon + 1))
    return np.asarray(legendre.legvander(2 * days / days[-1] - 1, min(CURVES, horizon) - 1).T, dtype=np.float32)
