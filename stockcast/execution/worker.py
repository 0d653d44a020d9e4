"""A process that trains some members of a run: python -m stockcast.execution.worker RUN MEMBER ...

`process.py` starts it and holds its standard input, with which it ends, so a killed training leaves nothing running.
Standard output carries a JSON object for each epoch, or for the error that ended the process.
"""

import json
import os
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from stockcast.config.load import load_config
from stockcast.errors import StockcastError
from stockcast.execution.members import fit_member
from stockcast.forecasting.training_data import build_training_data, check_unchanged, read_training_prices
from stockcast.models.callbacks import SILENT, Callbacks, EpochLog
from stockcast.runs.directory import RunDirectory, refused_of
from stockcast.runs.layout import BEGUN


def main(path: Path, members: list[int]) -> None:
    """Train these members of the run at `path`, from their last checkpoints on."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not get between the lines
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def on_epoch_end(epoch: EpochLog) -> None:
        print(json.dumps(asdict(epoch)), file=channel, flush=True)

    try:
        run = RunDirectory(path)
        stored = load_config(run.config_path())
        begun = run.checkpoints.begun()
        read = read_training_prices(stored, SILENT.on_message, already_refused=refused_of(begun, path / BEGUN))
        check_unchanged(run, begun, read.series)
        data = build_training_data(read.config, read.series)
        for member in members:
            fit_member(read.config, data, run, member, callbacks=Callbacks(on_epoch_end=on_epoch_end))
    except StockcastError as error:
        message = {"kind": type(error).__name__, "error": str(error), "fields": vars(error)}
        print(json.dumps(message, default=str), file=channel, flush=True)


def _end_with_parent() -> None:
    while os.read(0, 1024):  # not by sys.stdin, whose lock the end of the interpreter would wait for
        pass
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(member) for member in sys.argv[2:]])
