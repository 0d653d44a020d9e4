"""A fold of a backtest -> an ordinary run that is trained on its past, with the scores of each series after it."""

import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from stockcast.config.load import parse_config
from stockcast.errors import DataError, StockcastError
from stockcast.forecasting.predictor import Predictor
from stockcast.models.backend import without_advice
from stockcast.models.callbacks import SILENT, Callbacks
from stockcast.pipeline.member_scores import score_member
from stockcast.pipeline.pool_members import members_of
from stockcast.pipeline.resume import resume
from stockcast.pipeline.scored_series import ScoredDays
from stockcast.pipeline.train import train
from stockcast.runs.directory import RunDirectory
from stockcast.runs.layout import BEGUN, MANIFEST


def run_fold(
    folder: Path,
    *,
    config: str,
    series: Collection[str] = (),
    on_message: Callable[[str], None] = SILENT.on_message,
) -> None:
    """Train the run at `folder` and score its test days; what is there already is kept, and a training goes on.

    Args:
        folder: of the run.
        config: YAML, with dates for the parts and absolute paths.
        series: names of the series that are scored; none for all.
        on_message: given a sentence where a training goes on.

    Raises:
        StockcastError: as `train` and `evaluate`; of several series, if none could be scored.
    """
    with without_advice():
        run = _trained(folder, config, on_message)
    predictor, failures, scored = Predictor.load(run), [], 0
    members = list(members_of(predictor, []))
    names = [member.name for member in members]
    for member in members:
        if series and member.name not in series:
            continue
        try:
            score_member(predictor, member, ScoredDays(), by_hash=names.count(member.name) > 1, callbacks=SILENT)
            scored += 1
        except StockcastError as error:  # a series may end before the fold's test days do
            failures.append(f"{member.name}: {error}")
    if not scored:
        reasons = "\n".join(failures[:10])
        raise DataError(f"None of {len(failures)} series could be scored in the fold {folder.name}:\n{reasons}")


def _trained(folder: Path, config: str, on_message: Callable[[str], None]) -> RunDirectory:
    """Return the finished run of a fold: as it is, from its last checkpoint on, or from the start."""
    chosen = parse_config(config, source=f"config of {folder.name}", folder=folder.parent)
    if (folder / MANIFEST).is_file():
        return RunDirectory(folder)
    if (folder / BEGUN).is_file():
        return resume(RunDirectory(folder), config=chosen, processes=1, callbacks=Callbacks(on_message=on_message))
    _remove_empty(RunDirectory(folder))
    return train(chosen, runs=folder.parent, name=folder.name, processes=1)


def _remove_empty(run: RunDirectory) -> None:
    """Remove the directory of a training that was killed before it began; RunError if another process is at it."""
    if run.path.is_dir():
        with run.checkpoints.locked():
            pass
        shutil.rmtree(run.path)
