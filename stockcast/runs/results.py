"""What evaluate, predict and explain write into a finished run; run.json does not list these files."""

import contextlib
import csv
from collections.abc import Iterable, Sequence
from glob import escape
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.errors import RunError
from stockcast.limits import MAX_NETWORK_BYTES
from stockcast.runs.files import RunFiles
from stockcast.runs.layout import evaluation_folder, pool_folder
from stockcast.runs.safe_io import fault, read_bytes
from stockcast.text import printable
from stockcast.typing import Floats


class ResultFiles(RunFiles):
    """The part of a run that is made with its network."""

    def write_evaluation(
        self,
        label: str,
        metrics: dict[str, Any],
        *,
        verdict: Sequence[str],
        forecasts: dict[str, Any],
        losses: dict[str, Any],
    ) -> Path:
        """Store forecasts.npz, losses.npz, verdict.txt (a sentence a line) and, last, metrics.json.

        Returns:
            Their folder, of the label.
        """
        folder = evaluation_folder(label)
        for name, arrays in (("forecasts", forecasts), ("losses", losses)):
            with self._replacing(f"{folder}/{name}.npz") as path, path.open("wb") as stream:
                np.savez_compressed(stream, **arrays)
        self._write_text(f"{folder}/verdict.txt", "\n".join(verdict) + "\n")
        self.write_json(f"{folder}/metrics.json", metrics)
        return self.results / folder

    def write_paths(self, folder: Path, rows: Iterable[dict[str, Any]], *, arrays: dict[str, Any]) -> None:
        """Store sample paths as paths.csv, a row at a time as there may be millions, and paths.npz."""
        with self._replacing(folder / "paths.csv") as path, path.open("w", encoding="utf-8", newline="") as stream:
            rows = iter(rows)
            first = next(rows)
            table = csv.DictWriter(stream, fieldnames=list(first), lineterminator="\n")
            table.writeheader()
            table.writerow(first)
            table.writerows(rows)
        with self._replacing(folder / "paths.npz") as path, path.open("wb") as binary:
            np.savez_compressed(binary, **arrays)

    def write_pool(
        self, name: str, stated: dict[str, Any], *, rows: list[dict[str, Any]], verdict: Sequence[str]
    ) -> Path:
        """Store series.csv, verdict.txt (a sentence a line) and pool.json of several series; return their folder."""
        folder = pool_folder(name)
        self.write_table(f"{folder}/series.csv", rows)
        self._write_text(f"{folder}/verdict.txt", "\n".join(verdict) + "\n")
        self.write_json(f"{folder}/pool.json", stated)
        return self.results / folder

    def write_baseline(self, key: str, quantiles: Floats) -> None:
        """Store a baseline's quantiles, float32, for the next evaluation."""
        with self._replacing(f"rivals/{key}.npy") as path, path.open("wb") as stream:
            np.save(stream, quantiles)

    def baseline(self, key: str) -> Floats | None:
        """Return what `write_baseline` stored; None where it is missing or not whole."""
        path = self.results / "rivals" / f"{key}.npy"
        if fault(path, folder=self.results, most=MAX_NETWORK_BYTES):
            return None
        try:
            # Mapped, not loaded: a header that claims more than the file holds fails before anything is allocated.
            stored = np.lib.format.open_memmap(path, mode="r")
        except (OSError, ValueError, EOFError, TypeError, OverflowError, MemoryError, RecursionError):
            return None
        is_whole = stored.dtype == np.float32 and bool(np.isfinite(stored).all())
        return np.array(stored, dtype=np.float64) if is_whole else None

    def verdict(self, series: str | None = None) -> list[str] | None:
        """Return the verdict on the run's test days, a sentence each; None if there is none.

        Args:
            series: of another series than the run's first: its name in the evaluation's folder.
        """
        path = self.results / evaluation_folder("test" if series is None else f"test-{series}") / "verdict.txt"
        with contextlib.suppress(RunError, UnicodeDecodeError):
            return printable(read_bytes(path, folder=self.results).decode("utf-8")).splitlines() or None
        return None

    def later_verdicts(self, series: str | None = None) -> dict[str, list[str]]:
        """Return by first scored day, ISO, the verdicts on test days from a chosen one on; `series` as of `verdict`."""
        begin = "from-" if series is None else f"{series}-from-"
        folders = self.results.glob(escape(evaluation_folder(f"test-{begin}")) + "[0-9]*[0-9]")  # not -insisted
        days = sorted(path.name.rpartition("-from-")[2] for path in folders)
        found = {day: self.verdict(begin + day) for day in days}
        return {day: verdict for day, verdict in found.items() if verdict}

    def own_folder(self, name: str) -> Path:
        """Return a folder of results, by its name in `layout`; RunError if a link there leads out of the run."""
        folder = self.results / name
        self._refuse_link(folder)
        return folder
