"""The run that ships inside the package: when a command takes it, what it was trained on, and what it is not for."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stockcast.config import yaml
from stockcast.errors import ConfigError, RunError
from stockcast.runs.directory import RunDirectory
from stockcast.runs.layout import CONFIG, MANIFEST, PRETRAINED, has_pretrained, is_in_package
from stockcast.runs.safe_io import damaged


@dataclass(frozen=True)
class Training:
    """What the run that ships was trained on.

    Attributes:
        series: their number.
        first: the first day of any of them, ISO.
        border: the first day that it was not trained on, where its test days begin, ISO.
    """

    series: int
    first: str
    border: str

    def __str__(self) -> str:
        return f"{self.series} series, from {self.first} to the day before {self.border}"


def choose_run(
    root: Path,
    run: RunDirectory | str | os.PathLike[str] | None,
    *,
    source: object,
    on_message: Callable[[str], None],
) -> RunDirectory:
    """Return what `RunDirectory.find` does; where there is no run at all, for a price file, the one that ships.

    Args:
        root: folder of the runs.
        run: as `RunDirectory.find` takes it.
        source: what is to be forecast; None for the series that the run was trained on, which do not ship.
        on_message: called where the run that ships is taken without having been named.

    Raises:
        RunError: there is none, it is unfinished, or the one that ships is damaged.
    """
    if run is not None or source is None or not has_pretrained() or RunDirectory.newest(root):
        return RunDirectory.find(root, run)
    shipped = RunDirectory.pretrained(root)
    training = training_of(shipped)
    on_message(
        f"No finished run under {root}, so the network that ships with stockcast forecasts: trained on "
        f"{training.series} series up to the day before {training.border}; `stockcast train` makes one of your own."
    )
    return shipped


def training_of(run: RunDirectory) -> Training:
    """Return what the run that ships was trained on; RunError if its files do not state it."""
    series, path = run.trained_on(), run.config_path()
    try:
        border = yaml.parse_mapping(yaml.read(path), source=str(path))[0]["split"]["test"]
    except (ConfigError, KeyError, TypeError) as error:
        raise damaged(run.path / CONFIG, f"it has no date for split.test ({error})") from error
    days = [each.first for each in series if each.first]
    if not days:
        raise damaged(run.path / MANIFEST, "it does not state the first day of any series")
    return Training(len(series), min(days), str(border))


def refuse_pretrained(path: Path, why: str) -> None:
    """Refuse the run that ships for what needs the price files of its training; `why` is the rest of the sentence."""
    if is_in_package(path):
        raise RunError(
            f"{PRETRAINED} ships with stockcast without the price files that it was trained on, so {why}.", file=path
        )
