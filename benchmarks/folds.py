"""Choose how a network of many series is trained, on two folds that end before 2015.

    python benchmarks/folds.py train FOLDER RESULTS [--only NAME,...] [--seeds 2] [--workers 1] [--seconds 400]
    python benchmarks/folds.py score RESULTS

`train` trains each of `VARIANTS` on both folds with several seeds, by the program's own `fit` on the backend that
`KERAS_BACKEND` names, and stores what the networks output at the scored origins; it begins no training after so many
seconds. `score` averages the seeds and prints the CRPS of cumulative log returns, in percent below that of the best of
four simple forecasts of each series and horizon. Neither reads a row after 2014, nor the twenty names that are kept for
the end. Every tenth of the other names is held out: no network is trained on it, and it is what is scored.
"""

import argparse
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import date
from io import StringIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from pretrain import HELD_OUT

from stockcast.config.load import parse_config
from stockcast.config.schema import Config
from stockcast.data.features import make_market
from stockcast.data.prices import Prices
from stockcast.data.sequences import SequenceDataset
from stockcast.data.windows import WindowDataset
from stockcast.evaluation.metrics import crps
from stockcast.forecast import LEVELS
from stockcast.forecasting.dataset import make_dataset
from stockcast.forecasting.reading import read_to_train
from stockcast.forecasting.training_data import TrainingData, build_training_data

STEPS = (1, 5, 10, 20, 50)
EVERY = 5
"""Bars from one scored origin to the next."""

FOLDS = {
    "A": {
        "split.validation": "[[1987-07-01, 1988-06-30], [1990-07-01, 1991-06-30], [1998-07-01, 1999-06-30], "
        "[2001-07-01, 2002-06-30]]",
        "split.calibration": "2004-01-01",
        "split.test": "2005-01-01",
        "data.end": "2009-12-31",
    },
    "B": {
        "split.validation": "[[1998-01-01, 1999-06-30], [2001-01-01, 2002-06-30], [2005-01-01, 2005-12-31], "
        "[2008-07-01, 2009-06-30]]",
        "split.calibration": "2010-01-01",
        "split.test": "2010-07-01",
        "data.end": "2014-12-31",
    },
}
VALIDATION = {
    "calm": {"A": "2002-01-01", "B": "2008-01-01"},
    "other": {
        "A": "[[1989-01-01, 1989-12-31], [1994-01-01, 1994-12-31], [1997-01-01, 1998-06-30], [2000-01-01, 2000-12-31]]",
        "B": "[[1997-01-01, 1997-12-31], [2000-01-01, 2000-12-31], [2003-01-01, 2003-12-31], [2007-07-01, 2008-06-30]]",
    },
    "half a year": dict.fromkeys("AB", "[[1998-07-01, 1998-12-31]]"),
    "from 1990": {
        "A": "[[1996-01-01, 1996-12-31], [1998-07-01, 1999-06-30], [2001-07-01, 2002-06-30]]",
        "B": FOLDS["B"]["split.validation"],
    },
}
"""In place of the fold's: the last two years before calibration, as by default; other years; next to none."""

BASE = """
name: folds
data: {path: [none.csv], calendar: XNYS, accept_damage: true}
features: [return_in_volatility, abs_return_in_volatility, day_volatility_ratio, volatility_ratio_5,
  volatility_ratio_10, volatility_ratio_33, volatility_ratio_67, volatility_ratio_133, volatility_ratio_333,
  volatility_ratio_all, volatility_ratio_closes, downside_5, downside_17, downside_67, momentum_5,
  momentum_20, momentum_60, momentum_250, drawdown, volatility_of_volatility, open_to_close_in_volatility,
  gap_in_volatility, volume_ratio, volume_trend]
target: {column: Close, transform: log_return, scale: volatility}
calibration: none
model: {cell: lstm, layers: [50, 100], dropout: 0.3, skip_connection: true, output_l2: 1e-3, head: student_t}
training: {targets: every_day, sequence_length: 200, epochs: 24, batch_size: 64, learning_rate: 1e-3,
  lr_schedule: cosine, patience: 24, windows_per_epoch: 300000}
"""
MARKET = "[market_day_volatility_ratio, market_volatility_ratio_5, market_volatility_ratio_67]"

SHIPS = {"model.head": "skewed_t", "training.sequence_length": "400", "training.batch_size": "32",
         "training.epochs": "6"}  # fmt: skip
MASKED = {**SHIPS, "data.may_lack": "[Open, High, Low, Volume]"}

