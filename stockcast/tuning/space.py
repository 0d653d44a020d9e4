"""The keys of a config that are tuned, each with a range or choices: read from YAML, checked before any use."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from stockcast.config import yaml
from stockcast.config.errors import all_keys, nearest_key
from stockcast.config.load import parse_config
from stockcast.config.schema import Config
from stockcast.config.yaml import place_of
from stockcast.errors import ConfigError, ConfigProblem

DEFAULT_SPACE = Path(__file__).with_name("default_space.yaml")

_FIXED = {
    "name": "it names the runs",
    "tuned": "`stockcast tune` writes it",
    "data": "trials on other prices or other days cannot be compared",
    "covariates": "it belongs to the data, and trials on other data cannot be compared",
    "split": "it decides which days are scored, and the best split would be the one with the easiest days",
    "horizon": "it decides what is scored, and the best horizon would be the easiest one",
    "target": "it decides what is scored, and trials with other targets cannot be compared",
    "training.seed": "the best seed on past days is the luckiest one, and luck does not last",
    "model.classes": "it decides what is scored",
    "model.threshold": "it decides what is scored",
}
"""Keys that must not be tuned, and sections of such keys: why."""


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included.

    Attributes:
        low: whole, as `high` and `step`, where the config's key takes whole numbers alone.
        high: above `low`.
        step: from one value to the next; None for every number, or every whole one.
        log: whether to draw equal ratios as often, in place of equal differences.
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether all values are whole numbers."""
        return isinstance(self.low, int)

    def extremes(self) -> tuple[Any, ...]:
        """Return the values that stand for all when a config is checked."""
        return self.low, self.high

    def holds(self, value: Any) -> bool:
        """Whether a value is one of these."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        steps = 0.0 if self.step is None else (value - self.low) / self.step
        return abs(steps - round(steps)) < 1e-9 and (not self.is_whole or value == int(value))


@dataclass(frozen=True)
class Choices:
    """Values of which each trial takes one; plain, as YAML has them."""

    values: tuple[Any, ...]

    def extremes(self) -> tuple[Any, ...]:
        """Return the values that stand for all when a config is checked: each of them."""
        return self.values

    def holds(self, value: Any) -> bool:
        """Whether a value is one of these."""
        return value in self.values


@dataclass(frozen=True)
class Space:
    """What is tuned.

    Attributes:
        source: the file, for messages.
        text: its YAML.
        keys: by dotted key of the config, its range or choices, in the order of the file.
    """

    source: str
    text: str
    keys: Mapping[str, Range | Choices]

    def to_json(self) -> dict[str, Any]:
        """Return plain values that differ for each space, whatever its file is called."""
        return {key: vars(values) | {"kind": type(values).__name__} for key, values in self.keys.items()}

    def fingerprint(self) -> str:
        """Return a short hash of the keys and their values."""
        return hashlib.sha256(json.dumps(self.to_json()).encode()).hexdigest()[:8]

    def values_in(self, config: Config) -> dict[str, Any] | None:
        """Return the values that a config has for the keys; None where one of them is outside of the space."""
        dumped: Any = config.model_dump(mode="json")
        values = {key: _value_at(dumped, key) for key in self.keys}
        return values if all(self.keys[key].holds(value) for key, value in values.items()) else None


def load_space(path: Path | None, config: Config) -> Space:
    """Return the space in a YAML file, or the one that ships for None, once every value fits the config's schema.

    Raises:
        ConfigError: a key is unknown or must not be tuned, a range is empty, or the config cannot have a value. Names
            all that is wrong, each with its line.
    """
    path = path or DEFAULT_SPACE
    return parse_space(yaml.read(path), source=str(path), config=config)


def parse_space(text: str, *, source: str, config: Config) -> Space:
    """Return the space in a YAML text, as `load_space` does of a file."""
    values, lines = yaml.parse_mapping(text, source=source)
    if not values:
        raise ConfigError(f"{source}: no keys to tune. Name some, as in `window: {{low: 20, high: 100}}`.", file=source)
    keys: dict[str, Range | Choices] = {}
    problems = []
    for key, given in values.items():
        line = lines[(key,)]
        try:
            keys[key] = _values_of(key, given)
            _check_with(config, key, keys[key])
        except ConfigError as error:
            sentence = f"{place_of(source, line)}: {error}"
            problems.append(ConfigProblem(sentence, source, line, key, error.value))
    if problems:
        raise ConfigError.of(problems)
    return Space(source, text, keys)


def config_with(config: Config, values: Mapping[str, Any]) -> Config:
    """Return a config with other values for some dotted keys.

    Raises:
        ConfigError: they do not go together.
    """
    return parse_config(config.to_yaml(), source="the config", folder=Path("/"), overrides=dict(values))


def _values_of(key: str, given: Any) -> Range | Choices:
    """Check a key and what is given for it; ConfigError if it cannot be tuned, or not so."""
    fixed = next((name for name in _FIXED if f"{key}.".startswith(f"{name}.")), None)
    if fixed is not None:
        raise ConfigError(f"{key} must not be tuned: {_FIXED[fixed]}. Set it in the config.", value=given)
    known = all_keys(Config)
    if key not in known:
        raise ConfigError(f"unknown key {key}.{nearest_key(Config, tuple(key.split('.')))}", value=given)
    if inside := [name for name in known if name.startswith(f"{key}.")]:
        raise ConfigError(f"{key} is a section: name one of its keys, such as {inside[0]}.", value=given)
    if isinstance(given, list):
        return _choices(key, given)
    if isinstance(given, dict):
        return _range(key, given)
    raise ConfigError(
        f"{key} = {given!r}: a range, as {{low: 1, high: 10}}, or a list of choices is needed.", value=given
    )


def _choices(key: str, given: list[Any]) -> Choices:
    texts = [json.dumps(value, default=str) for value in given]
    if len(given) < 2:
        raise ConfigError(f"{key} has {len(given)} of at least 2 choices. Add some, or leave the key out.", value=given)
    if twice := [text for text in texts if texts.count(text) > 1]:
        raise ConfigError(f"{key} has the choice {twice[0]} twice.", value=given)
    return Choices(tuple(given))


_DIRECTION = "direction"
_FIELDS = ("low", "high", "step", "log")


def _range(key: str, given: dict[str, Any]) -> Range:
    fail = partial(ConfigError, value=given)
    if unknown := [name for name in given if name not in _FIELDS]:
        raise fail(f"{key}: unknown field {unknown[0]} of a range; it has {', '.join(_FIELDS)}.")
    if missing := [name for name in ("low", "high") if name not in given]:
        raise fail(f"{key}: the range has no {missing[0]}; it needs low and high.")
    number = _number_type(key)
    if number is None:
        raise fail(f"{key} takes no range of numbers: list its choices, as [a, b].")
    low, high, step = (_number(key, name, given.get(name), number) for name in ("low", "high", "step"))
    log = given.get("log", False)
    if not isinstance(log, bool):
        raise fail(f"{key}: log = {log!r} must be true or false.")
    if low is None or high is None:
        raise fail(f"{key}: low and high must be numbers.")
    if not low < high:
        raise fail(f"{key}: the range is empty: low {low:g} must be below high {high:g}.")
    if log and (low <= 0 or step is not None):
        raise fail(f"{key}: a range with log needs a low above 0, which is {low:g}, and no step.")
    if step is not None and not 0 < step <= high - low:
        raise fail(f"{key}: step {step:g} must be above 0, and at most {high - low:g} from low to high.")
    if step is not None and not Range(low, high, step).holds(high):
        last = low + int((high - low) / step) * step
        raise fail(f"{key}: steps of {step:g} from {low:g} do not reach high {high:g}; the last value is {last:g}.")
    return Range(low, high, step, log)


def _number(key: str, name: str, value: Any, number: Callable[[Any], float]) -> float | None:
    """Return a field of a range as the type of numbers that the key takes; ConfigError if it is none."""
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and value == value
    if not is_number or number(value) != value:
        kind = "a whole number" if number is int else "a number"
        raise ConfigError(f"{key}: {name} = {value!r} must be {kind}.", value=value)
    return number(value)


def _number_type(key: str) -> type[int] | type[float] | None:
    """Return the type of numbers that a key of the config takes; None where it takes none."""
    section: Any = Config
    *sections, name = key.split(".")
    for part in sections:
        section = section.model_fields[part].annotation
    if not (isinstance(section, type) and issubclass(section, BaseModel)):
        return None
    annotation = section.model_fields[name].annotation
    kinds = {annotation, *get_args(annotation)}
    return float if float in kinds else int if int in kinds else None


def _check_with(config: Config, key: str, values: Range | Choices) -> None:
    """Check that the config can have each value for the key; a rule that is of other keys too is left to the trials."""
    for value in values.extremes():
        if key == "model.head" and (value == _DIRECTION) != (config.model.head == _DIRECTION):
            raise ConfigError(
                f"{key} = {value!r}: some heads forecast prices and others directions, and trials that forecast "
                f"another thing than the config (head {config.model.head}) cannot be compared. Leave it out.",
                value=value,
            )
        try:
            config_with(config, {key: value})
        except ConfigError as error:
            if any(problem.key == key or str(problem.key).startswith(f"{key}.") for problem in error.problems):
                raise ConfigError(str(error), value=value) from None


def _value_at(values: Any, key: str) -> Any:
    for part in key.split("."):
        values = values[part]
    return values
