"""The YAML a user edits, as frozen values that refuse strangers."""

import difflib
import json
import re
from collections.abc import Callable, Collection
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_serializer,
    model_validator,
)

from stockcast import yamlfile
from stockcast.config_errors import explain
from stockcast.data.features import FEATURES
from stockcast.data.reading import Reading
from stockcast.errors import ConfigError
from stockcast.models.cells import CELLS
from stockcast.models.factory import count_weights
from stockcast.models.heads import HEADS, LOSSES, make_head, misfit


def _one_of(known: Collection[str]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in known:
            near = difflib.get_close_matches(value, known, n=1)
            raise ValueError(f"must be one of {', '.join(sorted(known))}" + (f"; perhaps {near[0]}" if near else ""))
        return value

    return check


FeatureName = Annotated[str, AfterValidator(_one_of(FEATURES)), Field(json_schema_extra={"enum": [*FEATURES]})]
CellName = Annotated[str, AfterValidator(_one_of(CELLS)), Field(json_schema_extra={"enum": [*CELLS]})]
HeadName = Annotated[str, AfterValidator(_one_of(HEADS)), Field(json_schema_extra={"enum": [*HEADS]})]
_LOSS_NAMES = list(dict.fromkeys(loss for losses in LOSSES.values() for loss in losses))
LossName = Annotated[str, AfterValidator(_one_of(_LOSS_NAMES)), Field(json_schema_extra={"enum": _LOSS_NAMES})]


def _only_iso(value: Any) -> Any:
    """Keep pydantic from taking numbers for seconds since 1970."""
    if not (isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value)):
        raise ValueError("should be a date such as 2015-01-02")
    return value


Day = Annotated[date, Field(strict=False), BeforeValidator(_only_iso)]
Share = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Units = Annotated[int, Field(ge=1, le=2048)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _listed(paths: Any) -> Any:
    """One path is a list of one."""
    return paths if isinstance(paths, list) else [paths]


def _unlisted(paths: tuple[Path, ...]) -> str | list[str]:
    """A list of one is written as the one path."""
    return str(paths[0]) if len(paths) == 1 else [str(path) for path in paths]


_PATHS_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}

Paths = Annotated[
    tuple[Path, ...],
    Field(min_length=1, max_length=1000, strict=False),
    BeforeValidator(_listed),
    PlainSerializer(_unlisted, when_used="json"),
    WithJsonSchema(_PATHS_SCHEMA),
]


def _known_encoding(name: str) -> str:
    """Python also calls zip and base64 encodings; those make no text."""
    try:
        "".encode(name)
    except (LookupError, ValueError):
        raise ValueError("is no encoding that Python knows; utf-8, cp1252 or utf-16 are") from None
    return name


Encoding = Annotated[str, AfterValidator(_known_encoding)]
Separator = Annotated[Literal[",", ";", "tab", "|"], BeforeValidator(lambda value: "tab" if value == "\t" else value)]


class DataConfig(_Section):
    """Where the prices are."""

    path: Paths = Field(
        description="Price file (CSV with Date and Close at least), relative to this file; or a folder of such files, "
        "or a list of either: one network then learns from all, and the first is what evaluate and predict take."
    )
    calendar: str = Field(
        "XNYS", description="Exchange whose sessions date the forecasts, as exchange_calendars has it."
    )
    start: Day | None = Field(None, description="First day to use, 1999-01-04; null for the file's first.")
    end: Day | None = Field(None, description="Last day to use; null for the file's last.")
    date_format: str | None = Field(
        None, description="strptime format of the dates, '%d/%m/%Y'; null for the one that all of them have."
    )
    encoding: Encoding | None = Field(None, description="Encoding of the file, such as cp1252; null for UTF-8.")
    separator: Separator = Field(",", description="What separates the cells; tab stands for the tabulator.")
    decimal: Literal[".", ","] | None = Field(
        None, description="Decimal mark; the other then groups thousands. null for a point that no price contradicts."
    )
    ticker: str | None = Field(
        None, min_length=1, description="Series to take out of a file that holds several; quote it."
    )

    @field_validator("path", mode="before")
    @classmethod
    def _is_no_address(cls, paths: Any) -> Any:
        if any(isinstance(path, str) and "://" in path for path in _listed(paths)):
            raise ValueError("is an address, and stockcast reads files. Download it first")
        return paths

    @property
    def reading(self) -> Reading:
        """How the price files are to be read."""
        return Reading(
            date_format=self.date_format,
            encoding=self.encoding,
            separator="\t" if self.separator == "tab" else self.separator,
            decimal=self.decimal,
            ticker=self.ticker,
        )


