"""The networks that a config describes, in Keras: to train them, to explain them, or where there is no ONNX file."""

from typing import Any

import numpy as np

from stockcast.config.schema import Config
from stockcast.errors import RunError
from stockcast.models.build import average, build_network
from stockcast.models.explain.activations import run_network
from stockcast.models.inference import Network
from stockcast.models.settings import FitSettings
from stockcast.models.weights import load_weights
from stockcast.runs.directory import RunDirectory
from stockcast.typing import Floats


def build_member(
    config: Config, member: int = 1, *, cell: str | None = None, sequence_length: int | None = None
) -> Any:
    """Build one of the config's networks with its first weights.

    Args:
        config: its model.
        member: from 1; the recurrent networks come first, then those of `ensemble.mlp`.
        cell: another one, of the same sizes; None for the config's.
        sequence_length: days of the sequences to train it on; None for windows.

    Returns:
        A keras.Model, (batch, window, features) -> (batch, steps, parameters of the head), or for sequences the one
        that `build_network` describes.
    """
    return build_network(
        config.network_settings(mlp=is_mlp(config, member), cell=cell),
        head=config.head,
        window=config.window,
        features=len(config.features),
        horizon=config.steps,
        sequence_length=sequence_length,
        seed=member_seed(config, member),
    )


def fit_settings(config: Config, member: int) -> FitSettings:
    """Return how one of the config's networks is trained."""
    training = config.training.model_dump(exclude={"seed", "targets", "sequence_length"})
    if is_mlp(config, member):
        training |= config.ensemble.mlp.model_dump(exclude={"layers"})
        training["learning_rate_key"] = "ensemble.mlp.learning_rate"
    # Whether a batch is split is decided by the config and not by the workers: bits do not depend on cores.
    return FitSettings(**training, seed=member_seed(config, member), is_alone=config.networks == 1)


def is_mlp(config: Config, member: int) -> bool:
    """Whether a member is one of `ensemble.mlp`."""
    return member > config.ensemble.members


def member_seed(config: Config, member: int) -> int:
    """Return the seed of one of the config's networks; they are consecutive."""
    return config.training.seed + member - 1


def load_keras_network(run: RunDirectory, config: Config) -> tuple[Any, list[Any]]:
    """Return the run's network with its trained weights, and the networks that it averages, in order.

    Raises:
        RunError: the stored weights are damaged, or of another config.
    """
    members = [build_member(config, member) for member in range(1, config.networks + 1)]
    network = average(members)
    load_weights(network, run.weights_path())
    return network, members


def check_same_network(run: RunDirectory, network: Any, exported: Network, window: Floats) -> None:
    """Check that the network from the stored weights is the exported one, which forecasts.

    Args:
        run: names the files in the error.
        network: from model.weights.h5.
        exported: from model.onnx.
        window: to compare them on, shape (window, features).

    Raises:
        RunError: they are not of one training.
    """
    if not np.allclose(run_network(network, window[None]), exported(window[None]), rtol=1e-3, atol=1e-4):
        raise RunError(
            f"{run.path}: model.weights.h5 and model.onnx do not give the same output, so they are not of one "
            f"training. Train again.",
            file=run.path,
        )
