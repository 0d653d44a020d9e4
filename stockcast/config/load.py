"""A YAML file and overrides -> a validated config."""

import json
from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from stockcast.config import yaml
from stockcast.config.bundled import bundled_configs, find_config
from stockcast.config.data_section import DataConfig
from stockcast.config.errors import config_error
from stockcast.config.schema import Config
from stockcast.data.csv.options import STDIN, CsvOptions, is_price_file
from stockcast.errors import ConfigError

Overrides = Collection[str] | Mapping[str, Any]
"""`KEY=VALUE` texts as of `--set`, or values by dotted key."""

_READING_KEYS = (
    *("calendar", "date_format", "encoding", "separator", "decimal", "ticker", "columns"),
    *("resample", "frequency", "bar_date", "sheet", "covariates"),
)
READING_KEYS = tuple(f"data.{key}" for key in _READING_KEYS)
"""What overrides set about how a price file is read, and which exchange's sessions date its forecast."""


def load_config(
    config: Path | str | None = None,
    overrides: Overrides = (),
    *,
    on_message: Callable[[str], None] = lambda message: None,
) -> Config:
    """Return a config, with overrides applied to it.

    Args:
        config: a YAML file, whose paths are relative to it; the name of a shipped config, such as `quick`; a price
            file or a folder of such files, for which a config is made; None for the default.
        overrides: `["training.epochs=3"]`, where values are YAML, or `{"training.epochs": 3}`; paths are relative to
            the working directory.
        on_message: called with the calendar that is chosen for a CSV, unless the overrides set it.

    Raises:
        ConfigError: there is no such config, or a key or value is wrong.
        DataError: the price file cannot be used, or is standard input.
    """
    if config is not None and _names_prices(str(config)):
        from stockcast.config.starter import starter_config  # reads the file: pandas

        text = starter_config(
            Path(str(config)),
            folder=Path.cwd(),
            options=csv_options(overrides),
            calendar=calendar_of(overrides),
            on_message=on_message,
        )
        return parse_config(text, source=f"config for {config}", folder=Path.cwd(), overrides=overrides)
    path = config if isinstance(config, Path) else find_config(config)
    return parse_config(yaml.read(path), source=str(path), folder=path.parent, overrides=overrides)


def _names_prices(config: str) -> bool:
    """Whether a config is named by prices: a file, standard input, or a folder, unless a shipped one is called so."""
    is_folder = Path(config).is_dir() and config not in bundled_configs()
    return is_price_file(config) or config == str(STDIN) or is_folder


def check_reading(overrides: Overrides, *, advice: str) -> None:
    """Check that overrides set only how a price file is read, `READING_KEYS`; ConfigError names another one."""
    for override in overrides:
        key = override.partition("=")[0].strip()
        if key not in READING_KEYS and not key.startswith("data.columns."):
            raise ConfigError(
                f"{key}: only how a price file is read can be set here: {', '.join(READING_KEYS)}. {advice}", key=key
            )


def csv_options(overrides: Overrides) -> CsvOptions:
    """Return how a price file is read, by the overrides of `data` alone: there is no config for the others yet.

    Raises:
        ConfigError: one of them is wrong.
    """
    return _data_config(overrides).csv_options


def calendar_of(overrides: Overrides) -> str | None:
    """Return the exchange that the overrides set, None if they do not.

    Raises:
        ConfigError: an override of `data` is wrong.
    """
    data = _data_config(overrides)
    return data.calendar if "calendar" in data.model_fields_set else None


def _data_config(overrides: Overrides) -> DataConfig:
    # A file of covariates goes with features, which are not known here.
    of_data: Overrides = [
        override
        for override in overrides
        if override.strip().startswith("data.") and override.partition("=")[0].strip() != "data.covariates"
    ]
    if isinstance(overrides, Mapping):
        of_data = {key: overrides[key] for key in of_data}
    return parse_config("name: x\ndata: {path: x}\n", source="overrides", folder=Path.cwd(), overrides=of_data).data