VARIANTS: dict[str, dict[str, str]] = {
    "base": {},
    "calm": {"validation": "calm"},
    "market": {"features": "market"},
    "skewed_t": {"model.head": "skewed_t"},
    "rate 3e-4": {"training.learning_rate": "3e-4"},
    "rate 3e-3": {"training.learning_rate": "3e-3"},
    "60 series": {"series": "60"},
    "market, rate 3e-4": {"features": "market", "training.learning_rate": "3e-4"},
    "market, dropout 0.5": {"features": "market", "model.dropout": "0.5"},
    "half as long": {"training.epochs": "12"},
    "sequences of 400": {"training.sequence_length": "400", "training.batch_size": "32"},
    "batch 256": {"training.batch_size": "256", "training.learning_rate": "2e-3"},
    "layers 32, 32": {"model.layers": "[32, 32]"},
    "layers 16": {"model.layers": "[16]"},
    "gru": {"model.cell": "gru"},
    "dense layers": {"model.cell": "last_day", "model.layers": "[64, 32]", "model.skip_connection": "false"},
    "dropout 0.1": {"model.dropout": "0.1"},
    "no penalty": {"model.output_l2": "0"},
    "weight decay": {"training.weight_decay": "0.01"},
    "windows": {"training.targets": "last_day", "training.sequence_length": "null", "training.batch_size": "256",
                "training.windows_per_epoch": "16000", "training.learning_rate": "3e-4"},
    "ships, unmasked": SHIPS,
    "ships": MASKED,
    "ships, with the market": {**SHIPS, "features": "market"},
    "ships, other blocks": {**SHIPS, "validation": "other"},
    "ships, half a year": {**MASKED, "validation": "half a year"},
    "ships, from 1990": {**MASKED, "data.start": "1990-01-01", "validation": "from 1990"},
}  # fmt: skip
NO_KEYS = ("validation", "features", "series")
OF_DATA = (*NO_KEYS, "data.may_lack", "data.start")
"""What of a variant decides the arrays that it is trained on, not the network."""


def config_of(variant: str, fold: str, seed: int) -> Config:
    """Return the config of a variant on a fold."""
    changes = VARIANTS[variant]
    overrides = [f"{key}={value}" for key, value in FOLDS[fold].items()]
    overrides += [f"{key}={value}" for key, value in changes.items() if key not in NO_KEYS]
    overrides.append(f"training.seed={seed}")
    text = BASE
    if changes.get("features") == "market":
        text = text.replace("downside_5,", f"{MARKET[1:-1]}, downside_5,")
    if chosen := changes.get("validation"):
        overrides.append(f"split.validation={VALIDATION[chosen][fold]}")
    return parse_config(text, source="folds.yaml", folder=Path(), overrides=tuple(overrides))


def read(path: Path) -> Prices | None:
    """Read one series up to the end of the last fold; None where it cannot be used."""
    config = config_of("base", "B", 0)
    try:
        return read_to_train(config, path, on_message=lambda message: None)
    except Exception as error:  # what cannot be read is none of this
        print(f"{path.name}: {str(error)[:100]}")
        return None


def has_days(config: Config, prices: Prices) -> bool:
    """Whether a series has years of training days and the days that are scored."""
    calibration, end = np.datetime64(str(config.split.calibration)), np.datetime64(str(config.data.end))
    return bool(
        prices.dates[0] < calibration - np.timedelta64(1500, "D") and prices.dates[-1] >= end - np.timedelta64(10, "D")
    )