PriceName = Literal["Open", "High", "Low", "Close", "Adj Close"]


class TargetConfig(_Section):
    """What is forecast."""

    column: PriceName = Field("Close", description="Price that is forecast.")
    columns: tuple[PriceName, ...] | None = Field(
        None,
        description="In place of column: prices that are forecast together, each with an answer of its own. Close must "
        "be among them; it is the one that has bands and is scored against the rivals.",
    )
    transform: Literal["log_return", "price"] = Field(
        "log_return", description="What the network answers: the log return since the last day known, or the price."
    )
    scale: Literal["training", "volatility"] = Field(
        "training",
        description="Unit of log returns: their deviation on the training days, or the series' own volatility as known "
        "at each origin, which is what several series have in common.",
    )
    adjusted: bool = Field(
        True, description="Adjust prices for splits and dividends by Adj Close, where the file has it."
    )

    @property
    def names(self) -> tuple[str, ...]:
        """The prices that the network answers: the columns, or the one."""
        return self.columns or (self.column,)

    def source(self, feature: str) -> str | None:
        """Return the forecast price that an input's next value is known by; None where none is.

        Adjusting makes Close the Adj Close.
        """
        name = "Close" if self.adjusted and feature == "Adj Close" else feature
        return name if name in self.names else None

    @model_validator(mode="after")
    def _names_columns_once(self) -> Self:
        if self.columns is None:
            return self
        if "column" in self.model_fields_set:
            raise ValueError("target.column and target.columns are both set: leave column out, or set columns to null")
        if len(set(self.columns)) < len(self.columns) or "Close" not in self.columns or len(self.columns) < 2:
            raise ValueError(
                f"target.columns [{', '.join(self.columns)}] must be two or more prices, each once, Close among them: "
                f"it is the one that is scored; for a single price set target.column"
            )
        if self.adjusted and "Adj Close" in self.columns:
            raise ValueError(
                "target.adjusted makes Close the Adj Close, and one price needs no two forecasts: leave Adj Close out "
                "of target.columns, or set target.adjusted to false"
            )
        return self

    @model_serializer(mode="wrap")
    def _as_one_of_both(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out the key of the two that is not set, as the other one would refuse it."""
        unset = "column" if self.columns else "columns"
        return {key: value for key, value in write(self).items() if key != unset}


class SplitConfig(_Section):
    """How the days are divided: training first, then these three; shares of all days, or the first day of each."""

    validation: Share | Day = Field(0.1, description="Days that stop training early: a share, or their first day.")
    calibration: Share | Day = Field(
        0.1,
        description="Days that measure the bands (see the key calibration): a share, or their first day.",
    )
    test: Share | Day = Field(0.2, description="Days that are reported, up to the last: a share, or their first day.")

    @model_validator(mode="after")
    def _leave_days_to_train(self) -> Self:
        taken = sum(part for part in (self.validation, self.calibration, self.test) if isinstance(part, float))
        if taken >= 1:
            raise ValueError(f"the shares add up to {taken:g} and leave no day for training; they must stay below 1")
        return self


class ModelConfig(_Section):
    """The network: layers of one kind with dropout after each, then one dense layer."""

    cell: CellName = Field(
        "lstm",
        description="What is stacked: recurrent layers; conv, causal dilated convolutions that together see the whole "
        "window; or linear, no layers at all: the dense layer sees the whole window.",
    )
    layers: Annotated[tuple[Units, ...], Field(max_length=8)] = Field(
        default_factory=lambda known: () if known.get("cell") == "linear" else (50, 100),
        description="Units of each layer, first to last; [] for linear, which has none.",
        json_schema_extra={"default": [50, 100]},
    )
    dropout: float = Field(0.2, ge=0, lt=1, description="Share of activations dropped while training.")
    shortcut: bool = Field(
        False, description="Let the dense layer see the last day's inputs beside what the layers say."
    )
    shrinkage: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Penalty on the dense layer's squared weights: pulls student_t towards what its unit says.",
    )
    head: HeadName = Field(
        "student_t",
        description="What the last layer says: a distribution of prices (student_t, skewed_t, quantile, histogram), a "
        "single price (point), or the probabilities of up and down (direction).",
    )
    loss: LossName | None = Field(
        None,
        description="What training lowers; null for the head's own, which is the first: "
        + "; ".join(f"{head}: {', '.join(losses)}" for head, losses in LOSSES.items())
        + " (with three classes).",
    )
    classes: Literal[2, 3] | None = Field(
        None, description="Of head direction: 2, down and up (null for these); or 3, down, flat and up."
    )
    threshold: float | None = Field(
        None,
        gt=0,
        le=5,
        description="Of three classes: the largest move that is flat, in deviations of a day's log return times the "
        "root of the days ahead (see target.scale); null for 0.4.",
    )

    @field_validator("layers")
    @classmethod
    def _fit_the_cell(cls, layers: tuple[int, ...], known: ValidationInfo) -> tuple[int, ...]:
        cell = known.data.get("cell")
        if cell == "linear" and layers:
            raise ValueError(
                "model.cell linear has no layers, it is the dense layer alone on the whole window: set model.layers to "
                "[] or leave it out; for layers choose another model.cell, such as lstm"
            )
        if cell not in (None, "linear") and not layers:
            raise ValueError(
                f"model.cell {cell} needs at least 1 layer, such as [50, 100]; a network without layers is "
                f"model.cell linear"
            )
        return layers


class TrainingConfig(_Section):
    """How the network is trained."""

    epochs: int = Field(50, ge=1, le=10_000, description="Passes over the training days, at the most.")
    batch_size: int = Field(64, ge=1, le=65_536, description="Windows per step.")
    learning_rate: float = Field(1e-3, gt=0, le=10, description="Step size of the optimizer, at first.")
    schedule: Literal["constant", "cosine", "exponential"] = Field(
        "constant",
        description="How the step size changes over all of training.epochs: not at all; along half a cosine down to "
        "zero; or by the same factor each epoch, down to a hundredth.",
    )
    optimizer: Literal["adam", "rmsprop", "sgd"] = Field("adam", description="Rule that turns gradients into steps.")
    clip_value: float | None = Field(
        None, gt=0, description="Largest gradient of a single weight, up or down; null for no such bound."
    )
    clip_norm: float | None = Field(
        default_factory=lambda known: None if known.get("clip_value") else 1.0,
        gt=0,
        description="Largest norm of the gradient of a weight matrix; null for no such bound, as where clip_value sets "
        "one.",
        json_schema_extra={"default": 1.0},
    )
    weight_decay: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of every weight, times the step size, that a step takes off it (with adam: AdamW).",
    )
    patience: int = Field(5, ge=1, le=10_000, description="Epochs without a better loss before it stops.")
    monitor: Literal["val_loss", "loss"] = Field(
        "val_loss",
        description="The loss that patience waits for and that picks the epoch to keep: val_loss, on the validation "
        "days; or loss, on the training days, which goes on falling while a network learns them by heart.",
    )
    windows_per_epoch: int | None = Field(
        None, ge=1, description="Windows that an epoch draws, each at most once; null for all."
    )
    members: int = Field(
        1, ge=1, le=32, description="Networks trained from seeds that follow each other; their outputs are averaged."
    )
    seed: int = Field(0, ge=0, lt=2**31, description="Seed of the first weights, the dropout and the shuffling.")

    @field_validator("clip_norm")
    @classmethod
    def _one_bound(cls, clip_norm: float | None, known: ValidationInfo) -> float | None:
        if clip_norm is not None and known.data.get("clip_value") is not None:
            raise ValueError("training.clip_value bounds gradients already; set one of the two to null")
        return clip_norm


MAX_PARAMETERS = 50_000_000
"""Of all members together; the default has 0.15 million. Beyond, memory would end before training."""


class Config(_Section):
    """Everything a run is made from."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        description="Name of the runs: letters, digits, dot, dash and underscore.",
    )
    data: DataConfig
    features: Annotated[tuple[FeatureName, ...], Field(min_length=1, max_length=32)] = Field(
        ("log_return", "abs_return"), description="What the network sees of each day, named inputs or plain columns."
    )
    target: TargetConfig = TargetConfig()
    split: SplitConfig = SplitConfig()
    window: int = Field(50, ge=1, le=1000, description="Trading days the network sees.")
    horizon: int = Field(50, ge=1, le=250, description="Trading days it forecasts.")
    strategy: Literal["direct", "recursive"] = Field(
        "direct", description="direct: all days ahead at once; recursive: one day ahead, fed back for the next."
    )
    scaler: Literal["standard", "minmax", "robust", "none"] = Field(
        "standard", description="How inputs are scaled, by what the training days show."
    )
    calibration: Literal["adaptive", "conformal", "none"] = Field(
        "adaptive",
        description="Bands: as wide as the calibration days show (conformal), and widened or narrowed day by day as "
        "prices come (adaptive); or as the network says (none; the default of head direction, which has no bands).",
    )
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()

    @field_validator("features")
    @classmethod
    def _once_each(cls, features: tuple[str, ...]) -> tuple[str, ...]:
        if repeated := sorted({name for name in features if features.count(name) > 1}):
            raise ValueError(f"{', '.join(repeated)} stands twice")
        return features

    @property
    def steps(self) -> int:
        """Days ahead that the network answers in one pass."""
        return 1 if self.strategy == "recursive" else self.horizon

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if reason := misfit(
            self.model.head,
            loss=self.model.loss,
            classes=self.model.classes,
            threshold=self.model.threshold,
            strategy=self.strategy,
            transform=self.target.transform,
            scaler=self.scaler,
            calibration=self.calibration,
        ):
            raise ValueError(reason)
        if len(self.target.names) > 1:
            self._fits_several_columns()
        if self.target.scale == "volatility" and (self.strategy, self.target.transform) != ("direct", "log_return"):
            raise ValueError(
                "target.scale volatility is a unit of log returns from the origin on: it needs strategy direct and "
                "target.transform log_return"
            )
        if len(self.data.path) > 1 and self.target.scale != "volatility":
            raise ValueError(
                "several series in data.path have no scale in common: set target.scale to volatility, and best the "
                "features that have no unit (stockcast config init writes them)"
            )
        if self.strategy == "recursive" and len(self.target.names) == 1:
            fed_back = self.target.column if self.target.transform == "price" else "log_return"
            if self.target.transform == "log_return" and self.target.column != "Close":
                raise ValueError("strategy recursive with log returns forecasts the Close: target.column must be Close")
            if self.features != (fed_back,):
                raise ValueError(
                    f"strategy recursive feeds its forecast back as its only input: features must be [{fed_back}]"
                )
        return self

    def _fits_several_columns(self) -> None:
        if self.model.head != "point":
            what = "says the direction of one" if self.model.head == "direction" else "answers one price"
            raise ValueError(
                f"target.columns forecasts each price as one number, and model.head {self.model.head} {what}: set "
                f"model.head to point, or target.column in place of target.columns"
            )
        if self.strategy == "recursive" and self.target.transform != "price":
            raise ValueError(
                "strategy recursive with target.columns feeds prices back: set target.transform to price, or strategy "
                "to direct"
            )
        stray = [name for name in self.features if self.target.source(name) is None]
        if self.strategy == "recursive" and stray:
            raise ValueError(
                f"strategy recursive feeds every input with its own forecast, and there is none of {', '.join(stray)}: "
                f"add prices to target.columns, leave other features out, or set strategy to direct"
            )

    @model_validator(mode="after")
    def _fits_into_memory(self) -> Self:
        model = self.model
        each = count_weights(
            cell=model.cell,
            layers=model.layers,
            shortcut=model.shortcut,
            window=self.window,
            features=len(self.features),
            horizon=self.steps,
            parameters=make_head(
                model.head,
                loss=model.loss,
                classes=model.classes,
                threshold=model.threshold,
                of_prices=self.target.transform == "price",
                columns=len(self.target.names),
            ).parameters,
        )
        if each * self.training.members > MAX_PARAMETERS:
            raise ValueError(
                f"model.cell {model.cell} with model.layers {list(model.layers)}, a window of {self.window} days of "
                f"{len(self.features)} inputs and training.members {self.training.members} makes about "
                f"{each * self.training.members / 1e6:,.0f} million parameters, and {MAX_PARAMETERS // 10**6} million "
                f"is the most; use fewer or smaller layers, a shorter window, or fewer members"
            )
        return self

    def to_yaml(self) -> str:
        """Return YAML that `load_config` turns into this value again."""
        return yamlfile.dump(self.model_dump(mode="json"))


