"""What a config may choose: the heads, the losses of each, and what of it makes sense together."""

from stockcast.models.heads.direction import FLAT, direction_head
from stockcast.models.heads.head import Head
from stockcast.models.heads.histogram import LOSSES as HISTOGRAM_LOSSES
from stockcast.models.heads.histogram import histogram_head
from stockcast.models.heads.point import LOSSES as POINT_LOSSES
from stockcast.models.heads.point import point_head
from stockcast.models.heads.quantile import quantile_head
from stockcast.models.heads.skewed_t import SKEWED_T
from stockcast.models.heads.student_t import STUDENT_T

LOSSES: dict[str, tuple[str, ...]] = {
    "student_t": ("nll",),
    "skewed_t": ("nll",),
    "quantile": ("pinball",),
    "histogram": tuple(HISTOGRAM_LOSSES),
    "point": tuple(POINT_LOSSES),
    "direction": ("binary_crossentropy", "categorical_crossentropy"),
}
"""Name of each head in the config -> names of the losses that train it, its own first."""

HEADS = tuple(LOSSES)


def make_head(
    name: str,
    *,
    loss: str | None = None,
    classes: int | None = None,
    threshold: float | None = None,
    of_prices: bool = False,
    columns: int = 1,
) -> Head:
    """Return the head that a config names.

    Args:
        name: one of `HEADS`.
        loss: one of its `LOSSES`; None for its own.
        classes: of `direction`, 2 or 3; None for 2.
        threshold: of three classes, the largest move that is flat, in the unit of the answers; None for `FLAT`.
        of_prices: whether it answers prices, and not log returns.
        columns: of `point`, prices that it answers together.
    """
    if name == "direction":
        return direction_head(classes=classes or 2, threshold=FLAT if threshold is None else threshold)
    if name == "point":
        return point_head(loss or LOSSES[name][0], columns=columns)
    if name == "histogram":
        return histogram_head(loss or LOSSES[name][0])
    if name == "quantile":
        return quantile_head(of_prices=of_prices)
    return {"student_t": STUDENT_T, "skewed_t": SKEWED_T}[name]


def misfit(
    name: str,
    *,
    loss: str | None,
    classes: int | None,
    threshold: float | None,
    strategy: str,
    transform: str,
    scaler: str,
    calibration: str,
) -> str | None:
    """Say why a head does not go with what else a config says, and what would; None if it does.

    Args:
        name: one of `HEADS`.
        loss: model.loss.
        classes: model.classes.
        threshold: model.threshold.
        strategy: strategy.
        transform: target.transform.
        scaler: scaler.
        calibration: calibration.
    """
    reasons = (
        _loss_misfit(name, loss, classes, transform=transform, scaler=scaler),
        _classes_misfit(name, classes, threshold),
        _answer_misfit(name, strategy=strategy, transform=transform),
        _bands_misfit(name, calibration),
    )
    return next((reason for reason in reasons if reason), None)


def _loss_misfit(name: str, loss: str | None, classes: int | None, *, transform: str, scaler: str) -> str | None:
    if loss is None:
        return None
    if loss not in LOSSES[name]:
        theirs = [head for head, losses in LOSSES.items() if loss in losses]
        return (
            f"model.loss {loss} does not train model.head {name}, which is trained by {_either(LOSSES[name])}; "
            f"{loss} is a loss of model.head {_either(theirs)}"
        )
    if name == "direction" and loss != LOSSES[name][(classes or 2) - 2]:
        own = LOSSES[name][(classes or 2) - 2]
        return (
            f"model.loss {loss} is not the loss of model.classes {classes or 2}, which is {own}: two classes have one "
            f"probability (sigmoid), three have three that add up to 1 (softmax)"
        )
    if loss == "msle" and transform != "price":
        return (
            "model.loss msle takes the logarithm of what is forecast, and log returns fall below zero, where there is "
            "none: it needs target.transform price; for log returns use mse, mae or huber"
        )
    if loss == "msle" and scaler not in ("minmax", "none"):
        return (
            f"model.loss msle takes the logarithm of what is forecast, and scaler {scaler} puts prices below zero, "
            f"where there is none: use scaler minmax or none"
        )
    return None


def _classes_misfit(name: str, classes: int | None, threshold: float | None) -> str | None:
    if classes is not None and name != "direction":
        return (
            f"model.classes is the number of directions, and model.head {name} says none: it needs model.head direction"
        )
    if threshold is not None and (name, classes) != ("direction", 3):
        return (
            "model.threshold parts flat from down and up, so it needs model.head direction with model.classes 3; with "
            "two classes there is no flat"
        )
    return None


def _answer_misfit(name: str, *, strategy: str, transform: str) -> str | None:
    if strategy == "recursive" and name != "point":
        what = {
            "direction": "a direction, and no price that could be fed back for the next day",
            "quantile": "a spread of prices, and no single one that could be fed back for the next day",
        }.get(name, "a distribution, and no single price that could be fed back for the next day")
        return (
            f"model.head {name} answers {what}: it needs strategy direct; for strategy recursive use model.head point"
        )
    if transform == "price" and name not in ("point", "quantile"):
        what = {
            "direction": "which way the log return goes",
            "histogram": "in bins of log returns, which prices leave as they grow",
        }.get(name, "log returns, around 0 and as wide as they are on the training days")
        return (
            f"model.head {name} answers {what}: it needs target.transform log_return; for prices use model.head point "
            f"or quantile"
        )
    return None


def _bands_misfit(name: str, calibration: str) -> str | None:
    if name == "point" and calibration == "none":
        return (
            "model.head point says one number, and its bands come from the calibration days: "
            "calibration must be conformal or adaptive"
        )
    if name == "direction" and calibration != "none":
        return (
            f"calibration {calibration} makes bands of prices wider or narrower, and model.head direction has none: "
            f"leave the key calibration out, or set it to none"
        )
    return None


def _either(names: tuple[str, ...] | list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
