"""A half-year of daily records, replayed: what a ledger shows of the run that ships, or of another one.

    python benchmarks/ledger.py [--run RUN] [--from 2020-06-11] [--to 2020-12-11] [--keep FOLDER]

On each session, files that end on that day are recorded with the time set to an hour after its close; then the whole
files are scored. The prices of ../shared/data are neither trained on after 2014 nor changed. Each entry is marked as
simulated: what is replayed is what the commands would have done day by day, not a proof of when. Markdown goes to
standard output.
"""

import argparse
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np

from stockcast.data.calendar import session_close, sessions_around
from stockcast.forecasting.predictor import Predictor
from stockcast.pipeline.ledger_record import record_pool
from stockcast.pipeline.ledger_score import score
from stockcast.runs.shipped import choose_run

FROM = "2008-01-01"
DATA = Path(__file__).parents[2] / "shared" / "data"


def main() -> None:
    """Read the options, and replay."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--run", help="name or path (default: the one that ships)", default="pretrained")
    arguments.add_argument("--from", dest="first", default="2020-06-11", help="first last day known")
    arguments.add_argument("--to", dest="last", default="2020-12-11", help="last one")
    arguments.add_argument("--keep", type=Path, help="folder that keeps the ledger (default: none)")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        replay(given.run, given.first, given.last, Path(given.keep or folder))


def replay(run: str, first: str, last: str, folder: Path) -> None:
    """Record each day, score the whole, and print both."""
    path = folder / "ledger.jsonl"
    cut, whole = folder / "prices", folder / "whole"
    rows_of = {file.name: _rows(file) for file in sorted(DATA.glob("*.csv"))}
    predictor = Predictor.load(choose_run(folder / "runs", run, source=DATA, on_message=print))
    days = sessions_around(np.datetime64(first), np.datetime64(last), calendar="XNYS")
    began = time.perf_counter()
    for day in days.between(np.datetime64(first), np.datetime64(last)):
        _write(cut, rows_of, until=str(day))
        record_pool(path, predictor, [cut], clock=partial(_hour_after, day))
    recorded = time.perf_counter() - began
    began = time.perf_counter()
    after = datetime.fromisoformat(last).replace(tzinfo=UTC) + timedelta(days=1)
    _write(whole, rows_of, until=last)
    found = score(path, [whole], clock=lambda: after)
    scored = time.perf_counter() - began
    print(f"{len(found.forecasts):,} forecasts in {recorded:.0f} s, {path.stat().st_size / 1e6:.1f} MB; ", end="")
    print(f"scored in {scored:.0f} s. Head: {found.lines} {found.head}\n")
    for sentence in [*found.revised, *found.verdict]:
        print(f"- {sentence}")


def _hour_after(day: np.datetime64) -> datetime:
    """Return an hour after the close of a session."""
    closes = session_close(day, calendar="XNYS")
    if closes is None:
        raise SystemExit(f"{day} is no session of XNYS")
    return closes + timedelta(hours=1)


def _rows(file: Path) -> list[str]:
    """Return the header of a price file, and its rows of the last years, which are all that a forecast needs."""
    header, *rows = file.read_text().splitlines(keepends=True)
    return [header, *(row for row in rows if row >= FROM)]


def _write(folder: Path, rows_of: dict[str, list[str]], *, until: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, (header, *rows) in rows_of.items():
        (folder / name).write_text("".join([header, *(row for row in rows if row[:10] <= until)]))


if __name__ == "__main__":
    main()