def load_config(path: Path, overrides: Collection[str] = ()) -> Config:
    """Read a config file and apply `KEY=VALUE` overrides to it.

    Args:
        path: a YAML file; the paths in it are relative to it.
        overrides: `training.epochs=3`; values are YAML, paths are relative to the working directory.

    Raises:
        ConfigError: the file cannot be read, or a key or value is wrong; names file, line, key and bound.
    """
    return parse_config(yamlfile.read(path), source=str(path), folder=path.parent, overrides=overrides)


def parse_config(text: str, *, source: str, folder: Path, overrides: Collection[str] = ()) -> Config:
    """Turn YAML text into a config; `source` names it in errors, paths in it are relative to `folder`.

    Raises:
        ConfigError: as `load_config`.
    """
    values, lines = yamlfile.parse_mapping(text, source=source)
    _resolve(values, folder)
    for override in overrides:
        _apply(values, override)
    model = values.get("model")
    if isinstance(model, dict) and model.get("head") == "direction":
        values.setdefault("calibration", "none")  # it has no bands, so it need not be said
    try:
        # By way of JSON, whose strict types are YAML's: lists for tuples, text for dates and paths.
        return Config.model_validate_json(json.dumps(values, default=str))
    except ValidationError as error:
        overridden = {override.partition("=")[0].strip() for override in overrides}
        raise ConfigError(explain(error, Config, source=source, lines=lines, overridden=overridden)) from None


