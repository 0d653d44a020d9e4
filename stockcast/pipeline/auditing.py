"""The leak audit: change what comes after a day, run everything again, and see that nothing before it moved.

The real pipeline trains and forecasts on copies of a run's price files, once on unchanged ones and then on copies whose
rows after a cut-off are altered. Whatever may know only the days up to the cut-off must come out equal to the last bit.
It proves nothing about choices that people made with the test days in sight, such as the number of layers.
"""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np

from stockcast.config import load_config
from stockcast.data.csvfile import counted
from stockcast.data.plain import plain_rows
from stockcast.data.splits import split_at
from stockcast.errors import NotEnoughDays, RunError, StockcastError
from stockcast.pipeline.alterations import ALTERATIONS, altered, unchanged
from stockcast.pipeline.rerun import FORECASTS, RAW, Bench, Numbers, first_difference
from stockcast.pipeline.series import Say, nobody, price_files, read
from stockcast.runs import RunDirectory
from stockcast.runs.names import CALIBRATION

Result = Literal["identical", "changed", "not applicable"]


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
    dates = np.unique(np.concatenate([read(config, path, nobody).dates for path in files]))
    tables = [plain_rows(path, reading=config.data.reading) for path in files]
    _, _, calibration, test, _ = split_at(dates, **dict(config.split)).days
    random = np.random.default_rng(seed)

    with TemporaryDirectory(prefix="stockcast-audit-") as folder, _without_advice():
        bench = Bench(config, files, tables, Path(folder))
        say(f"Rerun 1 of {cuts + 1}: on unchanged copies.")
        expected = bench.rerun(unchanged)
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
                found = bench.rerun(partial(altered, config=config, alteration=name, cut=cut, random=draws))
            except NotEnoughDays as error:
                checks.append(Check(cut, name, "training", "not applicable", str(error)))
                continue
            except StockcastError as error:  # what a training may know has not changed, so it must not fail either
                checks.append(Check(cut, name, "training", "changed", f"it failed with: {str(error).rstrip('.')}"))
                continue
            made = list(_compared(expected, found, cut, name, calibrated=in_test))
            if not repeatable and any(check.result == "changed" for check in made):
                say("Something changed: once more on unchanged copies, to tell a leak from chance.")
                _check_repeatable(expected, bench.rerun(unchanged))
                repeatable = True
            checks += made
    return Audit(run.name, epochs, seed, cuts, tuple(checks))


@contextlib.contextmanager
def _without_advice() -> Iterator[None]:
    """Hold back TensorFlow's advice against building one network after another, which is what an audit is."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _compared(
    expected: dict[str, Numbers], found: dict[str, Numbers], cut: date, alteration: str, *, calibrated: bool
) -> Iterator[Check]:
    """Check each product that may know no more than the days up to the cut-off."""
    for what, numbers in expected.items():
        may_know_more = what in (CALIBRATION, FORECASTS) and not calibrated
        if may_know_more or (what == RAW and calibrated):  # calibrated forecasts hold the raw ones
            continue
        difference = first_difference(numbers, found.get(what, {}), until=str(cut))
        yield Check(cut, alteration, what, "changed" if difference else "identical", difference)


def _check_repeatable(first: dict[str, Numbers], second: dict[str, Numbers]) -> None:
    for what, numbers in first.items():
        if difference := first_difference(numbers, second[what], until=str(date.max)):
            raise RunError(
                f"Two trainings on the same prices came out differently on this machine ({what}: {difference}), so a "
                f"leak cannot be told from chance. Audit on a CPU: set CUDA_VISIBLE_DEVICES to nothing."
            )
