"""Bands from days that neither trained the network nor stopped it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stockcast.errors import NotEnoughDays, RunError
from stockcast.forecast import Floats, Forecast


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
        return {"levels": self.levels.tolist(), "offsets": self.offsets.tolist(), "origins": self.origins}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Calibration":
        """Return the calibration that `to_json` stored.

        Raises:
            RunError: it is not what `to_json` writes.
        """
        try:
            levels, offsets = np.array(stored["levels"], float), np.array(stored["offsets"], float)
            calibration = cls(levels, offsets, int(stored["origins"]))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise RunError(f"calibration.json is damaged ({error}). Train again.") from error
        if levels.ndim != 1 or offsets.ndim != 2 or offsets.shape[1] != len(levels) or not np.isfinite(offsets).all():
            raise RunError("calibration.json is damaged: offsets must be finite, one for each horizon and level.")
        if not (np.diff(levels) > 0).all() or (np.diff(offsets, axis=1) < 0).any():
            raise RunError("calibration.json is damaged: levels must rise, and offsets must not fall with them.")
        return calibration


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
    # 0.9 is 0.8999... in floating point; without the rounding, whole ranks would come out one too high.
    ranks = np.clip(np.ceil(np.round((count + 1) * coverages, 9)).astype(int), 1, count)
    offsets = np.sign(forecast.levels - 0.5) * errors[ranks - 1].T
    offsets[:, np.isclose(forecast.levels, 0.5)] = 0.0
    return Calibration(forecast.levels, offsets, count)
