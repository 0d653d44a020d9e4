"""The price files that paths name: files, and those in folders."""

from collections.abc import Sequence
from pathlib import Path

from stockcast.data.csv.options import FILE_ENDINGS, STDIN, is_price_file
from stockcast.errors import DataError
from stockcast.inputs import located


def files_in(folder: Path, *, key: str) -> list[Path]:
    """Return a folder's price files in the order of their names; DataError if there is none, with the key to change."""
    names = (file.name for file in located(folder).glob("*") if not file.name.startswith("."))  # hidden: half written
    files = sorted(folder / name for name in names if is_price_file(name))
    if not files:
        raise DataError(
            f"{folder}: no price file in this folder ({', '.join(FILE_ENDINGS)}). Put price files there, or change "
            f"{key}.",
            file=folder,
            key=key,
        )
    return files


def files_of(paths: Sequence[Path], *, key: str) -> list[Path]:
    """Return the price files among paths and in folders, each once.

    Raises:
        DataError: a folder has no price file, or standard input stands beside others.
    """
    if len(paths) > 1 and STDIN in paths:
        message = "Standard input cannot be taken beside others. Save it as a file."
        raise DataError(message, key=key, value=str(STDIN))
    files: dict[Path, Path] = {}
    for path in paths:
        for file in files_in(path, key=key) if located(path).is_dir() else [path]:
            files.setdefault(file.resolve(), file)
    return list(files.values())
