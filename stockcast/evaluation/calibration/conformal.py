"""Bands calibrated on days that neither trained the network nor stopped its training.

A point forecast gets bands (`fit_offsets`); the bands of a density forecast are scaled (`fit_scaling`).
calibration.json holds one of the two, `ConformalOffsets` or `ConformalScaling`; its "kind" is "offsets" or "factors".
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stockcast.errors import NotEnoughDays, RunError
from stockcast.forecast import Forecast
from stockcast.typing import Days, Floats

_FILE = "calibration.json"


@dataclass(frozen=True)
class ConformalOffsets:
    """Bands of a point forecast, by its errors on the calibration days.

    Attributes:
        levels: quantile levels, shape (levels,).
        offsets: added to the log of the median to give each quantile, shape (horizon, levels); 0 at the median.
        origins: number of calibration forecasts.
    """

    levels: Floats
    offsets: Floats
    origins: int

    def apply(self, forecast: Forecast) -> Forecast:
        """Return the forecast with the same median and every other quantile at its offset from it.

        Beyond the calibrated horizon, offsets grow with the root of the days ahead, as a random walk's do.

        Raises:
            RunError: the forecast has other levels.
        """
        if not np.array_equal(self.levels, forecast.levels):
            raise RunError(f"{_FILE} is for other quantile levels than this forecast has. Train again.", file=_FILE)
        steps = np.arange(1, forecast.horizon + 1)
        known = np.minimum(steps, len(self.offsets))
        offsets = self.offsets[known - 1] * np.sqrt(steps / known)[:, None]
        return replace(forecast, quantiles=np.exp(np.log(forecast.median)[:, :, None] + offsets))

    def to_json(self) -> dict[str, Any]:
        """Return plain numbers that `calibration_from_json` turns back bit for bit."""
        return {
            "kind": "offsets",
            "levels": self.levels.tolist(),
            "offsets": self.offsets.tolist(),
            "origins": self.origins,
        }


@dataclass(frozen=True)
class ConformalScaling:
    """How much wider or narrower a density forecast's bands are made to cover the calibration days.

    Attributes:
        factors: of the log distance between each quantile and the median, above 0, shape (horizon,); 1 changes nothing.
        origins: number of calibration forecasts, of all series together.
    """

    factors: Floats
    origins: int

    def apply(self, forecast: Forecast) -> Forecast:
        """Return the forecast with scaled bands; beyond the calibrated horizon, the last factor holds."""
        steps = np.minimum(np.arange(forecast.horizon), len(self.factors) - 1)
        return scale_bands(forecast, self.factors[steps])

    def shrunk(self, days: int) -> "ConformalScaling":
        """Return factors closer to 1, the fewer forecasts without overlap the calibration days hold.

        Of n = days / h such forecasts h days ahead, whatever the number of origins and of series, which are dependent,
        a factor keeps the share n / (n + `PRIOR_WEIGHT`) of its logarithm. At most a `YEAR` counts: on the years after
        them, factors of four years did no better than those of one.
        """
        count = min(days, YEAR) / np.arange(1, len(self.factors) + 1)
        return replace(self, factors=self.factors ** (count / (count + PRIOR_WEIGHT)))

    def to_json(self) -> dict[str, Any]:
        """Return plain numbers that `calibration_from_json` turns back bit for bit."""
        return {"kind": "factors", "factors": self.factors.tolist(), "origins": self.origins}


def calibration_from_json(stored: Any) -> ConformalOffsets | ConformalScaling:
    """Return what `to_json` stored; without a kind, as in older runs, it is offsets.

    Raises:
        RunError: it is neither.
    """
    try:
        kind, origins = stored.get("kind", "offsets"), int(stored["origins"])
        if kind == "factors":
            return ConformalScaling(_factors(stored), origins)
        if kind == "offsets":
            return ConformalOffsets(*_offsets(stored), origins)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise RunError(f"{_FILE} is damaged ({error}). Train again.", file=_FILE) from error
    raise RunError(f"{_FILE} is damaged: its kind is {kind!r}. Train again.", file=_FILE, value=kind)


def _offsets(stored: dict[str, Any]) -> tuple[Floats, Floats]:
    levels, offsets = np.array(stored["levels"], float), np.array(stored["offsets"], float)
    if levels.ndim != 1 or offsets.ndim != 2 or offsets.shape[1] != len(levels) or not np.isfinite(offsets).all():
        raise ValueError("offsets must be finite, one for each horizon and level")
    if not (np.diff(levels) > 0).all() or (np.diff(offsets, axis=1) < 0).any():
        raise ValueError("levels must increase, and offsets must not decrease with them")
    return levels, offsets


def _factors(stored: dict[str, Any]) -> Floats:
    factors = np.array(stored["factors"], float)
    if factors.ndim != 1 or not len(factors) or not np.isfinite(factors).all() or (factors <= 0).any():
        raise ValueError("factors must be finite and above 0, one for each horizon")
    return factors


MIN_ORIGINS = 19
"""Fewest calibration origins: the 95 % band, the widest in metrics.json, takes the largest of 19 errors. Bands of 98
and 99 % need more to be wider than that."""


def check_origins(count: int) -> None:
    """Raise NotEnoughDays where there are fewer calibration origins than the bands need."""
    if count < MIN_ORIGINS:
        raise NotEnoughDays(
            f"{count} calibration origins are too few for the bands; at least {MIN_ORIGINS} are needed. Use a longer "
            f"file, give split.calibration more bars, or lower the horizon.",
            key="split.calibration",
            value=count,
        )


def fit_offsets(forecast: Forecast, actual: Floats) -> ConformalOffsets:
    """Measure the bands of point forecasts by split conformal prediction.

    The ends of the central band of coverage p are at equal distances from the median, in log price: the
    ceil((n + 1) p)-th smallest of the n absolute errors on the calibration days (Lei, G'Sell, Rinaldo, Tibshirani &
    Wasserman 2018). Bands too wide for n errors, such as 99 % of fewer than 99, end at the largest error.

    Args:
        forecast: of the calibration origins.
        actual: actual prices, shape (origins, horizon).

    Raises:
        NotEnoughDays: see `check_origins`.
    """
    count = len(actual)
    check_origins(count)
    coverages = np.abs(2 * forecast.levels - 1)
    errors = np.sort(np.abs(np.log(actual / forecast.median)), axis=0)
    offsets = np.sign(forecast.levels - 0.5) * errors[_ranks(count, coverages) - 1].T
    offsets[:, np.isclose(forecast.levels, 0.5)] = 0.0
    return ConformalOffsets(forecast.levels, offsets, count)


COVERAGE = 0.9
"""Coverage of the central band that `fit_scaling` and `adapted_factors` calibrate."""

PRIOR_WEIGHT = 20
"""Forecasts without overlap that weigh as much as the prior belief that the network's own bands are right. Chosen on
the years 2004 to 2014, where a year's factors alone left bands of 50 days ahead covering 82 % (docs/experiments.md)."""

