"""Do prices end beyond a level, and touch it, as often as promised? And is the chance of a touch that of a brute count?

    python benchmarks/levels.py FOLDER [--run RUN] [--runs DIR]

Scores the run (by default the newest under DIR) on the S&P 500, and the run that ships on every CSV of FOLDER, each on
the test days. A level is the last close x (1 + k); the ten k of each number of days ahead are quantiles of the random
walk. Then it counts touches in 200,000 paths of each forecast, drawn anew, and in as many simulated paths of processes
that have the quantiles of a forecast and hang together in another way. Markdown tables go to standard output.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import stockcast as sc
from stockcast.distribution.chances import TOUCH_PATHS
from stockcast.distribution.paths import touch_probability
from stockcast.distribution.quantiles import PriceDistribution, price_forecast
from stockcast.forecast import LEVELS
from stockcast.typing import Floats

STEPS = ("5", "20", "50")
BAR, TOUCH_BAR = 3.0, 0.5
COUNTED, DAYS = 200_000, 50
MARKS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.7, 0.8, 0.9, 0.95, 0.98)


def gaps(event: dict[str, Any]) -> tuple[float, float]:
    """Promised minus came in points, pooled over the levels: of the event, and of closing above each level."""
    by_level = [100 * (level["promised"] - level["came"]) for level in event["levels"]]
    above = [gap if level["move"] >= 0 else -gap for gap, level in zip(by_level, event["levels"], strict=True)]
    return float(np.mean(by_level)), float(np.mean(above))


def reliability(evaluations: dict[str, dict[str, Any]]) -> None:
    """Print promised and observed shares of each series, and of all together next to the baselines'."""
    names = [f"{event}, {step} days" for event in ("close beyond", "touch") for step in STEPS]
    print(f"| series | {' | '.join(names)} | {' | '.join(f'above, {step} days' for step in STEPS)} |")
    print(f"|---|{'---|' * (len(names) + len(STEPS))}")
    rows = {}
    for series, metrics in evaluations.items():
        chances = [metrics["chances"][step]["model"] for step in STEPS]
        cells, values = [], []
        for event in ("close", "touch"):
            for found in chances:
                gap = gaps(found[event])[0]
                values.append(gap)
                promised, came = 100 * found[event]["promised"], 100 * found[event]["came"]
                cells.append(f"{promised:.1f} / {came:.1f} ({gap:+.1f})")
        above = [gaps(found["close"])[1] for found in chances]
        rows[series] = [*values, *above]
        print(f"| {series} | {' | '.join(cells)} | {' | '.join(f'{gap:+.1f}' for gap in above)} |")
    mean = np.mean(list(rows.values()), axis=0)
    print(f"| **all {len(rows)}** | {' | '.join(f'{gap:+.2f}' for gap in mean)} |")
    inside = np.mean(np.abs(list(rows.values())) <= BAR, axis=0)
    print(f"| share of series within {BAR:g} points | {' | '.join(f'{100 * share:.0f} %' for share in inside)} |\n")
    print(f"| all {len(rows)}, by forecast | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    for name in next(iter(evaluations.values()))["chances"]["1"]:
        means = [
            np.mean([gaps(found[name][event])[0] for metrics in evaluations.values()
                     if name in (found := metrics["chances"][step])])
            for event in ("close", "touch") for step in STEPS
        ]  # fmt: skip
        print(f"| {name} | {' | '.join(f'{gap:+.2f}' for gap in means)} |")


def simulated(process: str, random: np.random.Generator) -> Floats:
    """Cumulative log returns of independent paths, shape (paths, days)."""
    shape = (COUNTED, DAYS)
    normal = random.standard_normal(shape)
    if process == "normal steps":
        steps = 0.01 * normal
    elif process == "normal steps with drift":
        steps = 0.001 + 0.01 * normal
    elif process == "Student-t(4) steps of a shared scale":
        steps = 0.01 * normal * np.sqrt(4 / random.chisquare(4, (COUNTED, 1)))
    elif process.startswith("independent Student-t"):
        steps = 0.01 * random.standard_t(float(process.partition("(")[2].partition(")")[0]), shape)
    else:  # GARCH(1,1) with Student-t(6) innovations, from a variance of 1 or 3 times its mean
        shocks = np.sqrt(4 / 6) * random.standard_t(6, shape)
        variance = np.full(COUNTED, 3.0 if "high" in process else 1.0)
        steps = np.empty(shape)
        for day in range(DAYS):
            steps[:, day] = np.sqrt(variance) * shocks[:, day]
            variance = 0.02 + 0.08 * steps[:, day] ** 2 + 0.9 * variance
        steps *= 0.01
    return np.cumsum(steps, axis=1)


def touches() -> None:
    """Print the largest difference from a count, over ten levels, for each process and number of days ahead."""
    print("| steps of the walk | 5 days | 20 days | 50 days |\n|---|---|---|---|")
    processes = ("normal steps", "normal steps with drift", "Student-t(4) steps of a shared scale",
                 "independent Student-t(5) steps", "independent Student-t(3) steps", "GARCH(1,1)-t",
                 "GARCH(1,1)-t from a high variance")  # fmt: skip
    for number, process in enumerate(processes):
        returns = simulated(process, np.random.default_rng(number))
        quantiles = np.quantile(returns, LEVELS, axis=0).T
        distribution = PriceDistribution(np.array([100.0]), LEVELS, quantiles[None])
        cells = []
        for days in (5, 20, 50):
            marks = np.quantile(returns[:, days - 1], MARKS)
            span = returns[:, :days]
            counted = [np.mean((span >= mark if mark >= 0 else span <= mark).any(axis=1)) for mark in marks]
            given = touch_probability(distribution, 100 * np.exp(marks)[None, None], days=(days,), paths=TOUCH_PATHS)
            worst = 100 * float(np.abs(given[0, 0] - counted).max())
            cells.append(f"{worst:.2f}")
        print(f"| {process} | {' | '.join(cells)} |", flush=True)


def own_paths(folder: Path) -> None:
    """Print the largest difference between the chance of a touch and its share of paths drawn anew, over ten levels."""
    predictor = sc.Predictor.load("pretrained")
    print("| forecast | 5 days | 20 days | 50 days |\n|---|---|---|---|")
    for path in sorted(folder.glob("*.csv")):
        prediction = predictor.predict(path)
        distribution = PriceDistribution.of(price_forecast(prediction))
        last = float(distribution.last_close[0])
        halves = [sc.sample_paths(prediction, COUNTED // 2, seed=seed).prices for seed in (1, 2)]
        cells = []
        for days in (5, 20, 50):
            ends = np.concatenate([half[:, days - 1] for half in halves])
            marks = np.quantile(ends, MARKS)
            given = touch_probability(distribution, marks[None, None], days=(days,), paths=TOUCH_PATHS)[0, 0]
            counted = [
                np.mean([(half[:, :days] >= mark if mark >= last else half[:, :days] <= mark).any(axis=1).mean()
                         for half in halves])
                for mark in marks
            ]  # fmt: skip
            worst = 100 * float(np.abs(given - counted).max())
            cells.append(f"{worst:.2f}{'' if worst <= TOUCH_BAR else ' MISSED'}")
        print(f"| {path.stem} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Run both parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--run")
    parser.add_argument("--runs", default="runs")
    options = parser.parse_args()
    print(f"### Touches against a count of {COUNTED:,} paths: largest difference over ten levels, points\n")
    touches()
    print(f"\n### Touches against {COUNTED:,} paths of the forecast itself, drawn anew: the same difference\n")
    own_paths(options.folder)
    evaluations = {"S&P 500": sc.evaluate(options.run, runs=options.runs).metrics}
    for path in sorted(options.folder.glob("*.csv")):
        evaluations[path.stem] = sc.evaluate("pretrained", path).metrics
    print("\n### Promised / observed, %, and their difference in points; pooled over ten levels\n")
    reliability(evaluations)


if __name__ == "__main__":
    main()
