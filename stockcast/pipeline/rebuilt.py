"""A run's network in Keras again, for what an exported one cannot do, and where there is none."""

from typing import Any

from stockcast.config import Config
from stockcast.models.factory import average, build_network
from stockcast.models.weights import load_weights
from stockcast.runs import RunDirectory


def build(config: Config, *, seed: int) -> Any:
    """Build the config's network with first weights."""
    return build_network(
        **config.model.model_dump(),
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
