"""What pydantic finds wrong with a config, in the words of the file."""

import difflib
from collections.abc import Collection
from typing import Any

from pydantic import BaseModel, ValidationError

from stockcast.yamlfile import Lines


def explain(
    error: ValidationError,
    config: type[BaseModel],
    *,
    source: str,
    lines: Lines,
    overrides: Collection[str] = (),
    alone: ValidationError | None = None,
) -> str:
    """Say what is wrong, a sentence a key: file, line, key, what was found, what is allowed, what the key means.

    Args:
        error: what pydantic found.
        config: the model it was held against.
        source: names the file.
        lines: of the keys in the file.
        overrides: `KEY=VALUE`, what was set on top of the file.
        alone: what pydantic finds wrong with the file without them; None for nothing.
    """
    overridden = {override.partition("=")[0].strip() for override in overrides}
    known = {_identity(problem) for problem in alone.errors(include_url=False)} if alone else set()
    given = "".join(f" --set {override[:80]}" for override in overrides)
    reasons: dict[str, list[str]] = {}
    said: dict[str, str] = {}
    for problem in error.errors(include_url=False):
        if problem["type"] == "default_factory_not_called":
            continue  # it waits for another key that is wrong, and told
        keys, description = _known_part(config, tuple(str(part) for part in problem["loc"]))
        key = ".".join(keys)
        if any(other.startswith(f"{key}.") for other in said):
            continue  # a list is wrong because of its item: said once
        in_file = f"{source}, line {lines[keys]}" if keys in lines else source
        by_set = any(f"{key}.".startswith(f"{one}.") for one in overridden) or (
            keys not in lines and any(one.startswith(f"{key}.") for one in overridden if key)
        )
        # A file that is right by itself is not to blame for what it does not go with.
        by_both = bool(given) and _identity(problem) not in known
        place = "--set" if by_set else f"{in_file}, with{given}" if by_both else in_file
        if problem["type"] == "extra_forbidden":
            sentence = f"unknown key {key}.{_nearest(config, keys)}"
        elif problem["type"] == "missing":
            sentence = f"key {key} is missing. {description}"
        else:
            reasons.setdefault(key, []).append(_reason(problem))  # one for each branch of a union
            reason = ", or ".join(dict.fromkeys(reasons[key]))
            if by_set and reason.endswith(_QUOTE):  # the shell takes the outer ones
                reason += f""", as in --set '{key}="ON"'"""
            found = "" if isinstance(problem["input"], dict) else f" = {problem['input']!r}"
            sentence = f"{key}{found}: {reason}. {description}" if key else f"{reason}."
        said[key] = f"{place}: {sentence.strip()}"
    return "\n".join(said.values())


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


def _known_part(config: type[BaseModel], loc: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """The place of an error as the user wrote it, and the key's description.

    Pydantic appends to it the branch of a union that it tried; no section of ours has a key of that name.
    """
    section: Any = config
    for depth, key in enumerate(loc):
        field = section.model_fields.get(key)
        if field is None:  # an unknown key
            return loc[: depth + 1], ""
        section = field.annotation
        if not (isinstance(section, type) and issubclass(section, BaseModel)):
            item = loc[depth + 1 : depth + 2] if loc[depth + 1 : depth + 2] and loc[depth + 1].isdigit() else ()
            return (*loc[: depth + 1], *item), field.description or ""
    return loc, ""


def _nearest(config: type[BaseModel], keys: tuple[str, ...]) -> str:
    """Ask whether a known key was meant: first one of the same section, then one of the same name elsewhere."""
    known = _all_keys(config)
    section = ".".join(keys[:-1])
    here = [key for key in known if key.rpartition(".")[0] == section]
    leaves = {key.rpartition(".")[2]: key for key in reversed(known)}
    near = difflib.get_close_matches(".".join(keys), here, n=1)
    if not near and (leaf := difflib.get_close_matches(keys[-1], leaves, n=1)):
        near = [leaves[leaf[0]]]
    return f" Did you mean {near[0]}?" if near else ""


def _all_keys(config: type[BaseModel], prefix: str = "") -> list[str]:
    """Every key of a config, dotted."""
    keys = []
    for name, field in config.model_fields.items():
        keys.append(f"{prefix}{name}")
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            keys += _all_keys(field.annotation, f"{prefix}{name}.")
    return keys
