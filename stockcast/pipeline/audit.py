"""The leak audit: change the rows after a day, run everything again, and compare what must not depend on them.

The pipeline trains and forecasts on copies of a run's price files, first unchanged and then with changed rows after a
cut-off. Whatever may depend only on the days up to the cut-off must be equal to the last bit. The audit proves nothing
about choices that people made with the test days in sight, such as the number of layers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np

from stockcast.config.load import load_config
from stockcast.config.schema import Config
from stockcast.data.csv.own_header import covariates_options
from stockcast.data.csv.plain import plain_rows
from stockcast.data.csv.table import PriceSource, Table
from stockcast.data.lookahead import find_lookahead
from stockcast.data.split import split_at
from stockcast.errors import NotEnoughDays, RunError, StockcastError
from stockcast.forecasting.reading import price_files, read_with, series_in
from stockcast.models.backend import without_advice
from stockcast.models.callbacks import SILENT, Callbacks
from stockcast.pipeline.perturbations import PERTURBATIONS, perturb, unchanged
from stockcast.pipeline.rerunner import FORECASTS, RAW, Numbers, Rerunner, first_difference, flat
from stockcast.runs import RunDirectory
from stockcast.runs.layout import CALIBRATION, SCALER
from stockcast.runs.shipped import refuse_pretrained
from stockcast.text import plural

Result = Literal["identical", "changed", "not applicable"]


@dataclass(frozen=True)
class Check:
    """A product that may depend only on the days up to the cut-off, after the later rows were changed.

    Attributes:
        cut: last day whose row is unchanged.
        perturbation: the change of the later rows, a key of `PERTURBATIONS`.
        what: a file of the run, or the forecasts.
        result: `changed` is a leak; `not applicable` where the changed files have too few days to train on.
        detail: the first difference, or why it is not applicable; None if identical.
    """

    cut: date
    perturbation: str
    what: str
    result: Result
    detail: str | None = None

    def sentence(self) -> str:
        """Return the check as a sentence."""
        rows = f"rows after {self.cut} {PERTURBATIONS[self.perturbation].done}"
        if self.result == "identical":
            return f"{self.what} stayed the same when {rows}."
        if self.result == "changed":
            return f"{self.what} changed when {rows}: {self.detail}."
        return f"{self.what} not applicable when {rows}: {self.detail}"

    def to_json(self) -> dict[str, Any]:
        """Return plain values for --json."""
        values = {"alteration" if name == "perturbation" else name: value for name, value in vars(self).items()}
        return {**values, "cut": str(self.cut)}


@dataclass(frozen=True)
class AuditReport:
    """The result of an audit.

    Attributes:
        run: name of the run whose config and price files were audited.
        epochs: that each network was trained for.
        seed: of the cut-offs and the perturbations.
        reruns: number of trainings on changed copies.
        checks: in the order of the reruns.
        lookahead: own columns that know the future, a sentence each: a leak in the files, which no rerun can show.
        foreign: what the run stores that its own training days do not give, a sentence each: a scaler of other days.
    """

    run: str
    epochs: int
    seed: int
    reruns: int
    checks: tuple[Check, ...]
    lookahead: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()

    @property
    def leaks(self) -> tuple[Check, ...]:
        """What changed and must not."""
        return self._with("changed")

    @property
    def passed(self) -> bool:
        """Whether nothing changed or is of other days, no own column knows the future, and something was checked."""
        return not self.leaks and not self.lookahead and not self.foreign and bool(self._with("identical"))

    def summary(self) -> list[str]:
        """Return in a few lines what was done, and what stayed the same."""
        days = [check.cut for check in self.checks]
        lines = [
            f"{self.run}: {plural(self.reruns, 'rerun')} with changed rows after {min(days)} to {max(days)}, networks "
            f"trained for {plural(self.epochs, 'epoch')} only, seed {self.seed}."
        ]
        applied = [check for check in self.checks if check.result != "not applicable"]
        for what in dict.fromkeys(check.what for check in applied):
            results = [check.result for check in applied if check.what == what]
            lines.append(f"  {what}: {results.count('identical')} of {len(results)} identical")
        lines += [f"  {check.sentence()}" for check in self._with("not applicable")]
        if self.passed:
            lines.append(
                "No leak found: what may depend only on the days up to a cut-off did not change with the rows after it."
            )
        return lines

    def failure(self) -> str | None:
        """Return what leaked, or that nothing could be checked; None if the audit passed."""
        if self.passed:
            return None
        if not self.leaks and not self.lookahead and not self.foreign:
            return (
                "No rerun had the rows to train on, so nothing was checked. Give --cuts or --seed another value, or "
                "audit a run on a longer file."
            )
        lines = [f"Leak found in the files of {self.run}:", *self.lookahead] if self.lookahead else []
        lines += [f"Leak found in the scalers of {self.run}:", *self.foreign] if self.foreign else []
        if self.leaks:
            lines += [f"Leak found in {self.run}: days after a cut-off changed what came before."]
        return "\n".join([*lines, *map(Check.sentence, self.leaks)])

    def to_json(self) -> dict[str, Any]:
        """Return plain values for --json."""
        return {**vars(self), "checks": list(map(Check.to_json, self.checks)), "passed": self.passed}

    def _with(self, result: Result) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.result == result)


def audit(
    run: RunDirectory, *, cuts: int = 8, epochs: int = 1, seed: int = 0, callbacks: Callbacks = SILENT
) -> AuditReport:
    """Rerun the pipeline on copies whose rows after a cut-off are changed, and compare with unchanged copies.

    Each cut-off is tried with one of `PERTURBATIONS` in turn. The first four are drawn from the days of the test part,
    the next four from those of the calibration part, and so on; the last day of the part before counts as the first.

    The scalers, the history (so early stopping) and the weights must always be the same. Where the cut-off lies in the
    test part, so must calibration.json and every forecast from an origin up to the cut-off, as `evaluate` makes it.
    Where it lies in the calibration part, bands may depend on later days of that part, so the forecasts are compared
    before they are calibrated.

    Args:
        run: a finished run; its config and its price files are used, its networks are not, and nothing in it changes.
        cuts: how many cut-offs, each with a training of its own.
        epochs: passes of each training; a leak shows after one.
        seed: of the cut-offs and the perturbations. The networks keep the seed of the run.
        callbacks: `on_message` is given each rerun.

    Raises:
        RunError: two trainings on the same files differ on this machine, or the run ships without its files.
        StockcastError: the run is damaged, or its price files cannot be trained on any more.
    """
    refuse_pretrained(run.path, "it cannot be audited. Name a run of your own")
    config = load_config(run.config_path())
    config = config.model_copy(update={"training": config.training.model_copy(update={"epochs": epochs})})
    sources = _trained_series(run, config)
    series = [read_with(config, source, trained=True) for source in sources]
    lookahead = [f"{prices.label}: {found.sentence}." for prices in series for found in find_lookahead(prices)]
    dates = np.unique(np.concatenate([prices.dates for prices in series]))
    tables = [plain_rows(source, options=config.csv_options) for source in sources]
    joined, how = config.data.covariates, covariates_options(config.csv_options)
    covariates = None if joined is None else plain_rows(joined, options=how)
    _, _, calibration, test, _ = split_at(dates, **dict(config.split)).days
    random = np.random.default_rng(seed)

    with TemporaryDirectory(prefix="stockcast-audit-") as folder, without_advice():
        rerunner = Rerunner(config, [prices.label for prices in series], tables, covariates, Path(folder))
        callbacks.on_message(f"Rerun 1 of {cuts + 1}: on unchanged copies.")
        expected = rerunner.rerun(unchanged)
        foreign = tuple(_other_scalers(expected[SCALER], flat(run.scalers())))
        repeatable = False
        checks: list[Check] = []
        for number in range(cuts):
            name = list(PERTURBATIONS)[number % len(PERTURBATIONS)]
            in_test = number // len(PERTURBATIONS) % 2 == 0
            # The last day is no cut-off: there would be no row to change.
            day = random.integers(test - 1, len(dates) - 1) if in_test else random.integers(calibration - 1, test - 1)
            cut: date = dates[day].astype(object)
            callbacks.on_message(f"Rerun {number + 2} of {cuts + 1}: rows after {cut} {PERTURBATIONS[name].done}.")
            draws = np.random.default_rng((seed, number))
            try:
                products = rerunner.rerun(partial(perturb, config=config, perturbation=name, cut=cut, random=draws))
            except NotEnoughDays as error:
                checks.append(Check(cut, name, "training", "not applicable", str(error)))
                continue
            except StockcastError as error:  # what a training may depend on has not changed, so it must not fail
                checks.append(Check(cut, name, "training", "changed", f"it failed with: {str(error).rstrip('.')}"))
                continue
            compared = list(_compare(expected, products, cut, name, calibrated=in_test))
            if not repeatable and any(check.result == "changed" for check in compared):
                callbacks.on_message(
                    "Something changed: repeated on unchanged copies, to distinguish a leak from chance."
                )
                _check_repeatable(expected, rerunner.rerun(unchanged))
                repeatable = True
            checks += compared
    return AuditReport(run.name, epochs, seed, cuts, tuple(checks), tuple(lookahead), foreign)


def _trained_series(run: RunDirectory, config: Config) -> list[PriceSource]:
    """Return what the run's series are read from: only those that it was trained on, of its files and within a file."""
    paths = {series.path for series in run.trained_on()}
    files = [path for path in price_files(config) if str(path) in paths]
    sources = [source for path in files for source in series_in(config, path)]
    tickers = {series.ticker for series in run.trained_on()}
    return [source for source in sources if not isinstance(source, Table) or source.ticker in tickers]


