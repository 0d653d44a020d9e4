"""A process that scores series of a run, `python -m stockcast.pipeline.pool_worker RUN`.

`evaluate_pool.py` starts several by `execution/side_by_side.py`, which has the messages. The order states which series
there are, which days of them are scored, and how their files are read.
"""

import sys
from datetime import date
from pathlib import Path

from stockcast.errors import StockcastError
from stockcast.execution.parent import Parent
from stockcast.forecasting.predictor import Predictor
from stockcast.models.callbacks import Callbacks
from stockcast.pipeline.member_scores import score_member
from stockcast.pipeline.pool_members import members_of
from stockcast.pipeline.scored_series import ScoredDays
from stockcast.runs.directory import RunDirectory


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
            result = score_member(predictor, member, days, by_hash=by_hash, callbacks=callbacks)
        except StockcastError as error:
            result = {"name": member.name, "error": str(error)}
        parent.send({"done": number, **result})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
