"""One price file, ready for a network; and a network's answers, dated and calibrated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stockcast.config import Config
from stockcast.data.bars import Feedback
from stockcast.data.calendar import check_calendar, misfit
from stockcast.data.features import FEATURES, make_features
from stockcast.data.health import examine
from stockcast.data.market import Market
from stockcast.data.prices import Prices, read_prices
from stockcast.data.scaling import Scaler, fit_scaler
from stockcast.data.splits import Part, Split, split_at
from stockcast.data.targets import Target, fit_target
from stockcast.data.volatility import daily_variance, volatility
from stockcast.errors import DataError, RunError
from stockcast.evaluation.adaptive import LEARNT_FROM, adapted_factors
from stockcast.evaluation.baselines import Question
from stockcast.evaluation.calibration import Calibration, Stretch, stretched
from stockcast.forecast import LEVELS, Dates, Days, Floats, Forecast
from stockcast.material import Answered, Material
from stockcast.models.inference import Network

Say = Callable[[str], None]


def nobody(*_: object) -> None:
    """Who is told when the caller names nobody."""


@dataclass(frozen=True)
class Series:
    """One price file as numbers.

    Attributes:
        prices: its bars.
        closes: the price that is forecast and judged, shape (days,).
        answers: prices that the network answers: the closes, or where several columns are forecast (days, columns).
        unit: volatility that log returns are answered in, shape (days,); None for the training days' own.
        split: its days divided at the config's dates; a part that it does not reach is empty.
        market: of all series that the network learns from; None where it does not look at it.
    """

    prices: Prices
    closes: Floats
    answers: Floats
    unit: Floats | None
    split: Split
    market: Market | None

    def inputs(self, config: Config) -> Floats:
        """Return what the network sees of every day, unscaled, shape (days, features)."""
        return make_features(self.prices, config.features, self.market)

    def question(self, config: Config, part: Part) -> Question:
        """Return what network and rivals are asked: every origin whose whole horizon lies in the part."""
        return Question(
            dates=self.prices.dates,
            closes=self.closes,
            origins=self.split.origins(part, window=config.window, horizon=config.horizon),
            horizon=config.horizon,
            training_days=self.split.part("training").stop,
        )


def price_files(config: Config) -> list[Path]:
    """Return the price files that the config names, those of a folder in the order of their names.

    Raises:
        DataError: a folder holds none.
    """
    files: list[Path] = []
    for path in config.data.path:
        inside = sorted(file for file in path.glob("*") if file.suffix.lower() == ".csv") if path.is_dir() else [path]
        if not inside:
            raise DataError(f"{path}: there is no CSV in this folder. Put price files there, or change data.path.")
        files += [file for file in inside if file not in files]
    return files


def open_prices(config: Config, path: Path) -> Prices:
    """Read one price file as the config says, and tell nobody."""
    check_calendar(config.data.calendar)
    settings = config.data
    return read_prices(
        path,
        reading=settings.reading,
        start=settings.start,
        end=settings.end,
        adjusted=config.target.adjusted,
    )


def read(config: Config, path: Path, say: Say) -> Prices:
    """Read one price file; tell what was mended in it, and whether its last year fits the exchange's calendar."""
    prices = open_prices(config, path)
    odd = misfit(prices.dates, calendar=config.data.calendar)
    for note in (*prices.notes, *([odd] if odd else [])):
        say(f"{path.name}: {note}.")
    return prices


def read_closely(config: Config, path: Path, say: Say) -> Prices:
    """Read one price file to learn from; tell what was mended and what looks odd in it, and note both."""
    prices = open_prices(config, path)
    health = examine(prices, calendar=config.data.calendar)
    noted = replace(prices, notes=(*prices.notes, *(finding.sentence for finding in health.findings)))
    for note in noted.notes:
        say(f"{path.name}: {note}.")
    return noted


def make_series(config: Config, prices: Prices, market: Market | None) -> Series:
    """Compute what the network answers, and check that there is what it sees; `config.split` must hold dates."""
    columns = config.target.names
    prices.require(sorted({*columns, *(column for name in config.features for column in FEATURES[name].needs)}))
    answers = prices.complete(columns)
    closes = answers[:, columns.index(config.target.column)]
    unit = volatility(daily_variance(prices.bars)) if config.target.scale == "volatility" else None
    split = split_at(prices.dates, **dict(config.split))
    return Series(prices, closes, answers if len(columns) > 1 else closes, unit, split, market)


