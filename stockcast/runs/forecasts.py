"""An evaluation's forecasts, read back from a run that may be anybody's: bounded, no pickles, shapes that fit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from stockcast.errors import RunError
from stockcast.forecast import LEVELS, Dates, Directions, Floats, Forecast, Labels
from stockcast.runs.arrays import unpacked
from stockcast.runs.names import evaluation_folder
from stockcast.untrusted import MAX_NETWORK_BYTES, read_bytes

Made = TypeVar("Made")

_DATED = {"origin_dates": "M", "target_dates": "M", "last_close": "f"}
_OF_PRICES = {**_DATED, "levels": "f", "quantiles": "f", "actual": "f"}
_OF_DIRECTIONS = {**_DATED, "classes": "U", "probabilities": "f", "came": "i"}

_CLASSES = (("down", "up"), ("down", "flat", "up"))


def stored_forecast(run: Path) -> tuple[Forecast, Floats] | None:
    """Return what a run forecast on its test days and what came, in price units, shape (origins, horizon).

    Returns:
        None if the run keeps no forecasts.

    Raises:
        RunError: the file is damaged, or larger than any that evaluate writes.
    """

    def made(arrays: dict[str, Any]) -> tuple[Forecast, Floats]:
        actual = arrays.pop("actual")
        forecast = Forecast(**arrays)
        _check(forecast, actual)
        return forecast, actual

    return _stored(run, _OF_PRICES, made)


def stored_directions(run: Path) -> tuple[Directions, Labels] | None:
    """Return what a classifier said on its test days and the numbers of the classes that came, (origins, horizon).

    Returns, Raises: as `stored_forecast`.
    """

    def made(arrays: dict[str, Any]) -> tuple[Directions, Labels]:
        came = arrays.pop("came")
        # Compared as they lie: bytes that are no characters are not to become any.
        names = [known for known in _CLASSES if np.array_equal(arrays["classes"], np.array(known))]
        if not names:
            raise ValueError("its classes are not those that evaluate writes")
        directions = Directions(**{**arrays, "classes": names[0]})
        _check_directions(directions, came)
        return directions, came

    return _stored(run, _OF_DIRECTIONS, made)


def _stored(run: Path, kinds: dict[str, str], made: Callable[[dict[str, Any]], Made]) -> Made | None:
    """Unpack the arrays of these kinds, and let something be made of them that raises ValueError if it cannot be."""
    path = run / evaluation_folder("test") / "forecasts.npz"
    if not path.exists():
        return None
    content = read_bytes(path, folder=run, most=MAX_NETWORK_BYTES)
    try:
        return made(unpacked(content, kinds))
    except (ValueError, TypeError, OverflowError) as error:
        why = str(error)[:200].partition("\n")[0]
        raise RunError(f"{path} is damaged: {why}. Next: stockcast evaluate {run.name}") from error


def _check(forecast: Forecast, actual: Floats) -> None:
    """Check that the arrays are one forecast.

    Raises:
        ValueError: they are not.
    """
    origins, horizon, levels = (*actual.shape, len(forecast.levels)) if actual.ndim == 2 else (0, 0, 0)
    shapes = (
        forecast.origin_dates.shape,
        forecast.target_dates.shape,
        forecast.quantiles.shape,
        forecast.last_close.shape,
    )
    if not origins or shapes != ((origins,), (origins, horizon), (origins, horizon, levels), (origins,)):
        raise ValueError("its arrays do not fit each other")
    _check_prices(forecast.quantiles, forecast.last_close, actual)
    if levels != len(LEVELS) or not np.allclose(forecast.levels, LEVELS):
        raise ValueError("its levels are not those that evaluate writes")
    _check_order(forecast.origin_dates)


def _check_directions(said: Directions, came: Labels) -> None:
    """Check that the arrays are what one classifier said.

    Raises:
        ValueError: they are not.
    """
    origins, horizon = came.shape if came.ndim == 2 else (0, 0)
    classes = len(said.classes)
    shapes = (said.origin_dates.shape, said.target_dates.shape, said.probabilities.shape, said.last_close.shape)
    if not origins or shapes != ((origins,), (origins, horizon), (origins, horizon, classes), (origins,)):
        raise ValueError("its arrays do not fit each other")
    _check_prices(said.last_close)
    if not ((said.probabilities >= 0).all() and np.allclose(said.probabilities.sum(axis=-1), 1, rtol=0, atol=1e-6)):
        raise ValueError("its probabilities do not add up to 1")
    if not ((came >= 0) & (came < classes)).all():
        raise ValueError("what came is none of its classes")
    _check_order(said.origin_dates)


def _check_prices(*arrays: Floats) -> None:
    for prices in arrays:
        if not (np.isfinite(prices) & (prices > 0)).all():
            raise ValueError("a price in it is no number above 0")


def _check_order(days: Dates) -> None:
    if not (np.diff(days).astype(int) > 0).all():
        raise ValueError("its days are not in order")
