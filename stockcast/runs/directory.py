"""A run: found or made by its name, finished by its manifest."""

import contextlib
import errno
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stockcast.errors import RunError
from stockcast.runs.files import now
from stockcast.runs.names import BEGUN, EVENTS, MANIFEST, is_passing
from stockcast.runs.outcomes import OutcomeFiles
from stockcast.runs.trained import TrainedFiles
from stockcast.runs.underway import Underway
from stockcast.untrusted import lies_within, sha256


class RunDirectory(TrainedFiles, OutcomeFiles):
    """One run: `path` is its directory."""

    @classmethod
    def create(cls, root: Path, *, config_name: str, name: str | None) -> "RunDirectory":
        """Make the directory of a new run: `name`, or the config's name and the time of day in UTC.

        Raises:
            RunError: the name is taken or no plain name, or the directory cannot be written.
        """
        cls.check_name(name)
        stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        names = (
            [name]
            if name is not None
            else [f"{config_name}-{stamp}", *(f"{config_name}-{stamp}-{n}" for n in range(2, 100))]
        )
        for candidate in names:
            path = root / candidate
            try:
                root.mkdir(parents=True, exist_ok=True)
            except OSError as error:  # FileExistsError: a file, or a link to nowhere
                reason = "Not a directory" if isinstance(error, FileExistsError) else error.strerror
                raise RunError(f"Cannot make the folder of runs {root}: {reason}. Choose another --runs.") from error
            try:
                path.mkdir()
            except FileExistsError:
                continue
            except OSError as error:
                other = "--name" if error.errno == errno.ENAMETOOLONG else "--runs"
                raise RunError(
                    f"Cannot make the run directory {path}: {error.strerror}. Choose another {other}."
                ) from error
            return cls(path)
        raise RunError(f"{root / names[-1]} exists. Choose another --name, or remove it.")

    @staticmethod
    def check_name(name: str | None) -> None:
        """Check that a run may be called so: it is a folder's name, an argument and a word in a line.

        Raises:
            RunError: it may not.
        """
        if name is not None and (
            not name or name != Path(name).name or name.startswith((".", "-")) or not name.isprintable()
        ):
            raise RunError(
                f"--name {name!r} must be a plain name, on one line and not beginning with a dot or a dash; choose the "
                f"folder with --runs."
            )

    @classmethod
    def find(cls, root: Path, run: str | None) -> "RunDirectory":
        """Return a finished run: by name under `root`, by path, or the newest one if `run` is None.

        Raises:
            RunError: there is none, or it is unfinished.
        """
        if run is None:
            created = {}
            for file in root.glob(f"*/{MANIFEST}"):
                if not lies_within(file.parent, root):  # a link to elsewhere: its owner may name that path
                    continue
                with contextlib.suppress(RunError):  # a damaged run does not stand in the way of the others
                    created[cls(file.parent)] = (cls(file.parent).manifest()["created"], file.parent.name)
            if not created:
                raise RunError(
                    f"No finished run in {root.absolute()}. Name the folder of your runs with --runs, or make one "
                    f"with: stockcast train"
                )
            return max(created, key=lambda found: created[found])
        path = path_of(root, run)
        if path is None:
            names = sorted(file.parent.name for file in root.glob(f"*/{MANIFEST}"))
            where = f"in {root.absolute()}, the folder that --runs names"
            there = f"Finished runs {where}: {', '.join(names)}." if names else f"There is no finished run {where}."
            raise RunError(f"No run named {run!r}. {there}")
        if not (path / MANIFEST).is_file():
            way = "Go on with `stockcast train --resume`" if (path / BEGUN).is_file() else "Train again"
            raise RunError(f"{path} is unfinished: it has no {MANIFEST}. {way}.")
        return cls(path)

    @classmethod
    def find_unfinished(cls, root: Path, run: str | None) -> "RunDirectory":
        """Return a run that was begun and not finished: by name under `root`, by path, or the newest if `run` is None.

        Raises:
            RunError: there is none.
        """
        if run is None:
            begun = [
                file
                for file in root.glob(f"*/{BEGUN}")
                if lies_within(file.parent, root) and not (file.parent / MANIFEST).exists()
            ]
            if not begun:
                raise RunError(
                    f"No unfinished run in {root.absolute()}: there is nothing to resume. Name the folder of your runs "
                    f"with --runs, or train without --resume."
                )
            return cls(max(begun, key=lambda file: file.stat().st_mtime_ns).parent)
        path = path_of(root, run)
        if path is None:
            raise RunError(
                f"No run named {run!r} in {root.absolute()}: there is nothing to resume. Name the folder of your runs "
                f"with --runs, or train without --resume."
            )
        if (path / MANIFEST).exists():
            raise RunError(f"{path} is finished: there is nothing to resume. Next: stockcast evaluate {path}")
        if not (path / BEGUN).is_file():
            raise RunError(f"{path} ended before its training began: it has no {BEGUN}. Remove it and train again.")
        return cls(path)

    @property
    def name(self) -> str:
        """The directory's own name."""
        return self.path.resolve().name

    @property
    def underway(self) -> Underway:
        """What the run holds until its training is finished."""
        return Underway(self.path)

    def finish(self, manifest: dict[str, Any]) -> None:
        """Write run.json, last: what made the run, and the SHA-256 of every file in it."""
        names = {path: path.relative_to(self.path).as_posix() for path in self.path.rglob("*") if path.is_file()}
        kept = {path: name for path, name in sorted(names.items()) if not name.startswith(f"{EVENTS}/")}
        hashes = {name: sha256(path) for path, name in kept.items() if not is_passing(name)}
        self._write_json(MANIFEST, {"status": "finished", "created": now(), **manifest, "files": hashes})
        self.underway.tidy()

    def manifest(self) -> dict[str, Any]:
        """Return run.json.

        Raises:
            RunError: it is damaged.
        """
        return self.stated(MANIFEST)

    def learnt_from(self) -> list[dict[str, str]]:
        """Return name, path and SHA-256 of each price file that the run learnt from, the first one first.

        Raises:
            RunError: run.json does not say.
        """
        series = self.manifest().get("series")
        keys = ("name", "path", "sha256")
        if not (
            isinstance(series, list)
            and series
            and all(isinstance(one, dict) and all(isinstance(one.get(key), str) for key in keys) for one in series)
        ):
            raise RunError(f"{self.path / MANIFEST} is damaged: it does not say what the run learnt from. Train again.")
        return [{key: one[key] for key in keys} for one in series]


def path_of(root: Path, run: str) -> Path | None:
    """Return the directory of the run of this name under `root`, or at this path; None if there is none.

    Raises:
        RunError: it stands under `root` and is a link that leads out of it.
    """
    for path, named in ((root / run, True), (Path(run), False)):
        below = lies_within(path, root)
        if path.is_symlink() and not below and (named or path.parent.resolve() == root.resolve()):
            raise RunError(f"{path} leads out of {root}. If you trust what is there, give its own path.")
        if path.is_dir() and (below or not named or Path(run).is_absolute()):
            return path
    return None
