"""The sections of a config, as frozen values; the descriptions are the texts of the JSON Schema."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from stockcast.config.values import (
    LOSS_NAMES,
    CellName,
    Day,
    HeadName,
    LossName,
    Section,
    Share,
    Units,
    ValidationBlocks,
    must_be,
)
from stockcast.models.heads import LOSSES

SEQUENCE_WINDOWS = 4
"""Windows that a sequence is long, unless training.sequence_length is set."""

PriceName = Literal["Open", "High", "Low", "Close", "Adj Close"]


class TargetConfig(Section):
    """What is forecast."""

    column: PriceName = Field("Close", description="Price that is forecast.")
    columns: tuple[PriceName, ...] | None = Field(
        None,
        description="In place of column: prices that are forecast together, each with an output of its own. Close must "
        "be among them: it has the bands and is scored against the baselines.",
    )
    transform: Literal["log_return", "price"] = Field(
        "log_return", description="What the network outputs: the log return since the last day known, or the price."
    )
    scale: Literal["training", "volatility"] = Field(
        "training",
        description="Unit of log returns: their standard deviation on the training days (training); or the series' own "
        "volatility, as known at each origin, which several series need (volatility).",
    )
    adjusted: bool = Field(True, description="Adjust prices for splits and dividends, if the file has Adj Close.")

    @property
    def names(self) -> tuple[str, ...]:
        """The prices that the network forecasts: the columns, or the single column."""
        return self.columns or (self.column,)

    def source(self, feature: str) -> str | None:
        """Return the target column whose forecast is an input's next value; None where there is none."""
        # Adjusting makes Close the Adj Close.
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
                f"target.columns [{', '.join(self.columns)}] must be two or more prices, each once, and include Close, "
                f"which is scored; for a single price set target.column"
            )
        if self.adjusted and "Adj Close" in self.columns:
            raise ValueError(
                "target.adjusted makes Close equal to Adj Close, which would be forecast twice: leave Adj Close out of "
                "target.columns, or set target.adjusted to false"
            )
        return self

    @model_serializer(mode="wrap")
    def _as_one_of_both(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out the one of the two keys that is not set: they exclude each other."""
        unset = "column" if self.columns else "columns"
        return {key: value for key, value in write(self).items() if key != unset}


class SplitConfig(Section):
    """How the days are divided: training first, then these three; each a share of all days, or its first day."""

    validation: Share | Day | ValidationBlocks = Field(
        0.1,
        description="Days for early stopping: a share, or their first day; or blocks within the training days, as "
        "[[2001-01-01, 2002-12-31], [2008-07-01, 2009-06-30]], each with its first and last day, which no training "
        "window touches.",
    )
    calibration: Share | Day = Field(0.1, description="Days that calibrate the bands: a share, or their first day.")
    test: Share | Day = Field(0.2, description="Days that are scored, up to the last: a share, or their first day.")

    @model_validator(mode="after")
    def _leave_days_to_train(self) -> Self:
        taken = sum(part for part in (self.validation, self.calibration, self.test) if isinstance(part, float))
        if taken >= 1:
            raise ValueError(f"the shares add up to {taken:g} and leave no day for training; their sum must be below 1")
        blocks, calibration = self.validation, self.calibration
        if isinstance(blocks, tuple) and isinstance(calibration, date) and blocks[-1][1] >= calibration:
            raise ValueError(
                f"split.validation ends with a block up to {blocks[-1][1]}, and split.calibration begins on "
                f"{calibration}: blocks of validation lie before it, within the training days"
            )
        return self


class ModelConfig(Section):
    """The network: layers of one kind with dropout after each, then one dense layer."""

    cell: CellName = Field(
        "lstm",
        description="Kind of layer: recurrent; conv, causal dilated convolutions that together see the whole window; "
        "last_day, dense layers on the last day's inputs alone; or linear, only one dense layer on the whole window.",
    )
    layers: Annotated[tuple[Units, ...], Field(max_length=8)] = Field(
        default_factory=lambda known: () if known.get("cell") == "linear" else (50, 100),
        description="Units of each layer, first to last; [] for linear, which has none.",
        json_schema_extra={"default": [50, 100]},
    )
    dropout: float = Field(0.2, ge=0, lt=1, description="Share of activations dropped while training.")
    skip_connection: bool = Field(False, description="Give the dense layer the last day's inputs, too.")
    output_l2: float = Field(
        0.0,
        ge=0,
        le=1,
        description="L2 penalty on the weights of the dense layer: pulls student_t towards its unit (target.scale).",
    )
    head: HeadName = Field(
        "student_t",
        description="What the network forecasts: a distribution of prices (student_t, skewed_t, quantile, histogram), "
        "a single price (point), or the probabilities of up and down (direction).",
    )
    loss: LossName | None = Field(
        None,
        description="Loss that training minimizes; null for the first of the head's losses: "
        + "; ".join(f"{head}: {', '.join(losses)}" for head, losses in LOSSES.items())
        + " (with three classes).",
    )
    classes: Literal[2, 3] | None = Field(
        None, description="Of head direction: 2, down and up; 3, down, flat and up; null for 2."
    )
    threshold: float | None = Field(
        None,
        gt=0,
        le=5,
        description="With three classes: the largest move that is flat, in standard deviations of one bar's log return "
        "(see target.scale) times the square root of the bars ahead; null for 0.4.",
    )

    @field_validator("loss")
    @classmethod
    def _is_a_loss(cls, loss: str | None, known: ValidationInfo) -> str | None:
        head = known.data.get("head")
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
                "model.cell linear has no layers: it is one dense layer on the whole window. Set model.layers to [] or "
                "leave it out, or choose another model.cell, such as lstm"
            )
        if cell not in (None, "linear") and not layers:
            raise ValueError(
                f"model.cell {cell} needs at least 1 layer, such as [50, 100]; a network without layers is "
                f"model.cell linear"
            )
        return layers


class TrainingConfig(Section):
    """How the network is trained."""

    epochs: int = Field(50, ge=1, le=10_000, description="Largest number of passes over the training windows.")
    targets: Literal["last_day", "every_day"] = Field(
        "last_day",
        description="Days with targets in a pass through the network: the last day of a window (last_day), or every "
        "day of a sequence from the window-th on (every_day), which makes many times as many targets per second. The "
        "network forecasts from windows either way.",
    )
    sequence_length: int | None = Field(
        None,
        ge=2,
        le=5000,
        description="With targets every_day: bars of a sequence, more than window; null for "
        f"{SEQUENCE_WINDOWS} windows.",
    )
    batch_size: int = Field(64, ge=1, le=65_536, description="Windows per training step, or sequences.")
    learning_rate: float = Field(1e-3, gt=0, le=10, description="Step size of the optimizer at the start.")
    lr_schedule: Literal["constant", "cosine", "exponential"] = Field(
        "constant",
        description="How the step size changes over training.epochs: not at all; along half a cosine to zero; or by "
        "the same factor each epoch, to a hundredth.",
    )
    optimizer: Literal["adam", "rmsprop", "sgd"] = Field("adam", description="Optimizer.")
    clip_value: float | None = Field(None, gt=0, description="Largest absolute gradient of a weight; null for none.")
    clip_norm: float | None = Field(
        default_factory=lambda known: None if known.get("clip_value") else 1.0,
        gt=0,
        description="Largest gradient norm of a weight matrix; null for none, the default with clip_value.",
        json_schema_extra={"default": 1.0},
    )
    weight_decay: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Decoupled weight decay: share of every weight, times the step size, that each step subtracts "
        "(with adam: AdamW).",
    )
    patience: int = Field(5, ge=1, le=10_000, description="Epochs without a better loss before training stops.")
    monitor: Literal["val_loss", "loss"] = Field(
        "val_loss",
        description="Loss that patience and the best epoch go by: val_loss, on the validation days; or loss, on the "
        "training days, which goes on falling while the network overfits.",
    )
    windows_per_epoch: int | None = Field(
        None, ge=1, description="Windows drawn per epoch, or days with targets in sequences; null for all."
    )
    seed: int = Field(0, ge=0, lt=2**31, description="Seed of the initial weights, the dropout and the shuffling.")

    @field_validator("clip_norm")
    @classmethod
    def _one_bound(cls, clip_norm: float | None, known: ValidationInfo) -> float | None:
        if clip_norm is not None and known.data.get("clip_value") is not None:
            raise ValueError("training.clip_value bounds gradients, too; set one of the two to null")
        return clip_norm


class MlpConfig(Section):
    """Networks of dense layers on the last day's inputs alone, one for each of ensemble.members, averaged with them.

    They overfit less than networks that see the whole window, and err differently. Other keys: see model and training.
    """

    layers: Annotated[tuple[Units, ...], Field(max_length=8)] = Field(
        (), description="Units of each dense layer; [] for no such networks."
    )
    learning_rate: float = Field(1e-3, gt=0, le=10, description="Step size of the optimizer at the start.")
    windows_per_epoch: int | None = Field(None, ge=1, description="Windows drawn per epoch; null for all.")

    @model_validator(mode="after")
    def _has_layers(self) -> Self:
        known = type(self).model_fields
        idle = [key for key in ("learning_rate", "windows_per_epoch") if getattr(self, key) != known[key].default]
        if idle and not self.layers:
            raise ValueError(
                f"ensemble.mlp.{idle[0]} has no effect without ensemble.mlp.layers: set ensemble.mlp.layers, such as "
                f"[32], or leave ensemble.mlp.{idle[0]} out"
            )
        return self


class EnsembleConfig(Section):
    """Networks whose outputs are averaged."""

    members: int = Field(1, ge=1, le=32, description="Networks, trained from consecutive seeds.")
    mlp: MlpConfig = MlpConfig()


class TunedConfig(Section):
    """How the config was chosen; `stockcast tune` writes it, and what is judged by it states it."""

    trials: int = Field(ge=1, description="Configs that it was chosen among, the starting one included.")
    folds: int = Field(ge=1, description="Folds on which they were scored.")
    before: Day = Field(description="First calibration day of the tuning; all folds end before it.")