YEAR = 252
"""Trading days of a year."""

NO_WIDTH = 1e-12
"""A side of the band that is no wider than this, in log price, is a rounding error and no band."""


def fit_scaling(pairs: Iterable[tuple[Forecast, Floats]]) -> ConformalScaling:
    """Measure the factors of density forecasts by conformalized quantile regression.

    At each horizon, the factor is the ceil((n + 1) 0.9)-th smallest of the n factors that the calibration days needed
    (`needed_factors`), of all series together, as a network trained on many series is calibrated on all of them. The
    method is that of Romano, Patterson & Candes 2019, scaled by each forecast's own widths (CQR-r: Sesia & Candes 2020;
    Kivaranovic, Johnson & Leeb 2020).

    Only the 90 % band has guaranteed coverage, on days exchangeable with the calibration days; the other bands keep the
    forecast's shape and are scaled by the same factor.

    Forecasts without a band and days that have not come are left out. Neither depends on the outcome, so the guarantee
    holds for the forecasts that have a band. Of fewer than 9 left, the largest factor is taken; of none, or if the
    factor would be 0 as prices equal the median, it is 1.

    Args:
        pairs: one for each series, read one after the other: the forecast of its calibration origins, and actual
            prices, shape (origins, horizon), NaN where the day has not come. All have the same horizon.

    Raises:
        NotEnoughDays: see `check_origins`; the origins of all series count together.
    """
    needed = [needed_factors(forecast, actual) for forecast, actual in pairs]
    count = sum(map(len, needed))
    check_origins(count)
    # One horizon at a time: joining and sorting all of them would take three times the memory.
    factors = [_factor(np.concatenate([rows[:, step] for rows in needed])) for step in range(needed[0].shape[1])]
    return ConformalScaling(np.array(factors), count)


def _factor(needed: Floats) -> float:
    """Return the one of these factors, shape (days,), at the rank of the band; 1 where there is none above 0."""
    known = np.sort(needed[~np.isnan(needed)])
    factor = float(known[_ranks(len(known), COVERAGE) - 1]) if len(known) else 0.0
    return factor if factor > 0 else 1.0


def needed_factors(forecast: Forecast, actual: Floats) -> Floats:
    """Return the factors that would have put an end of the 90 % band at the actual price.

    That is max((m - y) / (m - l), (y - m) / (u - m)) in log price, with the median m, the band from l to u, and the
    price y: 0 at the median, 1 at an end of the band, above 1 outside it; NaN where `actual` is, and where a side of
    the band has no width. Unitless, shape (origins, horizon), as `actual`.
    """
    median = forecast.median
    lower, upper = forecast.band(COVERAGE)
    below, above = -np.log(lower / median), np.log(upper / median)
    has_band = (below > NO_WIDTH) & (above > NO_WIDTH)
    error = np.log(actual / median)
    needed: Floats = np.maximum(-error / np.where(has_band, below, np.nan), error / np.where(has_band, above, np.nan))
    return needed


def scale_bands(forecast: Forecast, factors: Floats) -> Forecast:
    """Multiply every quantile's log distance from the median, by factors of shape (horizon,) or (origins, horizon)."""
    median = forecast.median[:, :, None]
    return replace(forecast, quantiles=median * (forecast.quantiles / median) ** factors[..., None])


def _ranks(count: int, coverages: float | Floats) -> Days:
    """Rank, from 1, of the error among `count` at which a band of each coverage ends; at most `count`."""
    # 0.9 is 0.8999... in floating point; without the rounding, whole ranks would come out one too high.
    ranks: Days = np.ceil(np.round((count + 1) * coverages, 9)).astype(np.intp).clip(1, count)
    return ranks
