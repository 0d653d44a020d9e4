"""Forecasts of peers' LSTMs with their own intervals, and of a run of ours, on the same days, for `stockcast judge`.

    python benchmarks/peers.py prices OUT FILES...             adjusted closes up to 2018, a CSV for each price file
    python benchmarks/peers.py neuralforecast OUT FORECASTS    in an environment with neuralforecast
    python benchmarks/peers.py darts OUT FORECASTS             in an environment with darts
    python benchmarks/peers.py stockcast OUT FORECASTS [--run RUN] [--runs DIR]
    stockcast judge FORECASTS/*.csv --data OUT

Each network is trained on log closes of all series up to 2014, and forecasts 50 days ahead from every tenth day from
the last day of 2014 on. What is not set is the library's default. One seed.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FIRST, LAST = "2014-12-31", "2018-12-31"
HORIZON, STRIDE, WINDOW = 50, 10, 50
LEVELS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)


def write_prices(folder: Path, files: list[Path]) -> None:
    """Write a CSV of dates and adjusted closes up to `LAST` for each price file."""
    import stockcast as sc

    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        prices = sc.read_prices(file)
        frame = pd.DataFrame({"Date": prices.dates, "Close": np.round(prices.column("Close"), 6)})
        frame[frame["Date"] <= LAST].to_csv(folder / file.name, index=False)


def read(folder: Path) -> dict[str, pd.DataFrame]:
    """Return the dates and closes of each series, those from 1990 on."""
    found = {file.stem: pd.read_csv(file, parse_dates=["Date"]) for file in sorted(folder.glob("*.csv"))}
    return {name: frame[frame["Date"] >= "1990-01-01"].reset_index(drop=True) for name, frame in found.items()}


def origins(frame: pd.DataFrame) -> np.ndarray:
    """Return the rows that are forecast from."""
    first = int(frame["Date"].searchsorted(pd.Timestamp(FIRST)))
    return np.arange(first, len(frame) - HORIZON, STRIDE)


def check(holds: bool, what: str) -> None:
    """Stop where what the comparison rests on does not hold."""
    if not holds:
        raise SystemExit(f"It does not hold that {what}.")


def table(model: str, name: str, frame: pd.DataFrame, rows: np.ndarray, quantiles: np.ndarray) -> pd.DataFrame:
    """Return forecasts in Nixtla's wide form; `quantiles` have the shape (origins, HORIZON, levels)."""
    targets = rows[:, None] + np.arange(1, HORIZON + 1)
    columns: dict[str, Any] = {
        "unique_id": name,
        "cutoff": np.repeat(frame["Date"].to_numpy()[rows], HORIZON),
        "ds": frame["Date"].to_numpy()[targets].ravel(),
    }
    for level, values in zip(LEVELS, quantiles.reshape(-1, len(LEVELS)).T, strict=True):
        side, width = ("lo" if level < 0.5 else "hi"), f"{100 * abs(2 * level - 1):.6g}"
        columns[f"{model}-median" if level == 0.5 else f"{model}-{side}-{width}"] = values
    return pd.DataFrame(columns)


