"""The scores of one forecast on days ahead that are scored together, some of which may be unknown."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stockcast.evaluation import metrics
from stockcast.forecast import Forecast
from stockcast.typing import Flags, Floats


@dataclass(frozen=True)
class Scores:
    """The scores of one forecast; see `stockcast.evaluation.metrics` for unit and sign of each.

    Those of a band are None where the forecast has no quantiles at its ends, the log score below three quantiles.
    """

    crps: float
    log_score: float | None
    pinball: dict[str, float]
    mae: float
    rmse: float
    mape: float
    mase: float | None
    coverage_50: float | None
    coverage_80: float | None
    coverage_90: float | None
    coverage_95: float | None
    width_50: float | None
    width_80: float | None
    width_90: float | None
    width_95: float | None
    winkler_90: float | None
    direction_accuracy: float | None
    balanced_direction_accuracy: float | None


def inside_band(forecast: Forecast, actual: Floats, promise: float) -> Flags | None:
    """Return which prices are in a central band, of the shape of `actual`; None where it has no such band."""
    if not forecast.has_band(promise):
        return None
    lower, upper = forecast.band(promise)
    return np.asarray((lower <= actual) & (actual <= upper))


@dataclass(frozen=True)
class Cells:
    """The days ahead that are scored together, of one forecast.

    Attributes:
        forecast: of all days ahead.
        of: takes values of all, shape (origins, horizon, ...), and returns those of these.
    """

    forecast: Forecast
    of: Callable[[Floats], Floats]

    def bands(self) -> dict[int, tuple[Floats, Floats]]:
        """Return the ends of the bands that are reported and that the forecast has, by percent."""
        ends = {each: self.forecast.band(each / 100) for each in BANDS if self.forecast.has_band(each / 100)}
        return {promise: (self.of(lower), self.of(upper)) for promise, (lower, upper) in ends.items()}


BANDS = (50, 80, 90, 95)


def score_cells(
    cells: Cells,
    actual: Floats,
    crps: Floats,
    log_scores: Floats | None,
    ahead: Floats,
    returns: Floats,
    naive_error: float,
) -> Scores:
    """Score one forecast on some days ahead; the arrays are of all of them, shape (origins, horizon, ...).

    Args:
        cells: the forecast, and which days ahead of it are scored.
        actual: prices that came.
        crps: of each day ahead.
        log_scores: of each day ahead; None where it has no density.
        ahead: quantiles as log returns.
        returns: log returns that came.
        naive_error: see `metrics.mean_absolute_scaled_error`.
    """
    of, forecast, bands = cells.of, cells.forecast, cells.bands()
    last = of(np.broadcast_to(forecast.last_close[:, None], actual.shape))
    median, actual = of(forecast.median), of(actual)
    pinball = metrics.pinball(of(ahead), of(returns), forecast.levels)
    pinball = pinball.mean(axis=tuple(range(actual.ndim)))
    return Scores(
        crps=float(of(crps).mean()),
        log_score=None if log_scores is None else float(of(log_scores).mean()),
        pinball={f"{level:g}": float(loss) for level, loss in zip(forecast.levels, pinball, strict=True)},
        mae=metrics.mean_absolute_error(median, actual),
        rmse=metrics.root_mean_squared_error(median, actual),
        mape=metrics.mean_absolute_percentage_error(median, actual),
        mase=metrics.mean_absolute_scaled_error(median, actual, naive_error),
        **{f"coverage_{each}": metrics.coverage(*bands[each], actual) if each in bands else None for each in BANDS},
        **{f"width_{each}": metrics.mean_width(*bands[each]) if each in bands else None for each in BANDS},
        winkler_90=float(metrics.winkler(*bands[90], actual, 0.9).mean()) if 90 in bands else None,
        direction_accuracy=metrics.direction_accuracy(median, actual, last),
        balanced_direction_accuracy=metrics.balanced_direction_accuracy(median, actual, last),
    )
