"""A process that trains some members of a run: python -m stockcast.execution.worker RUN MEMBER ...

`process.py` starts it and holds its standard input, with which it ends, so a killed training leaves nothing running.
It sends a message for each epoch, or for the error that ended it.
"""

import sys
from dataclasses import asdict
from pathlib import Path

from stockcast.config.load import load_config
from stockcast.errors import StockcastError
from stockcast.execution.members import fit_member
from stockcast.execution.parent import Parent, error_message
from stockcast.forecasting.training_data import build_training_data, check_unchanged, read_training_prices
from stockcast.models.callbacks import SILENT, Callbacks, EpochLog
from stockcast.runs.directory import RunDirectory, refused_of
from stockcast.runs.layout import BEGUN


def main(path: Path, members: list[int]) -> None:
    """Train these members of the run at `path`, from their last checkpoints on."""
    parent = Parent()

    def on_epoch_end(epoch: EpochLog) -> None:
        parent.send(asdict(epoch))

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
        parent.send(error_message(error))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(member) for member in sys.argv[2:]])