def _resolve(values: dict[str, Any], folder: Path) -> None:
    """Make `data.path` absolute, in place: relative to `folder`. An address is left for the check of the key."""

    def resolved(stated: Any) -> Any:
        if not isinstance(stated, str) or "://" in stated:
            return stated
        try:
            path = Path(stated).expanduser() if stated.startswith("~") else Path(stated)  # ./~x is a file
            return str((folder / path).resolve())
        except (OSError, RuntimeError, ValueError) as error:  # ~nobody, a NUL, a loop of links
            raise ConfigError(f"data.path = {stated!r} is no path: {error}.") from error

    data = values.get("data")
    if isinstance(data, dict) and "path" in data:
        stated = data["path"]
        data["path"] = [resolved(path) for path in stated] if isinstance(stated, list) else resolved(stated)


def _apply(values: dict[str, Any], override: str) -> None:
    """Set one dotted key, in place."""
    dotted, equals, text = override.partition("=")
    keys = [key.strip() for key in dotted.split(".")]
    if not equals or not all(keys) or len(keys) > 8:
        raise ConfigError(f"--set {override[:80]}: expected KEY=VALUE, as in --set training.epochs=3.")
    section = values
    for key in keys[:-1]:
        section = section.setdefault(key, {})
        if not isinstance(section, dict):
            raise ConfigError(f"--set {override}: {key} is a value, not a section with keys of its own.")
    # A percent sign, a comma, a bar and a tab begin no value in YAML, but date formats and separators.
    is_mark = text.startswith("%") or text in {",", "|", "\t"}
    section[keys[-1]] = text if is_mark else yamlfile.parse(text, source=f"--set {dotted}")
    if keys[0] == "data":
        _resolve(values, Path.cwd())
