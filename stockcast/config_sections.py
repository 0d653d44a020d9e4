"""The sections of a config, as frozen values that refuse strangers."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from stockcast.config_values import (
    LOSS_NAMES,
    CellName,
    Day,
    Encoding,
    HeadName,
    LossName,
    Paths,
    Section,
    Separator,
    Share,
    Units,
    listed,
    must_be,
)
from stockcast.data.reading import Reading
from stockcast.models.heads import LOSSES


class DataConfig(Section):
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
        if any(isinstance(path, str) and "://" in path for path in listed(paths)):
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


class TargetConfig(Section):
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


class SplitConfig(Section):
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


class ModelConfig(Section):
    """The network: layers of one kind with dropout after each, then one dense layer."""

    cell: CellName = Field(
        "lstm",
        description="What is stacked: recurrent layers; conv, causal dilated convolutions that together see the whole "
        "window; last_day, dense layers on the last day's inputs alone; or linear, no layers at all: the dense layer "
        "sees the whole window.",
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

    @field_validator("loss")
    @classmethod
    def _is_a_loss(cls, loss: str | None, known: ValidationInfo) -> str | None:
        head = known.data.get("head")  # a word that is no loss at all: what trains this head is of use, and no other
        if loss is not None and not any(loss in losses for losses in LOSSES.values()):
            why = f", which train{'s' if len(LOSSES[head]) == 1 else ''} model.head {head}" if head else ""
            raise ValueError(must_be(loss, LOSSES[head] if head else LOSS_NAMES, why=why))
        return loss

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


class TrainingConfig(Section):
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


class BesideConfig(Section):
    """Networks of the last day's inputs alone, one beside each of training.members and averaged with them all.

    They overfit less than what reads the whole window, and err elsewhere. All else is as in model and training.
    """

    layers: Annotated[tuple[Units, ...], Field(max_length=8)] = Field(
        (), description="Units of their dense layers, such as [32]; [] for no such networks."
    )
    learning_rate: float = Field(1e-3, gt=0, le=10, description="Step size of the optimizer, at first.")
    windows_per_epoch: int | None = Field(
        None, ge=1, description="Windows that an epoch draws, each at most once; null for all."
    )

    @model_validator(mode="after")
    def _is_of_some_network(self) -> Self:
        known = type(self).model_fields
        idle = [key for key in ("learning_rate", "windows_per_epoch") if getattr(self, key) != known[key].default]
        if idle and not self.layers:
            raise ValueError(
                f"beside.{idle[0]} is of networks that there are not: set beside.layers, such as [32], or leave "
                f"beside.{idle[0]} out"
            )
        return self
