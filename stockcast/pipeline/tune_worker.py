"""A process that works on a study: python -m stockcast.pipeline.tune_worker FOLDER.

`tune.py` starts several, each on one core, and holds their standard input, with which they end. The order states how
many trials the study is to have, and for how many seconds trials may begin. It sends a message for each trial, or for
the error that ended it.
"""

import sys
import time
from dataclasses import asdict
from math import inf
from pathlib import Path

from stockcast.errors import StockcastError
from stockcast.execution.parent import Parent, error_message
from stockcast.models.backend import processors, share_threads
from stockcast.pipeline.tuning_study import StudyFolder, work
from stockcast.tuning.study import TrialRecord


def main(path: Path) -> None:
    """Work on the study in a folder until it has as many trials as the parent sends."""
    parent = Parent()
    order = parent.receive()
    share_threads(processors())  # one core each

    def on_trial(trial: TrialRecord, done: int) -> None:
        parent.send({"trial": asdict(trial), "done": done})

    try:
        seconds = inf if order["seconds"] is None else order["seconds"]
        work(StudyFolder.read(path), order["trials"], until=time.monotonic() + seconds, on_trial=on_trial)
    except StockcastError as error:
        parent.send(error_message(error))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
