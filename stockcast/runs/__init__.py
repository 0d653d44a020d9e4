"""Runs on disk.

Every file is whole or not there; `run.json` comes last and holds the SHA-256 of every file, so that a run without it is
unfinished and a changed file is detected. Until then `begun.json` holds what is being trained, and `checkpoints/` where
each member stands.

`layout` names the files, `files` and `safe_io` write and read them. `directory` is a run as the pipeline knows it:
`artifacts` is what training writes, `results` what other commands write, `checkpoints` an unfinished training.
`forecasts` and `npz` read arrays. `integrity`, `listing` and `score_table` look at runs that anybody may have made.
"""

from stockcast.runs.directory import RunDirectory
from stockcast.runs.names import path_of

__all__ = ["RunDirectory", "path_of"]
