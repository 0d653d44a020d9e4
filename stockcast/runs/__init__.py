"""Runs on disk.

Every file is whole or not there; `run.json` comes last and holds the SHA-256 of every file, so that a run without it is
unfinished and a changed file is found out. Until then `begun.json` says what is being trained, and `checkpoints` hold
how far it has come.

`names.py` are the files' names, `files.py` how they are written and read. `directory.py` is a run as the pipeline knows
it, with what training leaves in `trained.py`, what is made with it in `outcomes.py`, and a training on its way in
`underway.py`; `forecasts.py` and `arrays.py` read back what holds many numbers; `condition.py`, `overview.py` and
`comparison.py` look at runs that may be anybody's.
"""

from stockcast.runs.directory import RunDirectory, path_of

__all__ = ["RunDirectory", "path_of"]
