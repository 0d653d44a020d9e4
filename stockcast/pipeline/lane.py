"""A process that trains some members of a run: python -m stockcast.pipeline.lane RUN MEMBER ...

Started by `members.py`, which holds its standard input: it ends when that does, so a killed training leaves nothing
running. Standard output carries one JSON object for each epoch, or for the error that ended it.
"""

import json
import os
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from stockcast.config import load_config
from stockcast.errors import StockcastError
from stockcast.models.training import Epoch
from stockcast.pipeline.members import fit_member
from stockcast.pipeline.preparation import make_lessons, prepare
from stockcast.pipeline.resuming import check_data
from stockcast.pipeline.series import nobody
from stockcast.runs import RunDirectory


def main(path: Path, members: list[int]) -> None:
    """Train these members of the run at `path`, from their last checkpoints on."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not get between the lines
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def tell(epoch: Epoch) -> None:
        print(json.dumps(asdict(epoch)), file=channel, flush=True)

    try:
        run = RunDirectory(path)
        config, series = prepare(load_config(run.config_path()), nobody)
        check_data(run, run.underway.begun(), series)
        lessons = make_lessons(config, series)
        for member in members:
            fit_member(config, lessons, run, member, pause=nobody, report=tell)
    except StockcastError as error:
        print(json.dumps({"kind": type(error).__name__, "error": str(error)}), file=channel, flush=True)


def _end_with_parent() -> None:
    while os.read(0, 1024):  # not by sys.stdin, whose lock the end of the interpreter would wait for
        pass
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(member) for member in sys.argv[2:]])
