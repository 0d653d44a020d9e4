"""Who forecasts a trend is not accused of knowing the future; who does know it, is."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from made import make_bars

import stockcast as sc
from stockcast.pipeline.judgement import Judgement
from stockcast.typing import Floats

HORIZON, ORIGINS = 40, 100


def judged(median_of: Callable[[Floats, int, int], float]) -> Judgement:
    """Judge point forecasts of a price that rises for half a year, after years in which it did not."""
    bars = make_bars(700)
    rise = np.where(np.arange(700) >= 550, 0.01 * (np.arange(700) - 550), 0.0)
    closes = (bars["Close"] * np.exp(rise)).to_numpy()
    bars = bars.assign(**{name: bars[name] * np.exp(rise) for name in ("Open", "High", "Low", "Close", "Adj Close")})
    rows = [
        {"unique_id": "A", "cutoff": bars["Date"][origin], "ds": bars["Date"][origin + step],
         "trend": median_of(closes, origin, step)}
        for origin in range(555, 555 + ORIGINS)
        for step in range(1, HORIZON + 1)
    ]  # fmt: skip
    prices = bars.copy()
    prices.attrs["name"] = "A"
    return sc.judge(pd.DataFrame(rows), prices)


def test_a_trend_that_went_on_is_no_sign_of_foresight() -> None:
    found = judged(lambda closes, origin, step: closes[origin] * np.exp(0.01 * step))
    kinds = {each.kind for each in found.suspicions}
    assert "foresight" not in kinds
    report = found.models[0].series[0].report
    gain = report.horizons[HORIZON]
    assert gain.model.mae < 0.5 * gain.baselines["random_walk"].mae  # by far better than the last close


def test_half_of_tomorrows_move_is_found() -> None:
    found = judged(lambda closes, origin, step: np.sqrt(closes[origin] * closes[origin + step]))
    assert "foresight" in {each.kind for each in found.suspicions}
