"""The YAML a user edits, as frozen values; unknown keys are rejected."""

from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer, model_validator

from stockcast.config import rules, yaml
from stockcast.config.covariates import CovariateConfig, check_covariates, known_columns, own_columns
from stockcast.config.data_section import DataConfig
from stockcast.config.sections import (
    SEQUENCE_WINDOWS,
    EnsembleConfig,
    ModelConfig,
    SplitConfig,
    TargetConfig,
    TrainingConfig,
    TunedConfig,
)
from stockcast.config.values import FeatureName, Section
from stockcast.data.csv.options import CsvOptions, OwnColumn
from stockcast.data.split import Blocks
from stockcast.models.build import count_weights
from stockcast.models.heads import Head, make_head
from stockcast.models.settings import NetworkSettings


class Config(Section):
    """Everything a run is made from."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        description="Name of the runs: letters, digits, dot, dash and underscore.",
    )
    data: DataConfig
    features: Annotated[tuple[FeatureName, ...], Field(min_length=1, max_length=32)] = Field(
        ("log_return", "abs_return"),
        description="Inputs of the network for each bar: computed features, plain columns, or own:NAME, a column of "
        "numbers that is no bar, such as own:VIX; or known:NAME, a column of data.covariates that is known ahead, such "
        "as known:Earnings.",
    )
    covariates: Annotated[dict[str, CovariateConfig], Field(max_length=32)] = Field(
        {},
        description="By name of an own column among features, how it becomes an input, as {VIX: {transform: "
        "log_change, carry: 5}}; columns that are not listed have the defaults.",
    )
    target: TargetConfig = TargetConfig()
    split: SplitConfig = SplitConfig()
    window: int = Field(50, ge=1, le=1000, description="Bars the network is given: trading days, weeks or months.")
    horizon: int = Field(50, ge=1, le=250, description="Bars that are forecast: trading days, weeks or months.")
    strategy: Literal["direct", "recursive"] = Field(
        "direct", description="direct: all bars ahead at once; recursive: one bar ahead, fed back as the next input."
    )
    scaler: Literal["standard", "minmax", "robust", "none"] = Field(
        "standard", description="How inputs are scaled; fitted on the training days."
    )
    calibration: Literal["adaptive", "conformal", "none"] = Field(
        "adaptive",
        description="Width of the bands: fitted on the calibration days (conformal), and updated day by day as prices "
        "arrive (adaptive); or as the network outputs them (none; the default of head direction, which has no bands).",
    )
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    ensemble: EnsembleConfig = EnsembleConfig()
    tuned: TunedConfig | None = Field(
        None, description="How stockcast tune chose this config, which writes it; null for a config that it did not."
    )

    @field_validator("features")
    @classmethod
    def _once_each(cls, features: tuple[str, ...]) -> tuple[str, ...]:
        if repeated := sorted({name for name in features if features.count(name) > 1}):
            raise ValueError(f"{', '.join(repeated)} is listed twice")
        return features

    @model_serializer(mode="wrap")
    def _without_an_empty_section(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out `tuned` where the config was not tuned: a run's config.yaml stays what it was."""
        return {key: value for key, value in write(self).items() if key != "tuned" or value is not None}

    @property
    def steps(self) -> int:
        """Days ahead that the network forecasts in one pass."""
        return 1 if self.strategy == "recursive" else self.horizon

    @property
    def sequence_length(self) -> int | None:
        """Bars of the sequences that the networks are trained on; None for windows."""
        training = self.training
        return None if training.targets == "last_day" else training.sequence_length or SEQUENCE_WINDOWS * self.window

    def with_data_span(self, **days: date | None) -> "Config":
        """Return the same config with another `data.start` or `data.end`; None for the file's own."""
        return self.model_copy(update={"data": self.data.model_copy(update=days)})

    def with_ticker(self, ticker: str | None) -> "Config":
        """Return the same config for one series of its files; None for files of one."""
        return self.model_copy(update={"data": self.data.model_copy(update={"ticker": (ticker,) if ticker else None})})

    @property
    def own_columns(self) -> tuple[OwnColumn, ...]:
        """The columns of one's own among the features, and how each becomes an input."""
        return own_columns(self.features, self.covariates)

    @property
    def known_columns(self) -> tuple[str, ...]:
        """Names of the columns among the features that are known ahead."""
        return known_columns(self.features)

    @property
    def csv_options(self) -> CsvOptions:
        """How the price files are read, own columns among them."""
        return replace(self.data.csv_options, own=self.own_columns, known=self.known_columns)

    def first_day(self, part: str) -> date | None:
        """Return the first day of a part other than training; None where the split holds a share.

        Validation that lies within the training days in blocks begins where they end, with calibration.
        """
        border = getattr(self.split, part)
        if part == "validation" and self.blocks:
            border = self.split.calibration
        return border if isinstance(border, date) else None

    @property
    def blocks(self) -> Blocks:
        """The blocks of validation days within the training days; empty where validation follows them."""
        return self.split.validation if isinstance(self.split.validation, tuple) else ()

    @property
    def adapt_from(self) -> np.datetime64 | None:
        """First day whose outcome bands adapt to, of calibration; None where they do not adapt."""
        return np.datetime64(str(self.split.calibration), "D") if self.calibration == "adaptive" else None

    def network_settings(self, *, mlp: bool = False, cell: str | None = None) -> NetworkSettings:
        """Return the layers of the recurrent networks, or of `ensemble.mlp`; `cell` replaces the config's."""
        model = self.model
        return NetworkSettings(
            cell=cell or ("last_day" if mlp else model.cell),
            layers=self.ensemble.mlp.layers if mlp else model.layers,
            dropout=model.dropout,
            skip_connection=model.skip_connection and not mlp,
            output_l2=model.output_l2,
        )

    @property
    def networks(self) -> int:
        """Networks that are trained and averaged: the members, and as many of `ensemble.mlp` where it has layers."""
        return self.ensemble.members * (2 if self.ensemble.mlp.layers else 1)

    @property
    def head(self) -> Head:
        """What the network's outputs mean."""
        return make_head(
            self.model.head,
            loss=self.model.loss,
            classes=self.model.classes,
            threshold=self.model.threshold,
            of_prices=self.target.transform == "price",
            columns=len(self.target.names),
        )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        head, strategy, target, features = self.model.head, self.strategy, self.target, self.features
        rules.check_frequency(self.data)
        rules.check_known(self.data, features)
        rules.check_may_lack(self.data, target=target)
        rules.check_loss(self.model, target=target, scaler=self.scaler)
        rules.check_classes(self.model)
        rules.check_forecast(head, strategy=strategy, transform=target.transform, calibration=self.calibration)
        rules.check_columns(target, head=head, strategy=strategy, features=features)
        rules.check_scale(target, data=self.data, strategy=strategy)
        rules.check_sequences(self.training, cell=self.model.cell, strategy=strategy, window=self.window)
        rules.check_feedback(target, strategy=strategy, features=features)
        check_covariates(features, self.covariates, file=self.data.covariates)
        parameters = self._count_parameters()
        rules.check_size(self.model, self.ensemble, parameters=parameters, window=self.window, features=len(features))
        return self

    def _count_parameters(self) -> int:
        """Count what all networks train, without building them."""
        sizes = {"window": self.window, "features": len(self.features), "horizon": self.steps}
        return self.ensemble.members * sum(
            count_weights(self.network_settings(mlp=mlp), parameters=self.head.parameters, **sizes)
            for mlp in ((False, True) if self.ensemble.mlp.layers else (False,))
        )

    def to_yaml(self) -> str:
        """Return YAML that `load_config` turns into this value again."""
        return yaml.dump(self.model_dump(mode="json"))
