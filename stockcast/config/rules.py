"""What goes together in a config: rules across its sections, each of which raises a ValueError with what would fit."""

from collections.abc import Sequence

from stockcast.config.data_section import DataConfig
from stockcast.config.sections import SEQUENCE_WINDOWS, EnsembleConfig, ModelConfig, TargetConfig, TrainingConfig
from stockcast.data.known_days import is_known
from stockcast.frequency import RESAMPLED, RESAMPLES, WEEKLY
from stockcast.limits import MAX_PARAMETERS
from stockcast.models.heads import LOSSES
from stockcast.models.layers import CELLS
from stockcast.text import join_words

MAX_NETWORKS = 32
"""Networks of a run, `ensemble.mlp` included; the bounds on what is read of a run hold for as many."""


def check_frequency(data: DataConfig) -> None:
    """Check that data.resample makes the bars of data.frequency, and that data.bar_date is of weekly bars."""
    made = RESAMPLED.get(data.resample or "")
    if made is not None and made is not data.bars:
        raise ValueError(
            f"data.resample {data.resample} makes {made.name} bars, and data.frequency is {data.frequency}: leave "
            f"data.frequency out, or set data.resample to {RESAMPLES[data.frequency]}"
        )
    if data.bar_date is not None and (made is not None or data.bars is not WEEKLY):
        raise ValueError(
            "data.bar_date is of weekly bars that are dated on Sundays, and the file's bars are not weekly: leave it "
            "out, or set data.frequency to weekly without data.resample"
        )


def check_known(data: DataConfig, features: Sequence[str]) -> None:
    """Check that what a day knows of the next session is asked for of days alone."""
    known = [feature for feature in features if is_known(feature)]
    if known and data.frequency != "daily":
        raise ValueError(
            f"features has {known[0]}, which is of the session after a day, and the bars are {data.frequency}: leave "
            f"it out, or set data.frequency to daily"
        )


def check_may_lack(data: DataConfig, *, target: TargetConfig) -> None:
    """Check that no file may lack what is forecast, and that returns have a unit without the columns that it lacks."""
    if not data.may_lack:
        return
    if needed := [name for name in target.names if name in data.may_lack]:
        raise ValueError(f"data.may_lack has {needed[0]}, which is forecast: leave it out of data.may_lack")
    if target.scale != "volatility":
        raise ValueError(
            "data.may_lack is for series that were not trained on, which need target.scale volatility; set it, or "
            "leave data.may_lack out"
        )


def check_loss(model: ModelConfig, *, target: TargetConfig, scaler: str) -> None:
    """Check that the loss trains the head, and that msle takes no logarithm of a negative number."""
    head, loss = model.head, model.loss
    if loss is None:
        return
    if loss not in LOSSES[head]:
        heads = [name for name, losses in LOSSES.items() if loss in losses]
        raise ValueError(
            f"model.loss {loss} does not train model.head {head}, whose losses are {_either(LOSSES[head])}; {loss} is "
            f"a loss of model.head {_either(heads)}"
        )
    classes = model.classes or 2
    if head == "direction" and loss != LOSSES[head][classes - 2]:
        raise ValueError(
            f"model.loss {loss} is not the loss of model.classes {classes}, which is {LOSSES[head][classes - 2]}: two "
            f"classes have one probability (sigmoid), three have three that add up to 1 (softmax)"
        )
    if loss == "msle" and target.transform != "price":
        raise ValueError(
            "model.loss msle takes the logarithm of the target, and log returns are often negative: it needs "
            "target.transform price; for log returns use mse, mae or huber"
        )
    if loss == "msle" and scaler not in ("minmax", "none"):
        raise ValueError(
            f"model.loss msle takes the logarithm of the scaled price, and scaler {scaler} makes prices negative: use "
            f"scaler minmax or none"
        )


def check_classes(model: ModelConfig) -> None:
    """Check that the keys of the direction are set for a head that uses them."""
    if model.classes is not None and model.head != "direction":
        raise ValueError(
            f"model.classes is the number of directions, which model.head {model.head} does not forecast: it needs "
            f"model.head direction"
        )
    if model.threshold is not None and (model.head, model.classes) != ("direction", 3):
        raise ValueError(
            "model.threshold separates flat from down and up, so it needs model.head direction with model.classes 3; "
            "two classes have no flat"
        )


def check_forecast(head: str, *, strategy: str, transform: str, calibration: str) -> None:
    """Check that the head can be fed back, forecast prices, and have the bands that the config wants."""
    if strategy == "recursive" and head != "point":
        forecast = {"direction": "a direction", "quantile": "quantiles"}.get(head, "a distribution")
        raise ValueError(
            f"model.head {head} forecasts {forecast}, and no single price that could be fed back for the next bar: it "
            f"needs strategy direct; for strategy recursive use model.head point"
        )
    if transform == "price" and head not in ("point", "quantile"):
        forecast = {
            "direction": "the direction of the log return",
            "histogram": "in bins of log returns, which prices leave as they grow",
        }.get(head, "log returns, around 0 and as wide as on the training days")
        raise ValueError(
            f"model.head {head} forecasts {forecast}: it needs target.transform log_return; for prices use model.head "
            f"point or quantile"
        )
    if head == "point" and calibration == "none":
        raise ValueError(
            "model.head point forecasts one number, and its bands come from the calibration days: calibration must be "
            "conformal or adaptive"
        )
    if head == "direction" and calibration != "none":
        raise ValueError(
            f"calibration {calibration} scales bands of prices, and model.head direction has none: leave the key "
            f"calibration out, or set it to none"
        )


