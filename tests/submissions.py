"""One forecast, written in every form in which other tools write theirs."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from stockcast.forecast import Forecast


def rows(forecast: Forecast) -> dict[str, np.ndarray]:
    """Cutoff, target date, days ahead, and the quantiles (rows, levels), a row for each day forecast."""
    origins, horizon = forecast.target_dates.shape
    return {
        "cutoff": np.repeat(forecast.origin_dates, horizon),
        "target": forecast.target_dates.ravel(),
        "step": np.tile(np.arange(1, horizon + 1), origins),
        "quantiles": forecast.quantiles.reshape(origins * horizon, -1),
    }


def hubverse(forecast: Forecast, *, model: str = "theirs", series: str = "prices") -> pd.DataFrame:
    made, levels = rows(forecast), forecast.levels
    count = len(levels)
    return pd.DataFrame(
        {
            "model_id": model,
            "unique_id": series,
            "reference_date": np.repeat(made["cutoff"], count),
            "target_end_date": np.repeat(made["target"], count),
            "horizon": np.repeat(made["step"], count),
            "output_type": "quantile",
            "output_type_id": np.tile([f"{level:g}" for level in levels], len(made["step"])),
            "value": made["quantiles"].ravel(),
        }
    )


def nixtla(forecast: Forecast, *, model: str = "theirs", series: str = "prices") -> pd.DataFrame:
    made = rows(forecast)
    columns = {"unique_id": series, "ds": made["target"], "cutoff": made["cutoff"], "y": 1.0}
    for level, values in zip(forecast.levels, made["quantiles"].T, strict=True):
        band = f"{abs(2 * level - 1) * 100:.6g}"
        name = f"{model}-median" if level == 0.5 else f"{model}-{'lo' if level < 0.5 else 'hi'}-{band}"
        columns[name] = values
    return pd.DataFrame(columns)


def darts(forecast: Forecast, *, model: str = "theirs", series: str = "prices") -> pd.DataFrame:
    made = rows(forecast)
    columns = {"time": made["target"], "cutoff": made["cutoff"], "unique_id": series, "model": model}
    by_level = zip(forecast.levels, made["quantiles"].T, strict=True)
    return pd.DataFrame(columns | {f"close_q{level:g}": values for level, values in by_level})


def gluonts(forecast: Forecast, *, model: str = "theirs", series: str = "prices") -> pd.DataFrame:
    made = rows(forecast)
    columns = {
        "item_id": series,
        "model": model,
        "forecast_start": np.repeat(forecast.target_dates[:, 0], forecast.horizon),
        "timestamp": made["target"],
        "mean": made["quantiles"].mean(axis=1),
    }
    by_level = zip(forecast.levels, made["quantiles"].T, strict=True)
    return pd.DataFrame(columns | {f"{level:g}": values for level, values in by_level})


def samples(forecast: Forecast, *, model: str = "theirs", series: str = "prices", count: int = 400) -> pd.DataFrame:
    """Samples whose quantiles are those of the forecast at its levels: evenly spread in probability."""
    made = rows(forecast)
    even = (np.arange(count) + 0.5) / count
    nearest = forecast.levels[np.abs(even[:, None] - forecast.levels).argmin(axis=1)]
    even = np.where(np.abs(even - nearest) < 0.51 / count, nearest, even)  # the two beside a level are the quantile
    drawn = np.array([np.interp(even, forecast.levels, quantiles) for quantiles in made["quantiles"]])
    columns = {"time": made["target"], "cutoff": made["cutoff"], "unique_id": series, "model": model}
    return pd.DataFrame(columns | {f"close_s{number}": values for number, values in enumerate(drawn.T)})


def hubverse_samples(forecast: Forecast, *, model: str = "theirs", series: str = "prices") -> pd.DataFrame:
    wide = samples(forecast, model=model, series=series)
    names = [name for name in wide if name.startswith("close_s")]
    long = wide.melt(["time", "cutoff", "unique_id", "model"], names, "output_type_id", "value")
    renamed = {"time": "target_end_date", "cutoff": "reference_date", "model": "model_id"}
    return long.rename(columns=renamed).assign(output_type="sample")


FORMS: dict[str, Callable[..., pd.DataFrame]] = {
    "hubverse": hubverse,
    "nixtla": nixtla,
    "darts": darts,
    "gluonts": gluonts,
}
