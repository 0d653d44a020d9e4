"""An evaluation's forecasts, read back from a run that anybody may have made: bounded, no pickles, shapes that fit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from stockcast.errors import RunError
from stockcast.forecast import LEVELS, Directions, Forecast
from stockcast.limits import MAX_NETWORK_BYTES
from stockcast.runs.layout import evaluation_folder
from stockcast.runs.npz import unpack_npz
from stockcast.runs.safe_io import read_bytes
from stockcast.typing import Dates, Floats, Labels

Stored = TypeVar("Stored")

_DATED = {"origin_dates": "M", "target_dates": "M", "last_close": "f"}
_OF_PRICES = {**_DATED, "levels": "f", "quantiles": "f", "actual": "f"}
_OF_DIRECTIONS = {**_DATED, "classes": "U", "probabilities": "f", "came": "i"}

_CLASSES = (("down", "up"), ("down", "flat", "up"))


def stored_forecast(run: Path) -> tuple[Forecast, Floats]:
    """Return what a run forecast on its test days, and the actual prices, shape (origins, horizon).

    Raises:
        RunError: the run has no forecasts, or the file is damaged, or larger than any that evaluate writes.
    """
    return _read(run, _OF_PRICES, _prices)


def stored_directions(run: Path) -> tuple[Directions, Labels]:
    """Return the directions that a run forecast, and the actual classes; shapes and errors as `stored_forecast`."""
    return _read(run, _OF_DIRECTIONS, _directions)


def _read(run: Path, kinds: dict[str, str], make: Callable[[dict[str, Any]], Stored]) -> Stored:
    """Unpack the arrays of these kinds, and make something of them; `make` raises ValueError if it cannot."""
    path = run / evaluation_folder("test") / "forecasts.npz"
    if not path.exists():
        raise RunError(f"{run.name} has no stored forecasts. Next: stockcast evaluate {run.name}", file=path)
    content = read_bytes(path, folder=run, most=MAX_NETWORK_BYTES)
    try:
        return make(unpack_npz(content, kinds))
    except (ValueError, TypeError, OverflowError) as error:
        why = str(error)[:200].partition("\n")[0]
        raise RunError(f"{path} is damaged: {why}. Next: stockcast evaluate {run.name}", file=path) from error


def _prices(arrays: dict[str, Any]) -> tuple[Forecast, Floats]:
    """Return the arrays as a forecast and the actual prices; ValueError if they are not that."""
    actual = arrays.pop("actual")
    forecast = Forecast(**arrays)
    _check_shapes(forecast, actual, forecast.quantiles, len(forecast.levels))
    _check_prices(forecast.quantiles, forecast.last_close, actual)
    if len(forecast.levels) != len(LEVELS) or not np.allclose(forecast.levels, LEVELS):
        raise ValueError("its levels are not those that evaluate writes")
    _check_order(forecast.origin_dates)
    return forecast, actual


def _directions(arrays: dict[str, Any]) -> tuple[Directions, Labels]:
    """Return the arrays as forecasts of directions and the actual classes; ValueError if they are not that."""
    actual = arrays.pop("came")
    # By their bytes: those that are no characters must not be decoded.
    names = [known for known in _CLASSES if np.array_equal(arrays["classes"], np.array(known))]
    if not names:
        raise ValueError("its classes are not those that evaluate writes")
    forecast = Directions(**{**arrays, "classes": names[0]})
    probabilities, classes = forecast.probabilities, len(names[0])
    _check_shapes(forecast, actual, probabilities, classes)
    _check_prices(forecast.last_close)
    if not ((probabilities >= 0).all() and np.allclose(probabilities.sum(axis=-1), 1, rtol=0, atol=1e-6)):
        raise ValueError("its probabilities do not add up to 1")
    if not ((actual >= 0) & (actual < classes)).all():
        raise ValueError("an actual class is none of its classes")
    _check_order(forecast.origin_dates)
    return forecast, actual


def _check_shapes(forecast: Forecast | Directions, actual: Floats | Labels, values: Floats, width: int) -> None:
    """Check that `values` has a row of `width` numbers for each day ahead of each origin, and the rest as many rows."""
    origins, horizon = actual.shape if actual.ndim == 2 else (0, 0)
    shapes = (forecast.origin_dates.shape, forecast.target_dates.shape, values.shape, forecast.last_close.shape)
    if not origins or shapes != ((origins,), (origins, horizon), (origins, horizon, width), (origins,)):
        raise ValueError("its arrays do not fit each other")


def _check_prices(*arrays: Floats) -> None:
    for prices in arrays:
        if not (np.isfinite(prices) & (prices > 0)).all():
            raise ValueError("a price in it is no number above 0")


def _check_order(days: Dates) -> None:
    if not (np.diff(days).astype(int) > 0).all():
        raise ValueError("its days are not in order")
