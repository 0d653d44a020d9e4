"""The leak audit of a backtest: that of each fold's run, and that no fold was trained on days of its own test."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stockcast.config.load import load_config
from stockcast.errors import RunError
from stockcast.models.callbacks import SILENT, Callbacks
from stockcast.pipeline.audit import AuditReport, audit
from stockcast.runs.directory import RunDirectory
from stockcast.runs.layout import BACKTEST, FOLDS
from stockcast.runs.safe_io import damaged, is_plain_relative, parse_object, read_bytes


@dataclass(frozen=True)
class BacktestAudit:
    """The result of `audit_backtest`.

    Attributes:
        reports: of the folds, oldest first.
        misplaced: folds whose parts do not end where their test begins, or whose tests overlap; a sentence each.
    """

    reports: tuple[AuditReport, ...]
    misplaced: tuple[str, ...]

    def summary(self) -> list[str]:
        """Return the summaries of the folds below each other."""
        lines = [line for report in self.reports for line in report.summary()[: 1 if report.passed else None]]
        if self.failure() is None:
            lines.append("No leak found: what may depend only on the days up to a cut-off did not change after it.")
        return lines

    def failure(self) -> str | None:
        """Return what leaked; None if every fold passed."""
        lines = [*self.misplaced, *(failure for report in self.reports if (failure := report.failure()))]
        return "\n".join(lines) or None

    def to_json(self) -> dict[str, Any]:
        """Return plain values for --json."""
        return {
            "folds": [report.to_json() for report in self.reports],
            "misplaced": list(self.misplaced),
            "passed": self.failure() is None,
        }


def is_backtest(path: Path) -> bool:
    """Whether a path is the folder of a backtest's scores."""
    return (path / BACKTEST).is_file()


def audit_backtest(
    folder: Path, *, cuts: int = 8, epochs: int = 1, seed: int = 0, callbacks: Callbacks = SILENT
) -> BacktestAudit:
    """Audit the run of each fold, with its share of the cut-offs and at least one.

    Args:
        folder: what `save_backtest` returned.
        cuts: how many cut-offs in all folds together.
        epochs: as of `audit`.
        seed: of the first fold; of each further one it is one higher.
        callbacks: as of `audit`.

    Raises:
        StockcastError: as `audit`; or backtest.json is damaged.
    """
    path = folder / BACKTEST
    stated = parse_object(read_bytes(path, folder=folder), source=path)
    try:
        folds = [(str(fold["run"]), str(fold["cutoff"])) for fold in stated["folds"]]
    except (KeyError, TypeError) as error:
        raise damaged(path, f"it does not list its folds ({error})") from error
    if outside := [name for name, _ in folds if not is_plain_relative(name) or "/" in name]:
        raise damaged(path, f"it lists {outside[0][:80]!r}, which is no run beside it")
    runs = [RunDirectory.find(folder.resolve().parent / FOLDS, name) for name, _ in folds]
    misplaced = tuple(_misplaced(runs, [cutoff for _, cutoff in folds]))
    each = max(1, cuts // len(runs))
    reports = []
    for number, run in enumerate(runs):
        callbacks.on_message(f"Fold {number + 1} of {len(runs)}: {run.name}.")
        reports.append(audit(run, cuts=each, epochs=epochs, seed=seed + number, callbacks=callbacks))
    return BacktestAudit(tuple(reports), misplaced)


def _misplaced(runs: list[RunDirectory], cutoffs: list[str]) -> Iterator[str]:
    """Yield a sentence for each fold that was trained or calibrated on days from its cut-off on."""
    for run, cutoff in zip(runs, cutoffs, strict=True):
        split = run.manifest().get("split")
        if not isinstance(split, dict) or not all(isinstance(part, dict) for part in split.values()):
            raise RunError(f"{run.path}: run.json does not state its split.", file=run.path)
        border = load_config(run.config_path()).first_day("test")
        late = [name for name, part in split.items() if name != "test" and str(part.get("last")) >= cutoff]
        if late or str(border) != cutoff:
            yield (
                f"{run.name}: its cut-off is {cutoff}, but "
                f"{f'its {late[0]} days end after it' if late else f'its test begins on {border}'}."
            )
