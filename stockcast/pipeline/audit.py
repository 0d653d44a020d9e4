"""The leak audit: change what comes after a day, run everything again, and see that nothing before it moved.

The real pipeline trains and forecasts on copies of a run's price files, once on unchanged ones and then on copies whose
rows after a cut-off are altered. Whatever may know only the days up to the cut-off must come out equal to the last bit.
It proves nothing about choices that people made with the test days in sight, such as the number of layers.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import pandas as pd

from stockcast.config import Config, load_config
from stockcast.data.csvfile import Rows, counted, read_rows
from stockcast.data.prices import COLUMNS
from stockcast.data.splits import split_at
from stockcast.errors import NotEnoughDays, RunError, StockcastError
from stockcast.forecast import Days, Floats
from stockcast.models.inference import load_onnx
from stockcast.pipeline.series import (
    Say,
    Series,
    first_lesson,
    issue,
    make_material,
    need,
    nobody,
    price_files,
    read,
    stored_calibration,
    stored_scalers,
)
from stockcast.pipeline.training import train
from stockcast.runs import CALIBRATION, HISTORY, SCALER, WEIGHTS, RunDirectory

Result = Literal["identical", "changed", "not applicable"]

RAW = "forecasts before calibration"


@dataclass(frozen=True)
class Check:
    """One thing that may know only the days up to the cut-off, after the rows behind it were altered.

    Attributes:
        cut: last day whose row was left as it is.
        alteration: what was done to the later rows, a key of `ALTERATIONS`.
        what: a file of the run, or the forecasts.
        result: `changed` is a leak; `not applicable` where the altered files have too few days to train on.
        detail: the first difference, or why it is not applicable; None if identical.
    """

    cut: date
    alteration: str
    what: str
    result: Result
    detail: str | None = None

    def sentence(self) -> str:
        """Say what happened."""
        rows = f"rows after {self.cut} {ALTERATIONS[self.alteration].done}"
        if self.result == "identical":
            return f"{self.what} stayed the same when {rows}."
        if self.result == "changed":
            return f"{self.what} changed when {rows}: {self.detail}."
        return f"{self.what} not applicable when {rows}: {self.detail}"


@dataclass(frozen=True)
class Audit:
    """What `audit` found.

    Attributes:
        run: name of the run whose config and price files were audited.
        epochs: passes that each network was trained for.
        seed: of the cut-offs and the alterations.
        reruns: trainings on altered copies.
        checks: in the order in which they were made.
    """

    run: str
    epochs: int
    seed: int
    reruns: int
    checks: tuple[Check, ...]

    @property
    def leaks(self) -> tuple[Check, ...]:
        """What changed and must not."""
        return self._with("changed")

    @property
    def passed(self) -> bool:
        """Whether nothing changed, and at least something could be checked."""
        return not self.leaks and bool(self._with("identical"))

    def summary(self) -> list[str]:
        """Say in a few lines what was done and what held."""
        days = [check.cut for check in self.checks]
        lines = [
            f"{self.run}: {counted(self.reruns, 'rerun')} with altered rows after {min(days)} to {max(days)}, networks "
            f"trained for {counted(self.epochs, 'epoch')} only, seed {self.seed}."
        ]
        applied = [check for check in self.checks if check.result != "not applicable"]
        for what in dict.fromkeys(check.what for check in applied):
            results = [check.result for check in applied if check.what == what]
            lines.append(f"  {what}: {results.count('identical')} of {len(results)} identical")
        lines += [f"  {check.sentence()}" for check in self._with("not applicable")]
        if self.passed:
            lines.append("No leak found: what may know only the days up to a cut-off did not notice the rows after it.")
        return lines

    def failure(self) -> str | None:
        """Say what leaked, or that nothing could be checked; None if the audit passed."""
        if self.passed:
            return None
        if not self.leaks:
            return (
                "No rerun had the days to train on, so nothing was checked. Give --cuts or --seed another value, or "
                "audit a run on a longer file."
            )
        return "\n".join(
            [
                f"Leak found in {self.run}: days after a cut-off changed what came before.",
                *map(Check.sentence, self.leaks),
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values for --json."""
        return {**asdict(self), "checks": [{**asdict(one), "cut": str(one.cut)} for one in self.checks],
                "passed": self.passed}  # fmt: skip

    def _with(self, result: Result) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.result == result)


