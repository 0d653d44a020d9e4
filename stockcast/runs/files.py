"""The files of one run: whole or not there, known by their SHA-256, and never read or written through a link out."""

import contextlib
import csv
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockcast.errors import RunError
from stockcast.limits import MAX_NETWORK_BYTES, MAX_TEXT_BYTES
from stockcast.runs.layout import BEGUN, CLOSES, MANIFEST, ONNX, OUTPUTS, PARTIAL, PRETRAINED, WEIGHTS, is_in_package
from stockcast.runs.safe_io import damaged, is_plain_relative, lies_within, parse_object, read_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class RunFiles:
    """What every part of a run is read and written with.

    Attributes:
        path: the run's directory.
        apart: folder for what is written once the run is finished, where its own directory must stay as it is; None
            for its own.
    """

    path: Path
    apart: Path | None = None

    @property
    def results(self) -> Path:
        """The folder of what evaluate, predict and explain write."""
        return self.apart or self.path

    def stated(self, name: str) -> dict[str, Any]:
        """Return `run.json` or `begun.json`, which list the files of the run; RunError if it is damaged."""
        path = self.path / name
        stated = parse_object(read_bytes(path, folder=self.path), source=path)
        files, created = stated.get("files"), stated.get("created")
        if not (isinstance(files, dict) and isinstance(created, str)):
            raise damaged(path, "files or created is missing")
        if outside := [name for name in files if not is_plain_relative(name)]:
            raise damaged(path, f"it lists {outside[0][:80]!r}, outside the run")
        return stated

    def write_table(self, name: str | Path, rows: Iterable[dict[str, Any]]) -> None:
        """Store rows as CSV, `name` inside the run or an absolute path.

        Text that a spreadsheet would take for a formula has an apostrophe before it.
        """
        rows = iter(rows)
        first = next(rows)
        with self._replacing(name) as path, path.open("w", encoding="utf-8", newline="") as stream:
            table = csv.DictWriter(stream, fieldnames=list(first), lineterminator="\n")
            table.writeheader()
            table.writerows({key: as_cell(cell) for key, cell in row.items()} for row in chain([first], rows))

    def write_arrays(self, name: str | Path, arrays: dict[str, Any]) -> None:
        """Store arrays as npz, `name` inside the run or an absolute path."""
        import numpy as np

        with self._replacing(name) as path, path.open("wb") as stream:
            np.savez_compressed(stream, **arrays)

    def remove_result(self, path: Path) -> None:
        """Remove a file that a command wrote earlier, where there is one; RunError if it cannot be."""
        if path.is_relative_to(self.results):
            self._refuse_link(path.parent)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise RunError(f"Cannot remove {path}: {error.strerror}.", file=path) from error

    def write_plot(self, name: str, figure: "Figure", *, folder: str | Path = "plots") -> Path:
        """Store a picture as PNG, in a folder of the run or an absolute one, and return its path."""
        with self._replacing(Path(folder) / f"{name}.png") as path:
            figure.savefig(path, format="png")
        return self.results / folder / f"{name}.png"

    def write_text(self, name: str | Path, text: str) -> None:
        """Store text in UTF-8, `name` inside the run or an absolute path."""
        with self._replacing(name) as path:
            path.write_text(text, encoding="utf-8", newline="")

    def write_json(self, name: str, value: dict[str, Any]) -> None:
        """Store plain values as JSON, `name` inside the run."""
        self.write_text(name, json.dumps(value, indent=2, allow_nan=False) + "\n")

    @contextlib.contextmanager
    def _replacing(self, name: str | Path) -> Iterator[Path]:
        """Yield a temporary path that takes its place as `name`, in the run or an absolute path, at the block's end."""
        path = self.results / name  # an absolute name stays what it is
        if not self.path.is_dir():
            raise RunError(f"Cannot write {path}: the run's directory has vanished.", file=path)
        if is_in_package(path):
            raise RunError(
                f"Cannot write {path}: it would be inside the package. Choose another folder, or load the run by its "
                f"name, {PRETRAINED}.",
                file=path,
            )
        if path.is_relative_to(self.results):
            self._refuse_link(path.parent)
        with replacing(path) as partial:
            yield partial

    def _refuse_link(self, folder: Path) -> None:
        if not lies_within(folder, self.results):
            raise RunError(f"{folder} is a link that leads out of the run. Remove it.", file=folder)

    def _read(self, name: str) -> bytes:
        """Return a file's bytes once they are known to be what training wrote."""
        path = self.path / name
        expected = self.stated(MANIFEST if (self.path / MANIFEST).exists() else BEGUN)["files"].get(name)
        most = MAX_NETWORK_BYTES if name in (ONNX, WEIGHTS, OUTPUTS, CLOSES) else MAX_TEXT_BYTES
        content = read_bytes(path, folder=self.path, most=most)
        if hashlib.sha256(content).hexdigest() != expected:
            raise damaged(path, "it is not the file that training wrote (SHA-256)")
        return content

    def _has(self, name: str) -> bool:
        """Whether training wrote a file of this name, by the manifest; where it is gone since, reading it fails."""
        return name in self.stated(MANIFEST)["files"]

    def _read_json(self, name: str) -> dict[str, Any]:
        return parse_object(self._read(name), source=self.path / name)


def as_cell(cell: Any) -> Any:
    """Return a cell that no spreadsheet computes: a name from a file may be `=HYPERLINK(...)`."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def write_picture(path: Path, figure: "Figure") -> None:
    """Store a picture as PNG outside any run; its folder is made where it is missing.

    Raises:
        RunError: the disk or the folder does not allow it.
    """
    with replacing(path) as partial:
        figure.savefig(partial, format="png")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; when the block ends well, it is on the disk and takes `path`'s place.

    Raises:
        RunError: the disk or the folder does not allow it; what stood at `path` still stands.
    """
    make_folder(path.parent, advice="Choose another folder.")
    partial = path.with_name(f"{PARTIAL}{os.getpid()}-{path.name}")
    try:
        partial.unlink(missing_ok=True)  # of that name there may be a link to somewhere else
        yield partial
        _flush(partial)
        os.replace(partial, path)
        if os.name == "posix":  # the new name itself is on the disk only once the folder is
            _flush(path.parent)
    except OSError as error:
        raise RunError(f"Cannot write {path}: {error.strerror or error}.", file=path) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def make_folder(folder: Path, *, advice: str) -> None:
    """Make a folder and those above it, where they are missing.

    Raises:
        RunError: the disk does not allow it, or a file stands there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:  # FileExistsError: a file, or a link to nowhere
        reason = "a file has that name" if isinstance(error, FileExistsError) else error.strerror
        raise RunError(f"Cannot make the folder {folder}: {reason}. {advice}", file=folder) from error


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def now() -> str:
    """Return the time in UTC, ISO 8601 to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
