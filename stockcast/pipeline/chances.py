"""A forecast -> the chances of some prices by some days, and sample paths, as a value; and these as files."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stockcast.distribution.chances import By, Chances, chances
from stockcast.distribution.paths import SamplePaths, sample_paths
from stockcast.forecast import DirectionPrediction, Prediction
from stockcast.runs.directory import RunDirectory


@dataclass(frozen=True)
class ChanceReport:
    """What a forecast tells about some prices and days.

    Attributes:
        chances: of these prices and days; None where none are wanted.
        paths: None where none are wanted.
    """

    chances: Chances | None = None
    paths: SamplePaths | None = None

    @property
    def step(self) -> int | None:
        """How many bars ahead the last of its days is; None where there is none."""
        return None if self.chances is None else self.chances.risks[-1].step

    def sentences(self) -> list[str]:
        """Return a sentence for each chance and each value at risk."""
        return [] if self.chances is None else self.chances.sentences()

    def to_json(self) -> dict[str, Any]:
        """Return `chances` and `risk`, a row each as plain values; empty where none are wanted."""
        return {} if self.chances is None else {"chances": self.chances.rows(), "risk": self.chances.risk_rows()}


def find_chances(
    prediction: Prediction | DirectionPrediction,
    *,
    above: Iterable[float] = (),
    below: Iterable[float] = (),
    by: Iterable[By] = (),
    paths: int | None = None,
) -> ChanceReport:
    """Return the chances of prices above and below, on these days, and so many sample paths.

    Raises:
        StockcastError: as `chances` and `sample_paths`, or the forecast is of the direction.
    """
    above, below, by = list(above), list(below), list(by)
    if not (above or below or by or paths):
        return ChanceReport()
    found = chances(prediction, above=above, below=below, by=by) if above or below or by else None
    return ChanceReport(found, sample_paths(prediction, paths) if paths else None)


def save_chances(run: RunDirectory, report: ChanceReport, folder: Path) -> None:
    """Write chances.csv and risk.csv, and paths.csv and paths.npz, beside a forecast's table.

    Those of an earlier forecast in that folder go, as its table did.

    Raises:
        RunError: the disk or the folder does not allow it.
    """
    for name in ("chances.csv", "risk.csv", "paths.csv", "paths.npz"):
        run.remove_result(folder / name)
    if report.chances is not None:
        if rows := report.chances.rows():
            run.write_table(folder / "chances.csv", rows)
        run.write_table(folder / "risk.csv", report.chances.risk_rows())
    if report.paths is not None:
        run.write_table(folder / "paths.csv", report.paths.rows())
        run.write_arrays(folder / "paths.npz", report.paths.arrays())
