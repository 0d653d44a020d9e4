"""One of the series of a run -> its stored evaluation, made anew only where the run does not have it."""

from dataclasses import replace
from typing import Any

from stockcast.errors import RunError
from stockcast.forecasting.predictor import Predictor
from stockcast.models.callbacks import Callbacks
from stockcast.pipeline.evaluate import save_evaluation, score
from stockcast.pipeline.pool_members import Member, stored_scores
from stockcast.pipeline.scored_series import ScoredDays, ScoredSeries, read_scored
from stockcast.runs.directory import RunDirectory
from stockcast.runs.evaluations import stored_evaluation


def score_member(
    predictor: Predictor, member: Member, days: ScoredDays, *, by_hash: bool, callbacks: Callbacks
) -> dict[str, Any]:
    """Score a series and store its evaluation, unless the run has it; return where it is."""
    notes: list[str] = []
    scored = read_scored(
        predictor, member.open(), days, by_hash=by_hash, callbacks=replace(callbacks, on_message=notes.append)
    )
    is_stored = _is_stored(predictor.run, scored)
    if not is_stored:
        for note in notes:
            callbacks.on_message(note)
        save_evaluation(predictor.run, score(predictor, scored, callbacks=callbacks), plot=False)
    return {
        "name": scored.name,
        "label": scored.label,
        "sha256": scored.prices.sha256,
        "ticker": scored.prices.ticker,
        "stored": is_stored,
    }


def _is_stored(run: RunDirectory, scored: ScoredSeries) -> bool:
    """Whether the run has this very evaluation, whole."""
    try:
        stored = stored_evaluation(run.results, scored.label)
        if stored is None or stored.metrics.get("fingerprint") != scored.fingerprint:
            return False
        stored_scores(run.results, scored.label, scored.name, stored)
    except RunError:  # damaged: it is scored again
        return False
    return True