def parse_config(text: str, *, source: str, folder: Path, overrides: Overrides = ()) -> Config:
    """Turn YAML text into a config; `source` names it in errors, paths in it are relative to `folder`.

    Raises:
        ConfigError: as `load_config`.
    """
    values, lines = yaml.parse_mapping(text, source=source)
    _resolve(values, folder)
    in_file = deepcopy(values)
    if isinstance(overrides, Mapping):
        applied = [_Override(key, value, f"{key}={value}"[:80]) for key, value in overrides.items()]
    else:
        applied = [_parse_override(override) for override in overrides]
    for override in applied:
        _apply(values, override)
    try:
        return _validate(values)
    except ValidationError as error:
        raise config_error(
            error,
            Config,
            source=source,
            lines=lines,
            overrides={override.key: override.text for override in applied},
            option="overrides" if isinstance(overrides, Mapping) else "--set",
            alone=_errors_of(in_file) if applied else None,
        ) from None


def _validate(values: dict[str, Any]) -> Config:
    model = values.get("model")
    if isinstance(model, dict) and model.get("head") == "direction":
        values.setdefault("calibration", "none")  # it has no bands, so the key may be left out
    # By way of JSON, whose strict types are YAML's: lists for tuples, text for dates and paths.
    return Config.model_validate_json(json.dumps(values, default=str))


def _errors_of(values: dict[str, Any]) -> ValidationError | None:
    """What is wrong with a file before anything of it is overridden."""
    try:
        _validate(values)
    except ValidationError as error:
        return error
    return None


def _resolve(values: dict[str, Any], folder: Path) -> None:
    """Make paths of `data` absolute, in place: relative to `folder`. A URL and `-` are left for the key's check."""

    def resolved(stated: Any, key: str) -> Any:
        stated = str(stated) if isinstance(stated, Path) else stated
        if not isinstance(stated, str) or "://" in stated or stated == str(STDIN):
            return stated
        try:
            path = Path(stated).expanduser() if stated.startswith("~") else Path(stated)  # ./~x is a file
            return str((folder / path).resolve())
        except (OSError, RuntimeError, ValueError) as error:  # the home of an unknown user, a NUL, a loop of links
            raise ConfigError(f"{key} = {stated!r} is not a path: {error}.", key=key, value=stated) from error

    data = values.get("data")
    if not isinstance(data, dict):
        return
    for name in ("path", "covariates"):
        if name in data:
            stated, key = data[name], f"data.{name}"
            data[name] = [resolved(path, key) for path in stated] if isinstance(stated, list) else resolved(stated, key)


class _Override(NamedTuple):
    """A dotted key, its value, and both as messages write them."""

    key: str
    value: Any
    text: str


def _parse_override(text: str) -> _Override:
    """Parse `KEY=VALUE`, whose value is YAML."""
    key, equals, written = (part.strip(" ") for part in text.partition("="))
    shown = f"--set {text[:80]}"
    if not equals:
        raise ConfigError(f"{shown}: expected KEY=VALUE, as in --set training.epochs=3.", value=text)
    # A percent sign, a comma, a bar and a tab begin no value in YAML, but date formats and separators; a dash alone is
    # an empty list in YAML, and standard input elsewhere.
    if written.startswith("%") or written in {",", "|", "\t", "-"}:
        return _Override(key, written, shown)
    try:
        return _Override(key, yaml.parse(written, source=f"--set {key[:80]}"), shown)
    except ConfigError as error:
        raise ConfigError(str(error), key=key, value=written) from None


def _apply(values: dict[str, Any], override: _Override) -> None:
    """Set the key of an override, in place."""
    keys = [part.strip() for part in override.key.split(".")]
    if not all(keys) or len(keys) > 8:
        raise ConfigError(
            f"{override.text}: expected KEY=VALUE, as in --set training.epochs=3."
            if override.text.startswith("--set")
            else f"overrides: {override.key[:80]!r} is not a key of a config, such as training.epochs.",
            key=override.key,
            value=override.value,
        )
    section = values
    for key in keys[:-1]:
        section = section.setdefault(key, {})
        if not isinstance(section, dict):
            raise ConfigError(
                f"{override.text}: {key} is a value, not a section with keys of its own.",
                key=override.key,
                value=override.value,
            )
    section[keys[-1]] = list(override.value) if isinstance(override.value, tuple) else override.value
    if keys[0] == "data":
        _resolve(values, Path.cwd())
