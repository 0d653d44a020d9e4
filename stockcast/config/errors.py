"""What pydantic finds wrong with a config -> a ConfigError in the words of the file."""

import difflib
import re
from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from stockcast.config.yaml import Lines, place_of
from stockcast.errors import ConfigError, ConfigProblem

RENAMED = {
    "beside": "ensemble.mlp",
    "model.shortcut": "model.skip_connection",
    "model.shrinkage": "model.output_l2",
    "training.members": "ensemble.members",
    "training.schedule": "training.lr_schedule",
}
"""Keys of older configs, which are rejected, and what they are called now."""


_OF_A_COLUMN = re.compile(r"(covariates\.[^:]+): ")


def config_error(
    error: ValidationError,
    config: type[BaseModel],
    *,
    source: str,
    lines: Lines,
    overrides: Mapping[str, str],
    option: str,
    alone: ValidationError | None,
) -> ConfigError:
    """Return an error with one problem for each wrong key: overrides first, then in the order of the file.

    Args:
        error: what pydantic found.
        config: the model that it validated.
        source: the file's name.
        lines: of the keys in the file.
        overrides: by key, as messages write them: `--set training.epochs=3`.
        option: what messages call the overrides: `--set`, or `overrides` where they are not texts of that option.
        alone: what pydantic finds wrong with the file without the overrides; None for nothing.
    """
    wrong_in_file = {_identity(problem) for problem in alone.errors(include_url=False)} if alone else set()
    joined = (" " if option == "--set" else ", ").join(overrides.values())
    reasons: dict[str, list[str]] = {}
    problems: dict[str, ConfigProblem] = {}
    for problem in error.errors(include_url=False):
        if problem["type"] == "default_factory_not_called":
            continue  # its default depends on another key, which is wrong and reported
        keys, description = _known_part(config, tuple(str(part) for part in problem["loc"]))
        key = ".".join(keys)
        if any(other.startswith(f"{key}.") for other in problems):
            continue  # a list is wrong because of its item, which is reported
        in_override = any(f"{key}.".startswith(f"{name}.") for name in overrides) or (
            bool(key) and keys not in lines and any(name.startswith(f"{key}.") for name in overrides)
        )
        reasons.setdefault(key, []).append(_reason(problem))  # one for each branch of a union
        reason = ", or ".join(dict.fromkeys(reasons[key]))
        value = None if problem["type"] == "missing" else problem["input"]
        named = key or _named_key(config, reason)
        if not key:
            value = _value_at(value, named)
        line = None if in_override else lines.get(tuple(named.split(".")))
        place = option if in_override else place_of(source, line)
        if overrides and not in_override and _identity(problem) not in wrong_in_file:
            place += f", with {joined}"  # the file is right without them
        if problem["type"] == "extra_forbidden":
            new_key = RENAMED.get(key)
            sentence = f"key {key} is now {new_key}." if new_key else f"unknown key {key}.{nearest_key(config, keys)}"
        elif problem["type"] == "missing":
            sentence = f"key {key} is missing. {description}"
        elif key:
            if in_override and option == "--set" and reason.endswith(_QUOTE):  # the shell removes the outer quotes
                reason += f""", as in --set '{key}="ON"'"""
            shown = "" if isinstance(value, dict) else f" = {value!r}"
            sentence = f"{key}{shown}: {reason}. {description}"
        else:
            sentence = f"{reason}."
        file = None if in_override else source
        problems[key] = ConfigProblem(f"{place}: {sentence.strip()}", file, line, named or None, value)
    return ConfigError.of(sorted(problems.values(), key=lambda problem: problem.line or 0))


def _identity(problem: Any) -> tuple[Any, ...]:
    """What tells one problem from another."""
    return problem["type"], problem["loc"], problem["msg"]


_QUOTE = ": put it in quotes"


def _reason(problem: Any) -> str:
    """What is wrong with a value, in the words of the file."""
    if problem["type"] == "string_pattern_mismatch":
        return "is not allowed"
    if problem["type"] == "too_short":
        return "needs at least 1 item"
    reason = str(problem["msg"]).removeprefix("Value error, ").replace("Input should", "should")
    if problem["type"] == "string_type" and not isinstance(problem["input"], dict | list | None):
        reason += _QUOTE
    return reason


def _named_key(config: type[BaseModel], reason: str) -> str:
    """The first key that the reason of a rule across sections names; empty where it names none."""
    known = all_keys(config)
    if begin := _OF_A_COLUMN.match(reason):  # a name of the user's, which may hold spaces
        return begin[1]
    return next((word for word in reason.replace(":", " ").split() if word in known), "")


def _value_at(values: Any, key: str) -> Any:
    for part in key.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return values


def _known_part(config: type[BaseModel], loc: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """The place of an error as the user wrote it, and the key's description.

    Pydantic appends the branch of a union that it tried; no section of ours has a key of that name.
    """
    section: Any = config
    field = None
    for depth, key in enumerate(loc):
        if model := _model_of_values(section):  # the key is a name of the user's
            section = model
            continue
        field = section.model_fields.get(key)
        if field is None:  # an unknown key
            return loc[: depth + 1], ""
        section = field.annotation
        if not (_model_of_values(section) or (isinstance(section, type) and issubclass(section, BaseModel))):
            item = tuple(part for part in loc[depth + 1 : depth + 2] if part.isdigit())
            return (*loc[: depth + 1], *item), field.description or ""
    return loc, (field.description or "") if field is not None else ""


def _model_of_values(kind: Any) -> type[BaseModel] | None:
    """The section that each name of a mapping has; None of any other type."""
    values = get_args(kind)[1] if get_origin(kind) is dict else None
    return values if isinstance(values, type) and issubclass(values, BaseModel) else None


def nearest_key(config: type[BaseModel], keys: tuple[str, ...]) -> str:
    """Suggest a known key, as a sentence: the nearest of the same section, else one of the same name elsewhere."""
    known = all_keys(config)
    section = ".".join(keys[:-1])
    here = [key for key in known if key.rpartition(".")[0] == section]
    leaves = {key.rpartition(".")[2]: key for key in reversed(known)}
    near = difflib.get_close_matches(".".join(keys), here, n=1)
    if not near and (leaf := difflib.get_close_matches(keys[-1], leaves, n=1)):
        near = [leaves[leaf[0]]]
    return f" Did you mean {near[0]}?" if near else ""


def all_keys(config: type[BaseModel], prefix: str = "") -> list[str]:
    """Every key of a config, dotted."""
    keys = []
    for name, field in config.model_fields.items():
        keys.append(f"{prefix}{name}")
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            keys += all_keys(field.annotation, f"{prefix}{name}.")
        elif model := _model_of_values(field.annotation):
            keys += all_keys(model, f"{prefix}{name}.NAME.")
    return keys