def audit(run: RunDirectory, *, cuts: int = 8, epochs: int = 1, seed: int = 0, say: Say = nobody) -> Audit:
    """Rerun the pipeline on copies whose rows after a cut-off are altered, and compare with unchanged copies.

    Each cut-off is tried with one of `ALTERATIONS` in turn. The first four cut-offs are drawn from the days of the
    test part, the next four from those of the calibration part, and so on; the last day of the part before counts as
    its first, for that is the first cut-off at which the part before must not change.

    Up to every cut-off, the scalers, the history (so early stopping) and the weights must be the same. Where the
    cut-off lies in the test part, so must calibration.json and every forecast from an origin up to the cut-off, made
    and adapted as `evaluate` makes it. Where it lies in the calibration part, bands may depend on later days of that
    part, so the forecasts are compared before they are calibrated.

    Args:
        run: a finished run; its config and its price files are used, its networks are not, and nothing in it changes.
        cuts: how many cut-offs, each with a training of its own.
        epochs: passes of each training; a leak shows after one.
        seed: of the cut-offs and the alterations. The networks keep the seed of the run.
        say: told of each rerun.

    Raises:
        RunError: two trainings on the same files differ on this machine.
        StockcastError: the run is damaged, or its price files cannot be trained on any more.
    """
    config = load_config(run.config_path())
    config = config.model_copy(update={"training": config.training.model_copy(update={"epochs": epochs})})
    files = price_files(config)
    tables = [read_rows(path) for path in files]
    dates = np.unique(np.concatenate([read(config, path, nobody).dates for path in files]))
    _, _, calibration, test, _ = split_at(dates, **dict(config.split)).days
    random = np.random.default_rng(seed)

    with TemporaryDirectory(prefix="stockcast-audit-") as folder:
        bench = _Bench(config, files, tables, Path(folder))
        say(f"Rerun 1 of {cuts + 1}: on unchanged copies.")
        expected = bench.rerun(_unchanged)
        repeatable = False
        checks: list[Check] = []
        for number in range(cuts):
            name = list(ALTERATIONS)[number % len(ALTERATIONS)]
            in_test = number // len(ALTERATIONS) % 2 == 0
            # The last day is no cut-off: there would be no row to alter.
            day = random.integers(test - 1, len(dates) - 1) if in_test else random.integers(calibration - 1, test - 1)
            cut: date = dates[day].astype(object)
            say(f"Rerun {number + 2} of {cuts + 1}: rows after {cut} {ALTERATIONS[name].done}.")
            draws = np.random.default_rng((seed, number))
            try:
                found = bench.rerun(partial(_altered, config=config, alteration=name, cut=cut, random=draws))
            except NotEnoughDays as error:
                checks.append(Check(cut, name, "training", "not applicable", str(error)))
                continue
            except StockcastError as error:  # what a training may know has not changed, so it must not fail either
                checks.append(Check(cut, name, "training", "changed", f"it failed with {error}"))
                continue
            made = list(_compared(expected, found, cut, name, calibrated=in_test))
            if not repeatable and any(check.result == "changed" for check in made):
                say("Something changed: once more on unchanged copies, to tell a leak from chance.")
                _check_repeatable(expected, bench.rerun(_unchanged))
                repeatable = True
            checks += made
    return Audit(run.name, epochs, seed, cuts, tuple(checks))


# What comes out of a rerun, as numbers that can be compared.

Numbers = dict[tuple[str, str], Floats]
"""Under (name, ISO date of the last day that the numbers may depend on, or "" if any cut-off lies later)."""


@dataclass(frozen=True)
class _Bench:
    """Where reruns are made: a temporary folder, for every rerun a fresh one in it."""

    config: Config
    files: list[Path]
    tables: list[Rows]
    folder: Path

    def rerun(self, change: Callable[[Rows], list[list[str]]]) -> dict[str, Numbers]:
        """Write changed copies of all files, train on them and forecast; return each product by its name."""
        with TemporaryDirectory(dir=self.folder) as fresh:
            copies = []
            for number, (path, rows) in enumerate(zip(self.files, self.tables, strict=True)):
                copy = Path(fresh) / str(number) / path.name  # files of different folders may share a name
                copy.parent.mkdir()
                with copy.open("w", encoding="utf-8", newline="") as stream:
                    csv.writer(stream).writerows(change(rows))
                copies.append(copy)
            data = self.config.data.model_copy(update={"path": tuple(copies)})
            config = self.config.model_copy(update={"data": data})
            return _products(train(config, runs=Path(fresh) / "runs").run, config, copies)


