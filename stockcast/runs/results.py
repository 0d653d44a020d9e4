"""What evaluate, predict and explain write into a finished run; run.json does not list these files."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.errors import RunError
from stockcast.limits import MAX_NETWORK_BYTES
from stockcast.runs.files import RunFiles
from stockcast.runs.layout import SOURCE, evaluation_folder, pool_folder, report_file
from stockcast.runs.safe_io import fault, parse_object, read_bytes
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
        self.write_text(f"{folder}/verdict.txt", "\n".join(verdict) + "\n")
        self.write_json(f"{folder}/metrics.json", metrics)
        return self.results / folder

    def write_pool(
        self, name: str, stated: dict[str, Any], *, rows: list[dict[str, Any]], verdict: Sequence[str]
    ) -> Path:
        """Store series.csv, verdict.txt (a sentence a line) and pool.json of several series; return their folder."""
        folder = pool_folder(name)
        self.write_table(f"{folder}/series.csv", rows)
        self.write_text(f"{folder}/verdict.txt", "\n".join(verdict) + "\n")
        self.write_json(f"{folder}/pool.json", stated)
        return self.results / folder

    def write_page(self, page: str, *, name: str, path: Path | None = None) -> Path:
        """Store a report, HTML, at a path; by default under its name inside the run; return where it is."""
        file = report_file(name) if path is None else path.absolute()
        self.write_text(file, page)
        return self.results / file

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

    def verdict(self) -> list[str] | None:
        """Return the verdict on the run's test days, a sentence each; None if there is none."""
        path = self.results / evaluation_folder("test") / "verdict.txt"
        with contextlib.suppress(RunError, UnicodeDecodeError):
            return printable(read_bytes(path, folder=self.results).decode("utf-8")).splitlines() or None
        return None

    def folder_for(self, name: str, content: str) -> Path:
        """Return a folder of results for some content, and note the content there.

        Args:
            name: of the folder, as `layout` has it. Where it holds results of other content, the first digits of this
                content's hash follow.
            content: `Prices.content_sha256` of what the results are made from.

        Raises:
            RunError: the disk does not allow it, or a link there leads out of the run.
        """
        for chosen in (name, f"{name}-{content[:8]}"):
            folder = self.own_folder(chosen)
            stated: Any = content
            with contextlib.suppress(RunError):
                if (folder / SOURCE).exists():
                    stated = parse_object(read_bytes(folder / SOURCE, folder=self.results), source=folder / SOURCE).get(
                        "content_sha256"
                    )
            if stated == content:
                break
        self.write_json(f"{chosen}/{SOURCE}", {"content_sha256": content})
        return folder

    def own_folder(self, name: str) -> Path:
        """Return a folder of results, by its name in `layout`; RunError if a link there leads out of the run."""
        folder = self.results / name
        self._refuse_link(folder)
        return folder