def check_columns(target: TargetConfig, *, head: str, strategy: str, features: Sequence[str]) -> None:
    """Check that several target columns have a head that forecasts them, and inputs that can be fed back."""
    if len(target.names) == 1:
        return
    if head != "point":
        forecast = "the direction of one price" if head == "direction" else "one price"
        raise ValueError(
            f"target.columns forecasts each price as one number, and model.head {head} forecasts {forecast}: set "
            f"model.head to point, or target.column in place of target.columns"
        )
    if strategy == "recursive" and target.transform != "price":
        raise ValueError(
            "strategy recursive with target.columns feeds prices back: set target.transform to price, or strategy to "
            "direct"
        )
    unknown = [name for name in features if target.source(name) is None]
    if strategy == "recursive" and unknown:
        raise ValueError(
            f"strategy recursive feeds every input with its own forecast, and there is none of {', '.join(unknown)}: "
            f"add prices to target.columns, leave other features out, or set strategy to direct"
        )


def check_sequences(training: TrainingConfig, *, cell: str, strategy: str, window: int) -> None:
    """Check that every day of a sequence can have an output, and that a sequence is longer than the window."""
    length = training.sequence_length
    if training.targets == "last_day":
        if length is not None:
            raise ValueError(
                "training.sequence_length has no effect with training.targets last_day: leave it out, or set "
                "training.targets to every_day"
            )
        return
    if not CELLS[cell].is_causal:
        sees = "later days" if CELLS[cell].stack else "a whole window and nothing else"
        causal = [name for name, kind in CELLS.items() if kind.is_causal]
        raise ValueError(
            f"training.targets every_day forecasts from every day by the days before it, and model.cell {cell} sees "
            f"{sees}: set training.targets to last_day, or model.cell to {_either(causal)}"
        )
    if strategy == "recursive":
        raise ValueError(
            "training.targets every_day needs strategy direct: a recursive network forecasts one bar from its window "
            "alone. Set training.targets to last_day, or strategy to direct"
        )
    if length is not None and length <= window:
        raise ValueError(
            f"training.sequence_length {length} must be more than window {window}, whose bars come before the first "
            f"output; leave it out for {SEQUENCE_WINDOWS * window}"
        )


def check_scale(target: TargetConfig, *, data: DataConfig, strategy: str) -> None:
    """Check that the unit of the targets fits them, and that several series share one."""
    if target.scale == "volatility" and (strategy, target.transform) != ("direct", "log_return"):
        raise ValueError(
            "target.scale volatility is a unit of log returns from the origin on: it needs strategy direct and "
            "target.transform log_return"
        )
    if len(data.path) > 1 and target.scale != "volatility":
        raise ValueError(
            "the series in data.path have no scale in common: set target.scale to volatility, and features to those "
            "without a unit (stockcast config init writes them)"
        )


def check_feedback(target: TargetConfig, *, strategy: str, features: Sequence[str]) -> None:
    """Check that the only input of a recursive forecast is the only column that it forecasts."""
    if strategy != "recursive" or len(target.names) > 1:
        return
    if target.transform == "log_return" and target.column != "Close":
        raise ValueError("strategy recursive with log returns forecasts the Close: target.column must be Close")
    fed_back = target.column if target.transform == "price" else "log_return"
    if tuple(features) != (fed_back,):
        raise ValueError(f"strategy recursive feeds its forecast back as its only input: features must be [{fed_back}]")


def check_size(model: ModelConfig, ensemble: EnsembleConfig, *, parameters: int, window: int, features: int) -> None:
    """Check that the networks fit into memory; `parameters` is the number of them in all members together."""
    members, mlp = ensemble.members, ensemble.mlp.layers
    if mlp and 2 * members > MAX_NETWORKS:
        raise ValueError(
            f"ensemble.members {members} with ensemble.mlp.layers are {2 * members} networks, and {MAX_NETWORKS} are "
            f"the most; use {MAX_NETWORKS // 2} members"
        )
    if parameters > MAX_PARAMETERS:
        with_mlp = f" and ensemble.mlp.layers {list(mlp)}" if mlp else ""
        raise ValueError(
            f"model.cell {model.cell} with model.layers {list(model.layers)}{with_mlp}, a window of {window} bars of "
            f"{features} inputs and ensemble.members {members} makes about {parameters / 1e6:,.0f} million parameters, "
            f"and {MAX_PARAMETERS // 10**6} million is the most; use fewer or smaller layers, a shorter window, or "
            f"fewer members"
        )


def _either(names: Sequence[str]) -> str:
    return join_words(list(names), last="or")
