"""The losses of a training -> a figure."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from stockcast.models.callbacks import EpochLog, best_epoch
from stockcast.plots.style import MEDIAN, RANGE, legend_below, new_axes, whole_numbers


def loss_curve(history: Sequence[EpochLog], *, monitor: str, title: str) -> Figure:
    """Training and validation loss by epoch, the best epoch by `monitor` marked; a pair of lines for each member."""
    figure, axes = new_axes(title)
    members = sorted({epoch.member for epoch in history})
    curves = {"loss": ("training", RANGE), "val_loss": ("validation", MEDIAN)}
    for member in members:
        epochs = [epoch for epoch in history if epoch.member == member]
        numbers = [epoch.epoch for epoch in epochs]
        best = best_epoch(epochs, monitor)
        mark = f"best: epoch {best.epoch}" if len(members) == 1 else "best of each member"
        is_first, alpha = member == members[0], 1.0 if len(members) == 1 else 0.6
        for loss, (name, colour) in curves.items():
            losses = [epoch.monitored(loss) for epoch in epochs]
            axes.plot(numbers, losses, "o-", color=colour, alpha=alpha, label=name if is_first else None)
        ring = axes.plot(best.epoch, best.monitored(monitor), "o", label=mark if is_first else None)[0]
        ring.set(markersize=12, fillstyle="none", color="grey")
    axes.set_ylabel("loss")
    whole_numbers(axes, "epoch")
    legend_below(figure, axes)
    return figure