def _products(run: RunDirectory, config: Config, files: list[Path]) -> dict[str, Numbers]:
    """Read what a training left, and forecast every series with it."""
    import h5py  # type: ignore[import-untyped]

    weights: Numbers = {}

    def collect(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            weights[name, ""] = item[()]

    # Arrays and not bytes: neither HDF5 nor ONNX files are the same twice, they hold times and counted names.
    with h5py.File(run.path / WEIGHTS) as stored:
        stored.visititems(collect)
    with (run.path / HISTORY).open(encoding="utf-8", newline="") as stream:
        epochs = list(csv.DictReader(stream))
    history = {
        (f"{column} of row {number}", ""): np.array(float(value))
        for number, epoch in enumerate(epochs, start=1)
        for column, value in epoch.items()
        if column != "seconds"  # the clock is no leak
    }
    products = {SCALER: _flat(run.scalers()), HISTORY: history, WEIGHTS: weights}
    if config.calibration != "none":
        products[CALIBRATION] = _flat(run.calibration())
    several = len(files) > 1
    for kind in ("forecasts", RAW):
        products[kind] = {
            (f"{f'{path.name} ({number}) ' if several else ''}{part} from {day}", str(day)): quantiles
            for number, path in enumerate(files, start=1)
            for part, day, quantiles in _forecasts(run, config, path, calibrated=kind == "forecasts")
        }
    return products


def _forecasts(
    run: RunDirectory, config: Config, path: Path, *, calibrated: bool
) -> Iterator[tuple[str, np.datetime64, Floats]]:
    """Forecast as `evaluate` does from every origin of the calibration and of the test part; yield (part, day, row).

    Unlike there, origins whose targets reach beyond the part or the file count too, for what is said from the cut-off
    itself must not change when all later rows are gone.
    """
    series = need(run, config, read(config, path, nobody))
    network, material = load_onnx(run.onnx_path()), make_material(config, series, *stored_scalers(run, config))
    closing = series.prices.dates
    # Only their number matters, so the days beyond the file need no exchange's calendar.
    dates = np.concatenate([closing, closing[-1] + np.arange(1, config.horizon + 1)])
    for part, origins in _origins(series, config).items():
        if not len(origins):
            continue
        forecast = issue(
            network,
            material,
            dates,
            origins,
            steps=config.horizon,
            calibration=stored_calibration(run, config) if calibrated else None,
            learn_from=first_lesson(config, series.prices),
        )
        for day, quantiles in zip(forecast.origin_dates, forecast.quantiles, strict=True):
            yield part, day, quantiles


def _origins(series: Series, config: Config) -> dict[str, Days]:
    """Every day from which the first target lies in the part, and for the test part the file's last day too."""
    _, _, calibration, test, end = series.split.days
    first = config.window - 1
    return {
        "calibration": np.arange(max(calibration - 1, first), test - 1),
        "test": np.arange(max(test - 1, first), end),
    }


def _compared(
    expected: dict[str, Numbers], found: dict[str, Numbers], cut: date, alteration: str, *, calibrated: bool
) -> Iterator[Check]:
    """Check each product that may know no more than the days up to the cut-off."""
    for what, numbers in expected.items():
        may_know_more = what in (CALIBRATION, "forecasts") and not calibrated
        if may_know_more or (what == RAW and calibrated):  # calibrated forecasts hold the raw ones
            continue
        difference = _first_difference(numbers, found.get(what, {}), until=str(cut))
        yield Check(cut, alteration, what, "changed" if difference else "identical", difference)


def _check_repeatable(first: dict[str, Numbers], second: dict[str, Numbers]) -> None:
    for what, numbers in first.items():
        if difference := _first_difference(numbers, second[what], until=str(date.max)):
            raise RunError(
                f"Two trainings on the same prices came out differently on this machine ({what}: {difference}), so a "
                f"leak cannot be told from chance. Audit on a CPU: set CUDA_VISIBLE_DEVICES to nothing."
            )


def _first_difference(before: Numbers, after: Numbers, *, until: str) -> str | None:
    """Name the first number that is not the same to the last bit, among those that know no day after `until`."""
    known, again = ({key: one[key] for key in one if key[1] <= until} for one in (before, after))
    for key in [*known, *(key for key in again if key not in known)]:
        name = key[0]
        if key not in again or key not in known:
            return f"{name} is there only {'before' if key in known else 'after'}"
        was, became = known[key], again[key]
        if was.shape != became.shape:
            return f"{name} had the shape {was.shape} and got {became.shape}"
        if was.tobytes() != became.tobytes():
            pairs = zip(np.ndindex(was.shape), was.ravel().tolist(), became.ravel().tolist(), strict=True)
            place, old, new = next(((at, x, y) for at, x, y in pairs if repr(x) != repr(y)), ((), "a NaN", "another"))
            return f"{name}{list(place) if place else ''} was {old} and became {new}"
    return None


def _flat(stored: dict[str, Any], prefix: str = "") -> Numbers:
    """The lists and numbers of a JSON document, each under its dotted name."""
    flat: Numbers = {}
    for name, value in stored.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}", ""] = np.array(value)
    return flat


# What is done to the rows after the cut-off.


def _unchanged(rows: Rows) -> list[list[str]]:
    return rows.cells


