"""Bands from days that neither trained the network nor stopped it.

A point forecast is given bands (`calibrate`: a Calibration of offsets); the bands of a density forecast are stretched
(`stretch`: a Stretch of factors). calibration.json holds one of the two and tells which by its "kind".
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stockcast.errors import NotEnoughDays, RunError
from stockcast.forecast import Days, Floats, Forecast


@dataclass(frozen=True)
class Calibration:
    """How far prices strayed from the median on the calibration days.

    Attributes:
        levels: quantile levels, shape (levels,).
        offsets: added to the log of the median to give each quantile, shape (horizon, levels); 0 at the median.
        origins: on how many forecasts it rests.
    """

    levels: Floats
    offsets: Floats
    origins: int

    def apply(self, forecast: Forecast) -> Forecast:
        """Return the forecast with its median kept and every other quantile put at its offset from it.

        Beyond the horizon that was calibrated, offsets grow with the root of the days ahead, as a random walk's do.

        Raises:
            RunError: the forecast has other levels.
        """
        if not np.array_equal(self.levels, forecast.levels):
            raise RunError("calibration.json is for other quantile levels than this forecast has. Train again.")
        steps = np.arange(1, forecast.horizon + 1)
        known = np.minimum(steps, len(self.offsets))
        offsets = self.offsets[known - 1] * np.sqrt(steps / known)[:, None]
        return replace(forecast, quantiles=np.exp(np.log(forecast.median)[:, :, None] + offsets))

    def to_json(self) -> dict[str, Any]:
        """Return plain numbers that `from_json` turns back bit for bit."""
        return {
            "kind": "offsets",
            "levels": self.levels.tolist(),
            "offsets": self.offsets.tolist(),
            "origins": self.origins,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Calibration":
        """Return the calibration that `to_json` stored; without a kind, as older runs have it, it is one of offsets.

        Raises:
            RunError: it is not what `to_json` writes.
        """
        try:
            levels, offsets = np.array(stored["levels"], float), np.array(stored["offsets"], float)
            calibration = cls(levels, offsets, int(stored["origins"]))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise RunError(f"calibration.json is damaged ({error}). Train again.") from error
        if stored.get("kind", "offsets") != "offsets":
            raise RunError(f"calibration.json is damaged: its kind is {stored['kind']!r}, not 'offsets'. Train again.")
        if levels.ndim != 1 or offsets.ndim != 2 or offsets.shape[1] != len(levels) or not np.isfinite(offsets).all():
            raise RunError("calibration.json is damaged: offsets must be finite, one for each horizon and level.")
        if not (np.diff(levels) > 0).all() or (np.diff(offsets, axis=1) < 0).any():
            raise RunError("calibration.json is damaged: levels must rise, and offsets must not fall with them.")
        return calibration


@dataclass(frozen=True)
class Stretch:
    """How much wider or narrower a density forecast's bands must be to have covered the calibration days.

    Attributes:
        factors: of the log distance between each quantile and the median, above 0, shape (horizon,); 1 changes nothing.
        origins: on how many forecasts it rests, of all series together.
    """

    factors: Floats
    origins: int

    def apply(self, forecast: Forecast) -> Forecast:
        """Return the forecast with its median kept and every other quantile at its stretched log distance from it.

        Beyond the horizon that was calibrated, the last factor holds.
        """
        steps = np.minimum(np.arange(forecast.horizon), len(self.factors) - 1)
        return stretched(forecast, self.factors[steps])

    def tempered(self, days: int) -> "Stretch":
        """Return factors drawn towards 1 where the calibration days hold few forecasts that do not overlap.

        A factor measured on `days` days rests on n = days / h independent stretches at h days ahead, whatever the
        number of origins and of series, which move together; it keeps the share n / (n + `DOUBT`) of its logarithm.
        No more days than a `YEAR` count: factors of four years carried over to the years that followed no better than
        those of one.
        """
        stretches = min(days, YEAR) / np.arange(1, len(self.factors) + 1)
        return replace(self, factors=self.factors ** (stretches / (stretches + DOUBT)))

    def to_json(self) -> dict[str, Any]:
        """Return plain numbers that `from_json` turns back bit for bit."""
        return {"kind": "factors", "factors": self.factors.tolist(), "origins": self.origins}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Stretch":
        """Return the stretch that `to_json` stored.

        Raises:
            RunError: it is not what `to_json` writes.
        """
        try:
            kind, factors = stored["kind"], np.array(stored["factors"], float)
            found = cls(factors, int(stored["origins"]))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise RunError(f"calibration.json is damaged ({error}). Train again.") from error
        if kind != "factors":
            raise RunError(f"calibration.json is damaged: its kind is {kind!r}, not 'factors'. Train again.")
        if factors.ndim != 1 or not len(factors) or not np.isfinite(factors).all() or (factors <= 0).any():
            raise RunError("calibration.json is damaged: factors must be finite and above 0, one for each horizon.")
        return found


def calibration_from_json(stored: dict[str, Any]) -> Calibration | Stretch:
    """Return what calibration.json holds, by its kind: "offsets" or "factors".

    Raises:
        RunError: it is neither.
    """
    if isinstance(stored, dict) and stored.get("kind") == "factors":
        return Stretch.from_json(stored)
    return Calibration.from_json(stored)


MIN_ORIGINS = 19
"""So many calibration origins carry a band of 95 %; the widest in metrics.json is one of 90 %."""


def check_origins(count: int) -> None:
    """Check that so many calibration origins can carry the bands.

    Raises:
        NotEnoughDays: they cannot.
    """
    if count < MIN_ORIGINS:
        raise NotEnoughDays(
            f"{count} calibration origins cannot carry the bands; it takes at least {MIN_ORIGINS}. Use a longer file, "
            f"give split.calibration more days, or lower the horizon."
        )


def calibrate(forecast: Forecast, actual: Floats) -> Calibration:
    """Measure the bands of point forecasts by split conformal prediction.

    The central band of coverage p reaches as far to both sides, in log price, as the ceil((n + 1) p)-th smallest of
    the n absolute errors on the calibration days (Lei, G'Sell, Rinaldo, Tibshirani & Wasserman 2018). Bands wider than
    n errors can carry, such as 99 % of fewer than 99, end at the largest error seen.

    Args:
        forecast: of the calibration origins.
        actual: what came, in price units, shape (origins, horizon).

    Raises:
        NotEnoughDays: fewer than `MIN_ORIGINS` origins.
    """
    count = len(actual)
    check_origins(count)
    coverages = np.abs(2 * forecast.levels - 1)
    errors = np.sort(np.abs(np.log(actual / forecast.median)), axis=0)
    offsets = np.sign(forecast.levels - 0.5) * errors[_ranks(count, coverages) - 1].T
    offsets[:, np.isclose(forecast.levels, 0.5)] = 0.0
    return Calibration(forecast.levels, offsets, count)


COVERAGE = 0.9
"""The central band that `stretch` and `adapt` hold to its promise."""

DOUBT = 20
"""So many stretches of days weigh as much as the belief that the network's own bands are right. Chosen on the years
2004 to 2014, where a year's factors untempered left bands of 50 days ahead covering 82 % (docs/experiments.md)."""

YEAR = 252
"""Trading days of a year."""

NO_WIDTH = 1e-12
"""A side of the band that is no wider than this, in log price, is rounding and not a band."""


def stretch(pairs: Iterable[tuple[Forecast, Floats]]) -> Stretch:
    """Measure the factors of density forecasts by conformalized quantile regression.

    At each horizon, the factor is the ceil((n + 1) 0.9)-th smallest of the n factors that the calibration days needed
    (`needed_factors`), those of all series together, as a network trained on many series is calibrated on them all.
    The method is that of Romano, Patterson & Candes 2019, scaled by each forecast's own widths (CQR-r: Sesia & Candes
    2020; Kivaranovic, Johnson & Leeb 2020).

    Theory promises the band of 90 % only, and on days exchangeable with the calibration's; the other bands keep the
    forecast's own shape and are wider or narrower by the same factor.

    Forecasts without a band are left out, as are days that have not come. Both are told without looking at the
    outcome, so the promise holds for the forecasts that have a band. Fewer than 9 left end at the largest; where none
    is left, and where the factor would be 0 because prices came out at the median, it is 1.

    Args:
        pairs: one of each series, taken one after the other: the forecast of its calibration origins, and what came, in
            price units, shape (origins, horizon), NaN where the day has not come. The horizon is the same in all, the
            origins need not be.

    Raises:
        NotEnoughDays: fewer than `MIN_ORIGINS` origins in all series together.
    """
    each = [needed_factors(forecast, actual) for forecast, actual in pairs]
    count = sum(map(len, each))
    check_origins(count)
    # One horizon at a time: joined and sorted, all of them would take the memory three times.
    factors = [_factor(np.concatenate([one[:, ahead] for one in each])) for ahead in range(each[0].shape[1])]
    return Stretch(np.array(factors), count)


def _factor(needed: Floats) -> float:
    """Return the one of these factors, shape (days,), that carries the band; 1 where none does."""
    known = np.sort(needed[~np.isnan(needed)])
    factor = float(known[_ranks(len(known), COVERAGE) - 1]) if len(known) else 0.0
    return factor if factor > 0 else 1.0


def needed_factors(forecast: Forecast, actual: Floats) -> Floats:
    """Return the factors that would have put an end of the 90 % band where the price came out.

    That is max((m - y) / (m - l), (y - m) / (u - m)) in log price, with the median m, the band from l to u, and the
    price y: 0 at the median, 1 at an end of the band, above 1 outside it.

    Args:
        forecast: density forecasts.
        actual: what came, in price units, shape (origins, horizon).

    Returns:
        Unitless, shape (origins, horizon); NaN where `actual` is, and where a side of the band has no width, for then
        no factor reaches all prices.
    """
    median = forecast.median
    lower, upper = forecast.band(COVERAGE)
    below, above = -np.log(lower / median), np.log(upper / median)
    has_band = (below > NO_WIDTH) & (above > NO_WIDTH)
    came = np.log(actual / median)
    needed: Floats = np.maximum(-came / np.where(has_band, below, np.nan), came / np.where(has_band, above, np.nan))
    return needed


def stretched(forecast: Forecast, factors: Floats) -> Forecast:
    """Return the forecast with every quantile's log distance from the median multiplied; the median stays as it is.

    Args:
        forecast: any.
        factors: above 0, shape (horizon,) or (origins, horizon).
    """
    median = forecast.median[:, :, None]
    return replace(forecast, quantiles=median * (forecast.quantiles / median) ** factors[..., None])


def _ranks(count: int, coverages: float | Floats) -> Days:
    """Rank, from 1, of the error among `count` that carries a band of each coverage; the largest if none does."""
    # 0.9 is 0.8999... in floating point; without the rounding, whole ranks would come out one too high.
    ranks: Days = np.ceil(np.round((count + 1) * coverages, 9)).astype(np.intp).clip(1, count)
    return ranks
