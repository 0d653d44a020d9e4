"""How much faster is training on every day of sequences than on the last day of windows?

    python benchmarks/sequences.py FOLDER [--series 150] [--turns 2] [--epochs 16]

Trains one network of `folds.py`'s base config on price files of FOLDER, on windows as configs/many-stocks.yaml does and
on sequences, in turns and in this process, by the program's own `fit`. Both are scored alike after each epoch, outside
the clock: the loss of the network of windows with the weights of that epoch, on every so many validation windows.
Printed are targets per second of training, and the seconds until sequences have the best loss of windows. Markdown goes
to standard output.
"""

import argparse
import statistics
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from folds import FOLDS, VARIANTS, config_of, read
from pretrain import HELD_OUT

from stockcast.data.sequences import SequenceDataset
from stockcast.forecasting.networks import build_member, fit_settings
from stockcast.forecasting.training_data import TrainingData, build_training_data
from stockcast.models.backend import forget_networks, share_threads
from stockcast.models.callbacks import Callbacks, EpochLog

FOLD = "B"
VARIANTS["fine"] = {"training.windows_per_epoch": "60000", "training.lr_schedule": "constant", "training.epochs": "20"}
"""The base config in epochs so short that the second in which a loss is reached is known."""


_SCORED = 15_000
"""Validation windows that both are scored on, evenly spaced."""


def train(variant: str, data: TrainingData, *, epochs: int, seed: int) -> tuple[list[float], list[float], int]:
    """Train one network; return the seconds and the loss of each epoch, and the targets of an epoch."""
    from stockcast.models.fit import fit

    config = config_of(variant, FOLD, seed)
    training = config.training.model_copy(update={"epochs": epochs, "patience": epochs})
    config = config.model_copy(update={"training": training})
    length = config.sequence_length
    # The least that `fit` takes for validation: what it costs is not measured.
    few = replace(data.validation, origins=data.validation.origins[:1])
    examples: list[Any] = [data.training, few]
    if length is not None:
        examples = [SequenceDataset.cut(windows, length) for windows in examples]
    forget_networks()
    network, by_window = build_member(config, sequence_length=length), build_member(config)
    every = max(1, len(data.validation) // _SCORED)
    scored = replace(data.validation, origins=data.validation.origins[::every])
    inputs, targets = scored.batch(slice(None))
    losses: list[float] = []

    def score(_: EpochLog) -> None:
        by_window.set_weights(network.get_weights())
        outputs = by_window.predict(inputs, batch_size=1024, verbose=0)
        losses.append(float(np.mean(config.head.loss(targets, outputs))))

    settings = fit_settings(config, 1)
    history = fit(network, *examples, head=config.head, settings=settings, callbacks=Callbacks(on_epoch_end=score))
    count = training.windows_per_epoch or len(data.training)
    if length is not None:
        count = examples[0].draw(np.random.default_rng(0), count).origin_count
    return [epoch.seconds for epoch in history], losses, min(count, len(data.training))


def main() -> None:
    """Train in turns, then print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=16, help="of windows; 16,000 each")
    parser.add_argument("--series", type=int, default=150)
    options = parser.parse_args()
    files = sorted(path for path in options.folder.glob("*.csv") if path.stem not in HELD_OUT)
    prices = [series for series in map(read, files) if series is not None][: options.series]
    share_threads(1)
    data = build_training_data(config_of("base", FOLD, 0), prices)
    print(f"{len(prices)} series, {len(data.training):,} windows; validation {FOLDS[FOLD]['split.validation']}\n")
    print("| turn | windows, targets/s | sequences, targets/s | ratio | best of windows | after | sequences | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    for turn in range(options.turns):
        windows = train("windows", data, epochs=options.epochs, seed=turn)
        sequences = train("fine", data, epochs=20, seed=turn)
        speeds = [count / statistics.median(seconds[1:]) for seconds, _, count in (windows, sequences)]
        best = min(windows[1])
        until = sum(windows[0][: windows[1].index(best) + 1])
        spent = accumulate(sequences[0])
        reached = next((s for s, loss in zip(spent, sequences[1], strict=True) if loss <= best), None)
        after, ratio = ("never", "") if reached is None else (f"{reached:.1f} s", f"{reached / until:.2f}")
        print(
            f"| {turn + 1} | {speeds[0]:,.0f} | {speeds[1]:,.0f} | {speeds[1] / speeds[0]:.1f} | {best:.4f} | "
            f"{until:.1f} s | {after} | {ratio} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
