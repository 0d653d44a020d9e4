"""The YAML a user edits, as frozen values that refuse strangers."""

import json
from collections.abc import Collection
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from stockcast import yamlfile
from stockcast.config_errors import explain
from stockcast.config_sections import BesideConfig, DataConfig, ModelConfig, SplitConfig, TargetConfig, TrainingConfig
from stockcast.config_values import FeatureName, Section
from stockcast.errors import ConfigError
from stockcast.models.factory import count_weights
from stockcast.models.heads import Head, make_head, misfit

MAX_PARAMETERS = 50_000_000
"""Of all networks together; the default has 0.15 million. Beyond, memory would end before training."""

MAX_NETWORKS = 32
"""Members and networks beside them; what is read of a run is bounded for as many."""


class Config(Section):
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
    beside: BesideConfig = BesideConfig()

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

    def over(self, **days: date | None) -> "Config":
        """Return the same config with another `data.start` or `data.end`; None for the file's own."""
        return self.model_copy(update={"data": self.data.model_copy(update=days)})

    @property
    def networks(self) -> int:
        """Networks that are trained and averaged: the members, and as many beside them where there are such."""
        return self.training.members * (2 if self.beside.layers else 1)

    @property
    def head(self) -> Head:
        """What the network says."""
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
        kinds = [(model.cell, model.layers, model.shortcut)]
        if self.beside.layers:
            kinds.append(("last_day", self.beside.layers, False))
        each = sum(
            count_weights(
                cell=cell,
                layers=layers,
                shortcut=shortcut,
                window=self.window,
                features=len(self.features),
                horizon=self.steps,
                parameters=self.head.parameters,
            )
            for cell, layers, shortcut in kinds
        )
        if self.networks > MAX_NETWORKS:
            raise ValueError(
                f"training.members {self.training.members} with beside.layers are {self.networks} networks, and "
                f"{MAX_NETWORKS} are the most; use {MAX_NETWORKS // 2} members"
            )
        if each * self.training.members > MAX_PARAMETERS:
            beside = f" and beside.layers {list(self.beside.layers)}" if self.beside.layers else ""
            raise ValueError(
                f"model.cell {model.cell} with model.layers {list(model.layers)}{beside}, a window of {self.window} "
                f"days of {len(self.features)} inputs and training.members {self.training.members} makes about "
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
    in_file = deepcopy(values)
    for override in overrides:
        _apply(values, override)
    try:
        return _valid(values)
    except ValidationError as error:
        alone = _errors_of(in_file) if overrides else None
        raise ConfigError(
            explain(error, Config, source=source, lines=lines, overrides=overrides, alone=alone)
        ) from None


def _valid(values: dict[str, Any]) -> Config:
    model = values.get("model")
    if isinstance(model, dict) and model.get("head") == "direction":
        values.setdefault("calibration", "none")  # it has no bands, so it need not be said
    # By way of JSON, whose strict types are YAML's: lists for tuples, text for dates and paths.
    return Config.model_validate_json(json.dumps(values, default=str))


def _errors_of(values: dict[str, Any]) -> ValidationError | None:
    """What is wrong with a file before anything of it is overridden."""
    try:
        _valid(values)
    except ValidationError as error:
        return error
    return None


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
