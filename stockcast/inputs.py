"""Where the files that are read lie on this machine: at their own paths, or where a task brought them to.

A task can be done on a machine that does not have the files of the one that gave it out. Paths in configs, messages and
what is stored stay those of the latter; only who opens a file, or looks whether it is there, takes `located(path)`.
"""

import os
from pathlib import Path

BROUGHT_TO = "STOCKCAST_INPUTS"
"""Environment variable with the folder that holds what a task brought, each file below it at its own path."""


def located(path: Path) -> Path:
    """Return where a file or folder lies that a task may have brought; the path itself where none has."""
    folder = os.environ.get(BROUGHT_TO)
    if not folder:
        return path
    brought = inside(Path(folder), path)
    return brought if brought.exists() else path


def inside(folder: Path, path: Path) -> Path:
    """Return the place in a folder of brought files that is the path's."""
    return folder.joinpath(*path.absolute().parts[1:])
