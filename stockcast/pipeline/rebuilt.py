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


def build(config: Config, *, seed: int, cell: str | None = None) -> Any:
    """Build the config's network with first weights; with another cell, of the same sizes."""
    settings = config.model.model_dump(exclude={"head", "loss", "classes", "threshold"})
    return build_network(
        **{**settings, "cell": cell or config.model.cell},
        head=config.head,
        window=config.window,
        features=len(config.features),
        horizon=config.steps,
        seed=seed,
    )


def rebuild(run: RunDirectory, config: Config) -> tuple[Any, list[Any]]:
    """Return the run's network as training left it, and the members that it averages.

    Raises:
        RunError: the stored weights are damaged, or of another config.
    """
    members = [build(config, seed=config.training.seed + number) for number in range(config.training.members)]
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
