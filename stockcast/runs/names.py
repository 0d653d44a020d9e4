"""What names a run: its directory's name, in full or abbreviated, or its path."""

import os
from pathlib import Path

from stockcast.errors import RunError
from stockcast.runs.layout import BEGUN, CONFIG, MANIFEST, PRETRAINED
from stockcast.runs.safe_io import lies_within
from stockcast.text import join_words, printable_name

_NAMES_SHOWN = 10


def is_run(path: Path) -> bool:
    """Whether a directory holds a run, or what is left of one."""
    return any(os.path.lexists(path / name) for name in (MANIFEST, BEGUN, CONFIG))


def entries(root: Path) -> list[Path]:
    """Return what lies in the folder of runs, by name; nothing hidden, as what is being removed is.

    Raises:
        OSError: the folder cannot be read.
    """
    return [path for path in sorted(root.iterdir()) if not path.name.startswith(".")] if root.exists() else []


def run_folders(root: Path, *, having: str | None = None) -> list[Path]:
    """Return the directories of the runs under `root`, of those alone that have a file of this name; no links out."""
    try:
        inside = entries(root)
    except OSError:
        return []
    runs = [path for path in inside if is_run(path) and lies_within(path, root)]
    return runs if having is None else [path for path in runs if (path / having).is_file()]


def path_of(root: Path, run: str, *, having: str | None = None) -> Path | None:
    """Return the directory of the run of this name under `root`, or at this path; None if there is none.

    A name may be abbreviated where only one run has a name that begins so; the name of a run in full always means that
    run. A link under `root` that leads out of it is refused.

    Args:
        root: folder of the runs.
        run: name or path.
        having: file that a run must have for an abbreviation to mean it, `run.json` for a finished one; where none of
            that beginning has it, any run may be meant.

    Raises:
        RunError: a link leads out, or several runs have names that begin so.
    """
    exact = _exact(root, run)
    if exact is not None and (is_run(exact) or lies_within(exact, root)):
        return exact
    found = _abbreviated(root, run, having)
    if len(found) > 1:
        names = [printable_name(path.name) for path in found]
        more = [f"{len(names) - _NAMES_SHOWN} more"] if len(names) > _NAMES_SHOWN else []
        raise RunError(
            f"{run!r} is the beginning of {len(names)} names of runs in {root.absolute()}: "
            f"{join_words([*names[:_NAMES_SHOWN], *more])}. Give more letters.",
            file=root,
            value=run,
        )
    return found[0] if found else exact


def _exact(root: Path, run: str) -> Path | None:
    for path, is_name in ((root / run, True), (Path(run), False)):
        below = lies_within(path, root)
        if path.is_symlink() and not below and (is_name or path.parent.resolve() == root.resolve()):
            raise RunError(f"{path} leads out of {root}. If you trust what is there, give its own path.", file=path)
        if path.is_dir() and (below or not is_name or Path(run).is_absolute()):
            return path
    return None


def _abbreviated(root: Path, run: str, having: str | None) -> list[Path]:
    """Return the runs whose names begin so; the name of the run that ships is never the beginning of another."""
    if not run or run == PRETRAINED or Path(run).name != run:
        return []
    found = [path for path in run_folders(root) if path.name.startswith(run)]
    return [path for path in found if having is not None and (path / having).is_file()] or found
