"""A large submission: how long `stockcast judge` takes, and how much memory.

    python benchmarks/judge.py [--origins 1000] [--models 3]

Writes forecasts of the S&P 500 in hubverse's long form, 50 days ahead at its 23 quantile levels, by models made of the
20-day volatility with other widths and drifts, and judges them twice: the first time GARCH is estimated, the second
time its forecasts are read from the folder of the first. Markdown goes to standard output.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from main_job import memory
from scipy.special import ndtri

PRICES = Path(__file__).parents[1] / "data" / "SP500.csv"
HORIZON = 50
LEVELS = np.array([0.01, 0.025, *(np.arange(1, 20) / 20), 0.975, 0.99])
"""Those of hubverse's hubs."""

BARS = {"seconds": 60.0, "MB": 2000.0}


def write_forecasts(path: Path, *, origins: int, models: int) -> int:
    """Write the forecasts; return the number of rows."""
    bars = pd.read_csv(PRICES, parse_dates=["Date"])
    dates, closes = bars["Date"].to_numpy().astype("datetime64[D]"), bars["Close"].to_numpy()
    returns = np.diff(np.log(closes))
    volatility = np.sqrt(pd.Series(returns**2).rolling(20).mean().to_numpy())
    days = np.arange(len(closes) - HORIZON - origins, len(closes) - HORIZON)
    steps = np.arange(1, HORIZON + 1)
    rows = 0
    for model in range(models):
        width = 1 + 0.1 * model
        spread = width * volatility[days - 1][:, None, None] * np.sqrt(steps)[None, :, None] * ndtri(LEVELS)
        values = closes[days][:, None, None] * np.exp(spread + 1e-4 * model * steps[None, :, None])
        table = pd.DataFrame(
            {
                "model_id": f"model-{model}",
                "unique_id": "SP500",
                "reference_date": np.repeat(dates[days].astype(str), HORIZON * len(LEVELS)),
                "target_end_date": np.repeat(dates[days[:, None] + steps].ravel().astype(str), len(LEVELS)),
                "horizon": np.tile(np.repeat(steps, len(LEVELS)), len(days)),
                "output_type": "quantile",
                "output_type_id": np.tile(LEVELS, len(days) * HORIZON),
                "value": values.ravel(),
            }
        )
        table.to_csv(path, mode="a", header=model == 0, index=False)
        rows += len(table)
    return rows


def judge(path: Path, output: Path) -> tuple[float, float]:
    """Judge the forecasts; return the seconds and the most megabytes."""
    command = [sys.executable, "-m", "stockcast", "judge", str(path), "--data", str(PRICES), "--quiet"]
    start = time.perf_counter()
    process = subprocess.Popen([*command, "--output", str(output)], stdout=subprocess.DEVNULL)
    peak = memory(process)
    if process.returncode:
        sys.exit(f"judge ended with {process.returncode}")
    return time.perf_counter() - start, peak


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--origins", type=int, default=1000)
    parser.add_argument("--models", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path, output = Path(folder) / "forecasts.csv", Path(folder) / "judgements"
        rows = write_forecasts(path, origins=given.origins, models=given.models)
        print(
            f"{given.models} models x {given.origins:,} origins x {HORIZON} days x {len(LEVELS)} quantiles: "
            f"{rows:,} rows"
        )
        print("\n| baselines | seconds | peak memory, MB | bars |\n|---|---|---|---|")
        for name in ("estimated", "read from the cache"):
            seconds, peak = judge(path, output)
            kept = seconds <= BARS["seconds"] and peak <= BARS["MB"]
            bars = f"at most {BARS['seconds']:.0f} and {BARS['MB']:.0f}: {'kept' if kept else 'MISSED'}"
            print(f"| {name} | {seconds:.1f} | {peak:,.0f} | {bars if name != 'estimated' else ''} |", flush=True)


if __name__ == "__main__":
    main()