def fit_scalers(config: Config, series: Sequence[Series], *, days: Sequence[slice]) -> tuple[Scaler, Target]:
    """Fit the inputs' scaler and the answers' unit on these days of each series, and on no others."""
    pairs = list(zip(series, days, strict=True))
    try:
        # Worked out here and once more for the network, one series after the other: kept, those of hundreds of series
        # would be most of the memory that a training takes.
        inputs = np.concatenate([one.inputs(config)[past].copy() for one, past in pairs])
        scaler = fit_scaler(inputs, kind=config.scaler, names=config.features)
    except DataError as error:
        still = all(np.ptp(one.closes[past]) == 0 for one, past in pairs)
        why = " Its closes never change on these days." if still else ""
        raise DataError(f"{', '.join(one.prices.source.name for one, _ in pairs)}: {error}{why}") from None
    # What is fed back needs its input's unit; elsewhere returns are best answered in their own deviations.
    own_unit = config.strategy == "direct" and config.target.transform == "log_return"
    units = (
        None if config.target.scale == "training" else [one.unit[past] for one, past in pairs if one.unit is not None]
    )
    target = fit_target(
        [one.answers[past] for one, past in pairs],
        transform=config.target.transform,
        kind="standard" if own_unit else config.scaler,
        units=units,
        columns=config.target.names,
        centred=config.head.classes is None,
    )
    return scaler, target


def make_material(config: Config, series: Series, scaler: Scaler, target: Target) -> Material:
    """Scale a series for the network."""
    feedback = None
    if config.strategy == "recursive" and len(target.columns) > 1:
        sources = [config.target.source(name) for name in config.features]
        feedback = Feedback(target, scaler, tuple(name for name in sources if name))  # the config has one for each
    return Material(
        prices=series.answers,
        # single precision, as the network takes them, and half the memory
        scaled=scaler.transform(series.inputs(config)).astype(np.float32),
        target=target,
        unit=series.unit,
        window=config.window,
        steps=config.steps,
        recursive=config.strategy == "recursive",
        head=config.head,
        feedback=feedback,
    )


def first_lesson(config: Config, prices: Prices) -> int | None:
    """Return the day from which on adaptive bands learn, the same whichever origin is asked for: of calibration."""
    if config.calibration != "adaptive":
        return None
    return int(np.searchsorted(prices.dates, np.datetime64(str(config.split.calibration))))


def issue(
    network: Network,
    material: Material,
    dates: Dates,
    origins: Days,
    *,
    steps: int,
    calibration: Calibration | Stretch | None,
    learn_from: int | None,
    levels: Floats = LEVELS,
    answered: Answered | None = None,
) -> Forecast:
    """Forecast from consecutive origins; no row uses a price after its own origin.

    Args:
        network: inputs to outputs.
        material: the series, ready for it.
        dates: of all days and of the `steps` sessions after the last, datetime64[D], shape (days + steps,).
        origins: consecutive days, oldest first.
        steps: days ahead.
        calibration: what the calibration days showed; None leaves the network's own bands.
        learn_from: the day from which on the bands also learn, day by day, from what came before each origin; None
            for bands that do not.
        levels: of the quantiles.
        answered: what the network has said of days past, so that it need not be asked again.

    Raises:
        RunError: the forecast has no numbers, or none above 0, so the scalers or the calibration are damaged.
    """
    first = origins[0] if learn_from is None else min(origins[0], max(material.window - 1, learn_from))
    issued = np.arange(first, origins[-1] + 1)
    targets = issued[:, None] + np.arange(1, steps + 1)
    if answered is None:
        outputs = material.outputs(network, issued, steps=steps)
    else:
        outputs = answered.and_now(network, material, dates, issued, steps=steps)

    def forecast(rows: slice, levels: Floats) -> Forecast:
        said = Forecast(
            origin_dates=dates[issued[rows]],
            target_dates=dates[targets[rows]],
            levels=levels,
            quantiles=material.quantiles(outputs[rows], issued[rows], levels),
            last_close=material.closes[issued[rows]],
        )
        if calibration is not None:
            with np.errstate(over="ignore", invalid="ignore"):  # told below
                said = calibration.apply(said)
        if not (np.isfinite(said.quantiles) & (said.quantiles > 0)).all():
            raise RunError(
                "The forecast is beyond all numbers: scaler.json or calibration.json is damaged. Train again."
            )
        return said

    asked = slice(origins[0] - first, None)
    if learn_from is None:
        final = forecast(asked, levels)
    else:
        # Learning looks at one band: the quantiles of a Student-t take most of the time of a single forecast.
        band = levels if isinstance(calibration, Calibration) else LEARNT_FROM
        known = np.concatenate([material.closes, np.full(steps, np.nan)])
        factors = adapted_factors(forecast(slice(None), band), known[targets])
        final = stretched(forecast(asked, levels), factors[asked])
    # Last, so that the day's range holds the very median that is written.
    return replace(final, others=material.others(outputs[asked], issued[asked], final.median))
