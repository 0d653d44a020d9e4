"""A process that trains some members of a run: python -m stockcast.execution.worker RUN DESCRIPTOR MEMBER ...

`process.py` starts it and holds its standard input, with which it ends, so a killed training leaves nothing running.
The descriptor is of the open file that holds the windows; the first message says where they lie in it. It sends a
message for each epoch, or for the error that ended it.
"""

import sys
from dataclasses import asdict
from pathlib import Path

from stockcast.config.load import load_config
from stockcast.data.shared_windows import map_windows
from stockcast.errors import StockcastError
from stockcast.execution.members import fit_member
from stockcast.execution.parent import Parent, error_message
from stockcast.models.callbacks import Callbacks, EpochLog
from stockcast.runs.directory import RunDirectory


def main(path: Path, descriptor: int, members: list[int]) -> None:
    """Train these members of the run at `path`, from their last checkpoints on."""
    parent = Parent()

    def on_epoch_end(epoch: EpochLog) -> None:
        parent.send(asdict(epoch))

    try:
        run = RunDirectory(path)
        config = load_config(run.config_path())
        windows = map_windows(descriptor, parent.receive())
        for member in members:
            fit_member(config, windows, run, member, callbacks=Callbacks(on_epoch_end=on_epoch_end))
    except StockcastError as error:
        parent.send(error_message(error))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), [int(member) for member in sys.argv[3:]])
