"""A run's network in Keras again, for what an exported one cannot do, and where there is none."""

from typing import Any

import numpy as np

from stockcast.config import Config
from stockcast.errors import RunError
from stockcast.forecast import Floats
from stockcast.models import firing
from stockcast.models.factory import average, build_network
from stockcast.models.inference import Network
from stockcast.models.weights import load_weights
from stockcast.runs import RunDirectory


def build(config: Config, number: int = 1, *, cell: str | None = None) -> Any:
    """Build one of the config's networks with first weights.

    Args:
        config: its model.
        number: from 1; the members come first, then those beside them.
        cell: another one, of the same sizes; None for the config's.
    """
    settings = config.model.model_dump(exclude={"head", "loss", "classes", "threshold"})
    if number > config.training.members:
        settings |= {"cell": "last_day", "layers": config.beside.layers, "shortcut": False}
    if cell is not None:
        settings["cell"] = cell
    return build_network(
        **settings,
        head=config.head,
        window=config.window,
        features=len(config.features),
        horizon=config.steps,
        seed=seed_of(config, number),
    )


def seed_of(config: Config, number: int) -> int:
    """Return the seed of one of the config's networks; they follow each other."""
    return config.training.seed + number - 1


def rebuild(run: RunDirectory, config: Config) -> tuple[Any, list[Any]]:
    """Return the run's network as training left it, and the networks that it averages, the members first.

    Raises:
        RunError: the stored weights are damaged, or of another config.
    """
    members = [build(config, number) for number in range(1, config.networks + 1)]
    network = average(members)
    load_weights(network, run.weights_path())
    return network, members


def check_same(run: RunDirectory, network: Any, exported: Network, window: Floats) -> None:
    """Check that the network that is looked into is the one that forecasts.

    Raises:
        RunError: weights and exported network are not of one training.
    """
    answers = firing.run(network, window[None]), exported(window[None])
    if not np.allclose(*answers, rtol=1e-3, atol=1e-4):
        raise RunError(
            f"{run.path}: model.weights.h5 and model.onnx do not give the same answer, so they are not of one "
            f"training. Train again."
        )
