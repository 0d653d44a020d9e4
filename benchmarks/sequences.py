"""How much faster is training on every day of sequences than on the last day of windows?

    python benchmarks/sequences.py FOLDER [--turns 2] [--epochs 12]

Trains one network of `folds.py`'s base config on the price files of FOLDER, on windows as configs/many-stocks.yaml does
and on sequences, in turns and in this process, by the program's own `fit`. Printed are targets per second, validation
included, and the seconds until sequences have the best validation loss of windows. That of sequences is over the same
days, which have seen up to four windows. Markdown goes to standard output.
"""

import argparse
import statistics
from itertools import accumulate
from pathlib import Path
from typing import Any

from folds import FOLDS, VARIANTS, config_of, read
from pretrain import HELD_OUT

from stockcast.data.sequences import SequenceDataset
from stockcast.forecasting.networks import build_member, fit_settings
from stockcast.forecasting.training_data import TrainingData, build_training_data
from stockcast.models.backend import forget_networks, share_threads

FOLD = "B"
VARIANTS["fine"] = {"training.windows_per_epoch": "60000", "training.lr_schedule": "constant", "training.epochs": "20"}
"""The base config in epochs so short that the second in which a loss is reached is known."""


def train(variant: str, data: TrainingData, *, epochs: int, seed: int) -> tuple[list[Any], int]:
    """Train one network; return its epochs, and the targets of each."""
    from stockcast.models.fit import fit

    config = config_of(variant, FOLD, seed)
    training = config.training.model_copy(update={"epochs": epochs, "patience": epochs})
    config = config.model_copy(update={"training": training})
    length = config.sequence_length
    examples: list[Any] = [data.training, data.validation]
    if length is not None:
        examples = [SequenceDataset.cut(windows, length) for windows in examples]
    forget_networks()
    network = build_member(config, sequence_length=length)
    history = fit(network, *examples, head=config.head, settings=fit_settings(config, 1))
    return history, min(training.windows_per_epoch or len(data.training), len(data.training))


def main() -> None:
    """Train in turns, then print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=12, help="of windows; 16,000 each")
    options = parser.parse_args()
    files = sorted(path for path in options.folder.glob("*.csv") if path.stem not in HELD_OUT)
    prices = [series for series in map(read, files) if series is not None]
    share_threads(1)
    data = build_training_data(config_of("base", FOLD, 0), prices)
    print(f"{len(prices)} series, {len(data.training):,} windows; validation {FOLDS[FOLD]['split.validation']}\n")
    print("| turn | windows, targets/s | sequences, targets/s | ratio | best of windows | after | sequences | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    for turn in range(options.turns):
        windows, each = train("windows", data, epochs=options.epochs, seed=turn)
        sequences, every = train("fine", data, epochs=20, seed=turn)
        speeds = [count / statistics.median(epoch.seconds for epoch in history[1:])
                  for history, count in ((windows, each), (sequences, every))]  # fmt: skip
        best = min(windows, key=lambda epoch: epoch.val_loss)
        until = sum(epoch.seconds for epoch in windows[: best.epoch])
        spent = accumulate(epoch.seconds for epoch in sequences)
        reached = next((s for s, epoch in zip(spent, sequences, strict=True) if epoch.val_loss <= best.val_loss), None)
        after, ratio = ("never", "") if reached is None else (f"{reached:.1f} s", f"{reached / until:.2f}")
        print(
            f"| {turn + 1} | {speeds[0]:,.0f} | {speeds[1]:,.0f} | {speeds[1] / speeds[0]:.1f} | {best.val_loss:.4f} | "
            f"{until:.1f} s | {after} | {ratio} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
