"""A process that scores series of a run, `python -m stockcast.pipeline.pool_worker RUN`.

`evaluate_pool.py` starts several by `execution/side_by_side.py`, which has the messages. The order states which series
there are, which days of them are scored, and how their files are read.
"""

import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from stockcast.errors import RunError, StockcastError
from stockcast.execution.parent import Parent
from stockcast.forecasting.predictor import Predictor
from stockcast.models.callbacks import Callbacks
from stockcast.pipeline.evaluate import save_evaluation, score
from stockcast.pipeline.pool_members import Member, members_of, stored_scores
from stockcast.pipeline.scored_series import ScoredDays, ScoredSeries, read_scored
from stockcast.runs.directory import RunDirectory
from stockcast.runs.evaluations import stored_evaluation


def main(path: Path) -> None:
    """Score the series whose numbers the parent sends, until there are none."""
    parent = Parent()
    order = parent.receive()
    run = RunDirectory(path, order["apart"] and Path(order["apart"]))
    predictor = Predictor.load(run, overrides=order["overrides"])
    start = order["start"] and date.fromisoformat(order["start"])
    days = ScoredDays(order["part"], start, order["insist"])
    shared = set(order["shared_names"])
    callbacks = Callbacks(on_message=lambda message: parent.send({"message": message}))
    members = enumerate(members_of(predictor, [Path(file) for file in order["files"]]))
    parent.send({"ready": True})
    while True:
        number = parent.receive()["number"]
        member = next((member for place, member in members if place == number), None)
        if member is None:
            parent.send({"none": number})
            return
        parent.send({"begun": number, "name": member.name})
        try:
            by_hash = order["by_hash"] or member.name in shared
            result = _score(predictor, member, days, by_hash=by_hash, callbacks=callbacks)
        except StockcastError as error:
            result = {"name": member.name, "error": str(error)}
        parent.send({"done": number, **result})


def _score(
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


if __name__ == "__main__":
    main(Path(sys.argv[1]))