def neuralforecast(series: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Train neuralforecast's LSTM, with quantiles as its loss, and return its forecasts.

    Its days are numbered: its own calendar of business days has no holidays.
    """
    from neuralforecast import NeuralForecast
    from neuralforecast.losses.pytorch import MQLoss
    from neuralforecast.models import LSTM

    long = pd.concat(
        pd.DataFrame({"unique_id": name, "ds": np.arange(len(frame)) - len(frame), "y": np.log(frame["Close"])})
        for name, frame in series.items()
    )
    model = LSTM(
        h=HORIZON, input_size=WINDOW, loss=MQLoss(quantiles=list(LEVELS)), max_steps=1000, random_seed=1,
        accelerator="cpu", enable_progress_bar=False, logger=False,
    )  # fmt: skip
    rows = {name: origins(frame) for name, frame in series.items()}
    shapes = {(len(rows[name]), len(frame) - 1 - rows[name][-1] - HORIZON) for name, frame in series.items()}
    check(len(shapes) == 1, "the series end on one day and have the same days from 2015 on")
    ((windows, left),) = shapes  # its windows end with the series, so the days after the last window are left out
    long = long[long["ds"] < -left] if left else long
    frame = NeuralForecast([model], freq=1).cross_validation(long, n_windows=windows, step_size=STRIDE)
    names = [name for name in frame.columns if name.startswith("LSTM")]
    found = []
    for name, prices in series.items():
        mine = frame[frame["unique_id"] == name].sort_values(["cutoff", "ds"])
        check(np.array_equal(np.unique(mine["cutoff"]) + len(prices), rows[name]), "origins are those that are wanted")
        ordered = mine[names].to_numpy().reshape(windows, HORIZON, len(LEVELS))
        by_level = np.argsort([_level(column) for column in names])
        found.append(table("neuralforecast LSTM", name, prices, rows[name], np.exp(ordered[..., by_level])))
    return pd.concat(found)


def _level(column: str) -> float:
    """Return the level of `LSTM-lo-90.0`, `LSTM-hi-90.0` or `LSTM-median`."""
    if column.endswith("median"):
        return 0.5
    side, width = column.split("-")[-2:]
    return 0.5 + (-1 if side == "lo" else 1) * float(width) / 200


def darts(series: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Train darts' BlockRNNModel, an LSTM that normalises each window, and return its forecasts."""
    from darts import TimeSeries
    from darts.models import BlockRNNModel
    from darts.utils.likelihood_models.torch import QuantileRegression

    made = {
        name: TimeSeries.from_values(np.log(frame["Close"].to_numpy(dtype=np.float32)), columns=["close"])
        for name, frame in series.items()
    }
    first = {name: int(origins(frame)[0]) for name, frame in series.items()}
    model = BlockRNNModel(
        input_chunk_length=WINDOW, output_chunk_length=HORIZON, model="LSTM", hidden_dim=50, n_rnn_layers=2,
        dropout=0.1, likelihood=QuantileRegression(list(LEVELS)), use_reversible_instance_norm=True, batch_size=256,
        n_epochs=10,
        random_state=1, pl_trainer_kwargs={"accelerator": "cpu", "enable_progress_bar": False, "logger": False},
    )  # fmt: skip
    model.fit([values[: first[name] + 1] for name, values in made.items()])
    found = []
    for name, values in made.items():
        rows = origins(series[name])
        pasts = [values[: row + 1][-WINDOW:] for row in rows]
        forecasts = model.predict(HORIZON, series=pasts, predict_likelihood_parameters=True)
        quantiles = np.exp(np.stack([forecast.values() for forecast in forecasts]))
        found.append(table("darts BlockRNN", name, series[name], rows, quantiles))
    return pd.concat(found)


def stockcast(series: dict[str, pd.DataFrame], folder: Path, *, run: str | None, runs: Path) -> pd.DataFrame:
    """Return the forecasts of a run of ours on the same days, at the same levels."""
    import stockcast as sc

    found = []
    predictor = sc.Predictor.load(sc.RunDirectory.find(runs, run))
    for name, frame in series.items():
        evaluation = sc.evaluate(predictor.run, folder / f"{name}.csv", start="2015-01-01", runs=runs)
        arrays = evaluation.scores.arrays
        rows = origins(frame)
        wanted = frame["Date"].to_numpy()[rows].astype("datetime64[D]")
        places = np.searchsorted(arrays["origin_dates"], wanted)
        check(np.array_equal(arrays["origin_dates"][places], wanted), "the run scores these origins")
        levels = [int(np.argmin(np.abs(arrays["levels"] - level))) for level in LEVELS]
        check(np.allclose(arrays["levels"][levels], LEVELS), "the run has these quantiles")
        quantiles = arrays["quantiles"][places][..., levels].astype(float)
        found.append(table("stockcast", name, frame, rows, quantiles))
    return pd.concat(found)


def main() -> None:
    """Run one of the steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("prices", "neuralforecast", "darts", "stockcast"))
    parser.add_argument("folder", type=Path, help="of the prices")
    parser.add_argument("paths", type=Path, nargs="+", help="price files, or the folder of the forecasts")
    parser.add_argument("--run")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    given = parser.parse_args()
    if given.step == "prices":
        write_prices(given.folder, given.paths)
        return
    series = read(given.folder)
    if given.step == "stockcast":
        frame = stockcast(series, given.folder, run=given.run, runs=given.runs)
    else:
        frame = {"neuralforecast": neuralforecast, "darts": darts}[given.step](series)
    given.paths[0].mkdir(parents=True, exist_ok=True)
    frame.to_csv(given.paths[0] / f"{given.step}.csv", index=False)


if __name__ == "__main__":
    main()