def _altered(rows: Rows, *, config: Config, alteration: str, cut: date, random: np.random.Generator) -> list[list[str]]:
    """Alter the rows after the cut-off and leave the text of every other row alone."""
    names = {name.lower().replace(" ", ""): name for name in ("Date", *COLUMNS)}
    header = [names.get(name.strip().lower().replace(" ", "").replace("_", "")) for name in rows.cells[0]]
    days = [_day(row[header.index("Date")], config.data.date_format) for row in rows.cells[1:]]
    later = [number for number, day in enumerate(days, start=1) if day > cut]
    if not later:
        return rows.cells
    places = {name: place for place, name in enumerate(header) if name and name != "Date"}
    bars = pd.DataFrame(
        {name: [_number(rows.cells[row][place]) for row in later] for name, place in places.items()}, index=later
    )
    # A day that stands twice stays the same twice, or the reader would refuse it.
    each, which = np.unique([days[row - 1] for row in later], return_inverse=True)
    changed = ALTERATIONS[alteration].apply(bars.copy(), lambda: random.random(len(each))[which], config.target.column)
    cells = [list(row) for row in rows.cells]
    for name, place in places.items():
        before, after = (one[name].to_numpy(dtype=np.float64) for one in (bars.loc[changed.index], changed))
        for row, was, became in zip(changed.index, before, after, strict=True):
            if became != was and not np.isnan(was):
                cells[row][place] = "" if np.isnan(became) else repr(float(became))
    gone = set(later) - set(changed.index)
    return [row for number, row in enumerate(cells) if number not in gone]


def _day(cell: str, date_format: str | None) -> date:
    """The date of a cell that the reader has read."""
    return datetime.strptime(cell.strip(), date_format or "%Y-%m-%d").date()


def _number(cell: str) -> float:
    """The number in a cell, NaN where it holds none; what the reader takes for missing stays as it is."""
    try:
        return float(cell.replace(",", ""))
    except ValueError:
        return float("nan")


Draw = Callable[[], Floats]
"""Random numbers from 0 to 1, one a row, the same for rows of the same day."""


@dataclass(frozen=True)
class Alteration:
    """A change of the later rows that the reader lets through.

    Attributes:
        done: what happened to the rows, in words.
        apply: bars of the later rows, random numbers and the column that is forecast, to the rows that are left, NaN
            where a cell is emptied.
    """

    done: str
    apply: Callable[[pd.DataFrame, Draw, str], pd.DataFrame]


def _noise(bars: pd.DataFrame, draw: Draw, column: str) -> pd.DataFrame:
    level = np.exp(4 * draw() - 2)  # from a seventh of the price to seven times it
    for name in {"Open", "High", "Low", "Close"} & set(bars.columns):
        bars[name] *= level
    # The day's shape changes too, or inputs that are ratios within a day would not notice.
    inside = {"Open": -0.1 + 0.2 * draw(), "High": 0.1 + 0.1 * draw(), "Low": -0.1 - 0.1 * draw()}
    for name, shift in inside.items():
        if name in bars:
            bars[name] *= np.exp(shift)  # a zero, a vendor's word for "missing", stays one
    # The highest stays highest: the open and the close may have lain beyond it by rounding, or by its shift.
    if {"High", "Low"} <= set(bars.columns):
        prices = bars[[name for name in ("Open", "High", "Low", "Close") if name in bars]]
        known = prices.where(prices > 0)
        bars["High"] = bars["High"].where(~(bars["High"] > 0), known.max(axis=1))
        bars["Low"] = bars["Low"].where(~(bars["Low"] > 0), known.min(axis=1))
    for name in ("Adj Close", "Volume"):  # another factor: adjustment and volume of their own
        if name in bars:
            bars[name] *= np.exp(4 * draw() - 2)
    return bars


def _times_1000(bars: pd.DataFrame, draw: Draw, column: str) -> pd.DataFrame:
    return bars * 1000


def _missing(bars: pd.DataFrame, draw: Draw, column: str) -> pd.DataFrame:
    """Empty half of the cells that may be empty, and a quarter of the closes, whose rows the reader then drops."""
    for name in ("Open", "High", "Low", "Volume"):
        emptied = draw() < 0.5
        if name in bars and name != column:  # a gap in the price that is forecast is refused
            bars[name] = bars[name].mask(emptied & (bars[name] > 0))
    bars["Close"] = bars["Close"].mask(draw() < 0.25)
    return bars


def _deleted(bars: pd.DataFrame, draw: Draw, column: str) -> pd.DataFrame:
    return bars[draw() < 0.5]


ALTERATIONS: dict[str, Alteration] = {
    "noise": Alteration("were multiplied by random factors", _noise),
    "times_1000": Alteration("were multiplied by 1000", _times_1000),
    "missing": Alteration("lost cells at random", _missing),
    "deleted": Alteration("were deleted, each with probability one half", _deleted),
}