def _compare(
    expected: dict[str, Numbers], products: dict[str, Numbers], cut: date, perturbation: str, *, calibrated: bool
) -> Iterator[Check]:
    """Check each product that may depend only on the days up to the cut-off."""
    # Calibrated forecasts contain the raw ones; in the calibration part they may depend on later days.
    skipped = (RAW,) if calibrated else (CALIBRATION, FORECASTS)
    for what, numbers in expected.items():
        if what in skipped:
            continue
        difference = first_difference(numbers, products.get(what, {}), until=str(cut))
        yield Check(cut, perturbation, what, "changed" if difference else "identical", difference)


def _other_scalers(expected: Numbers, stored: Numbers) -> Iterator[str]:
    """Yield a sentence where the run's scalers are not those of its training days, but for the last digits."""
    for name, number in expected.items():
        own = stored.get(name)
        if own is None or own.shape != number.shape or not np.allclose(own, number, rtol=1e-6, atol=1e-12):
            was = "is missing" if own is None else f"is {own.tolist()}"
            yield f"{SCALER}: {name[0]} {was}, and the training days give {number.tolist()}."


def _check_repeatable(first: dict[str, Numbers], second: dict[str, Numbers]) -> None:
    for what, numbers in first.items():
        if difference := first_difference(numbers, second[what], until=str(date.max)):
            raise RunError(
                f"Two trainings on the same prices differ on this machine ({what}: {difference}), so a leak cannot be "
                f"distinguished from chance. Audit on a CPU: set CUDA_VISIBLE_DEVICES to nothing.",
                value=what,
            )