def prepare(prices: list[Prices], variant: str, fold: str) -> tuple[TrainingData, list[Any]]:
    """Return what a variant is trained on, and the held-out series ready for its networks."""
    config = config_of(variant, fold, 0)
    last = config.data.end or date.max
    cut = [series.until(last) for series in prices if has_days(config, series)]
    held_out, known = cut[::10], [series for number, series in enumerate(cut) if number % 10]
    if most := VARIANTS[variant].get("series"):
        known = known[:: len(known) // int(most)][: int(most)]
    data = build_training_data(config, known)
    market = make_market(known, config.features)
    return data, [make_dataset(config, series, market, data.scaler, data.target) for series in held_out]


def scored(dataset: Any) -> Any:
    """Return the origins that are scored."""
    return dataset.origins("test")[::EVERY]


def store_targets(folder: Path, name: str, datasets: list[Any]) -> None:
    """Store what scores need of the held-out series: returns, their unit, and the forecasts of simple rivals."""
    arrays: dict[str, Any] = {"series": [], "actual": [], "unit": [], "origin": []}
    for number, dataset in enumerate(datasets):
        origins, logs = scored(dataset), np.log(dataset.closes)
        arrays["series"].append(np.full(len(origins), number))
        arrays["actual"].append(logs[origins[:, None] + STEPS] - logs[origins, None])
        arrays["unit"].append(dataset.volatility[origins])
        arrays["origin"].append(dataset.prices.dates[origins].astype(int))
    target = datasets[0].target.scaler
    np.savez(
        folder / f"targets {name}.npz",
        center=target.center,
        scale=target.scale,
        names=[dataset.prices.name for dataset in datasets],
        **{key: np.concatenate(parts) for key, parts in arrays.items()},
    )


def train(variant: str, fold: str, seed: int, data: TrainingData, datasets: list[Any], folder: Path) -> float:
    """Train one network and store its outputs at the scored origins; return its validation loss."""
    from stockcast.forecasting.networks import build_member, fit_settings
    from stockcast.models.fit import fit

    began, config = time.perf_counter(), config_of(variant, fold, seed)
    length = config.sequence_length

    def cut(windows: WindowDataset) -> Any:
        return windows if length is None else SequenceDataset.cut(windows, length)

    network = build_member(config, sequence_length=length)
    settings = replace(fit_settings(config, 1), is_alone=False)
    history = fit(network, cut(data.training), cut(data.validation), head=config.head, settings=settings)
    windows = build_member(config)
    windows.set_weights(network.get_weights())
    outputs = []
    for dataset in datasets:
        inputs = dataset.windows(scored(dataset)).inputs()
        found = windows.predict(inputs, batch_size=2048, verbose=0)
        outputs.append(found[:, np.array(STEPS) - 1])
    losses = [epoch.val_loss for epoch in history]
    np.savez(
        folder / f"{variant} {fold} {seed}.npz",
        outputs=np.concatenate(outputs),
        losses=losses,
        seconds=time.perf_counter() - began,
        steps=[epoch.seconds for epoch in history],
    )
    return min(losses)


def group_of(variant: str, fold: str) -> str:
    """Return a name for what a variant is trained on."""
    changes = VARIANTS[variant]
    return " ".join([fold, *(f"{key} {changes[key]}" for key in OF_DATA if key in changes)])


_PRICES: list[Prices] = []


def run_group(jobs: list[tuple[str, str, int]], folder: Path, until: float) -> list[str]:
    """Prepare the arrays of a group once, and train its networks one after the other until the time is up."""
    variant, fold, _ = jobs[0]
    done = []
    if time.time() > until:
        return done
    data, datasets = prepare(_PRICES, variant, fold)
    store_targets(folder, group_of(variant, fold), datasets)
    for variant, fold, seed in jobs:
        if time.time() > until:
            break
        if (folder / f"{variant} {fold} {seed}.npz").exists():
            continue
        with redirect_stdout(StringIO()):
            loss = train(variant, fold, seed, data, datasets, folder)
        done.append(f"{variant}, fold {fold}, seed {seed}: {loss:.4f}")
    return done


def grouped(variants: list[str], seeds: int, workers: int) -> Iterator[list[tuple[str, str, int]]]:
    """Yield trainings that share their arrays, in as many lists as keep all workers busy."""
    jobs = [(variant, fold, seed) for seed in range(seeds) for variant in variants for fold in FOLDS]
    groups: dict[str, list[tuple[str, str, int]]] = {}
    for job in jobs:
        groups.setdefault(group_of(*job[:2]), []).append(job)
    each = max(1, -(-len(jobs) // workers))
    for group in sorted(groups.values(), key=len):  # else those that share most would take all of the time
        parts = -(-len(group) // each)
        yield from (group[part::parts] for part in range(parts))


def train_all(options: argparse.Namespace) -> None:
    """Train what is not there yet, several at a time."""
    until = time.time() + options.seconds
    options.results.mkdir(parents=True, exist_ok=True)
    variants = options.only.split(";") if options.only else list(VARIANTS)
    files = sorted(path for path in options.folder.glob("*.csv") if path.stem not in HELD_OUT)
    # Processes are forked before any backend is loaded, so that the price tables are held once.
    context = get_context("fork")
    with ProcessPoolExecutor(options.readers or os.cpu_count(), mp_context=context) as pool:
        _PRICES.extend(series for series in pool.map(read, files) if series is not None)
    print(f"{len(_PRICES)} of {len(files)} series read, {until - time.time():.0f} s left", flush=True)
    with ProcessPoolExecutor(options.workers, mp_context=context) as pool:
        jobs = [pool.submit(run_group, group, options.results, until)
                for group in grouped(variants, options.seeds, options.workers)]  # fmt: skip
        for job in as_completed(jobs):
            for line in job.result():
                print(line, flush=True)


def simple_forecasts(targets: Any) -> dict[str, Any]:
    """Return quantiles of log returns that need no training, by name, each of shape (origins, steps, levels).

    A Student-t of constant shape over today's volatility, with three tails and two widths: what a network must beat.
    """
    from scipy.special import stdtrit

    root = np.sqrt(STEPS)[:, None]
    unit = targets["unit"][:, None, None]
    center, scale = targets["center"][0], targets["scale"][0]
    drift = unit * center * np.array(STEPS)[:, None]
    return {
        f"t {degrees}, width {width}": drift
        + width * scale * unit * root * stdtrit(degrees, LEVELS) * np.sqrt((degrees - 2) / degrees)
        for degrees in (4, 6, 10)
        for width in (0.9, 1.0)
    }


def score(folder: Path) -> None:
    """Print the table of what is there."""
    from stockcast.models.heads import make_head

    rows: dict[str, dict[str, Any]] = {}
    for fold in FOLDS:
        for variant in VARIANTS:
            files = sorted(folder.glob(f"{variant} {fold} ?.npz"))
            if not files:
                continue
            with np.load(folder / f"targets {group_of(variant, fold)}.npz") as stored:
                targets = dict(stored)
            members = [np.load(file) for file in files]
            head = make_head(VARIANTS[variant].get("model.head", "student_t"))
            rivals = {name: by_series(q, targets) for name, q in simple_forecasts(targets).items()}
            best = np.min(list(rivals.values()), axis=0)

            def skill(outputs: Any, targets: Any = targets, head: Any = head, best: Any = best) -> Any:
                unit = targets["unit"][:, None, None]
                moves = head.quantiles(outputs, LEVELS) * targets["scale"][0] * np.sqrt(STEPS)[:, None]
                quantiles = unit * (moves + targets["center"][0] * np.array(STEPS)[:, None])
                return 100 * (1 - by_series(quantiles, targets) / best).mean(axis=0), quantiles

            outputs = [member["outputs"] for member in members]
            together, quantiles = skill(np.mean(outputs, axis=0))
            single = [skill(one)[0].mean() for one in outputs]
            low, high = (quantiles[..., np.argmin(abs(LEVELS - level))] for level in (0.05, 0.95))
            inside = ((targets["actual"] >= low) & (targets["actual"] <= high)).mean(axis=0)
            rows.setdefault(variant, {})[fold] = {
                "skill": together,
                "single": single,
                "coverage": inside,
                "loss": np.mean([member["losses"].min() for member in members]),
                "best": [int(member["losses"].argmin()) + 1 for member in members],
                "seconds": np.mean([float(member["seconds"]) for member in members]),
            }
    print("| variant | fold | 1 / 5 / 10 / 20 / 50 days | mean | single seeds | 90 % covers | loss | best epoch | s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for variant, folds in rows.items():
        for fold, row in folds.items():
            cells = [
                " / ".join(f"{value:+.2f}" for value in row["skill"]),
                f"{row['skill'].mean():+.2f}",
                " ".join(f"{value:+.2f}" for value in row["single"]),
                " / ".join(f"{100 * value:.1f}" for value in row["coverage"]),
                f"{row['loss']:.4f}",
                " ".join(map(str, row["best"])),
                f"{row['seconds']:.0f}",
            ]
            print(f"| {variant} | {fold} | {' | '.join(cells)} |")


def by_series(quantiles: Any, targets: Any) -> Any:
    """Return the CRPS of each series and horizon, shape (series, steps)."""
    losses = crps(quantiles, targets["actual"], LEVELS)
    return np.array([losses[targets["series"] == number].mean(axis=0) for number in np.unique(targets["series"])])


def main() -> None:
    """Train or score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    training = commands.add_parser("train")
    training.add_argument("folder", type=Path)
    training.add_argument("results", type=Path)
    training.add_argument("--only", help="variants, separated by semicolons")
    training.add_argument("--seeds", type=int, default=2)
    training.add_argument("--workers", type=int, default=1, help="networks trained side by side")
    training.add_argument("--readers", type=int, help="processes that read; the number of cores if not given")
    training.add_argument("--seconds", type=float, default=1e9)
    training.set_defaults(run=train_all)
    scoring = commands.add_parser("score")
    scoring.add_argument("results", type=Path)
    scoring.set_defaults(run=lambda options: score(options.results))
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
