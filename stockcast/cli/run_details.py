"""What is known of one run, in a screenful of lines or in full."""

import json
import re
import shutil
import textwrap
from typing import Any

from stockcast.config import yaml
from stockcast.errors import ConfigError
from stockcast.runs.listing import Details, Summary

_PLAIN = re.compile(r"[\w./:-][\w ./:-]*")  # text that stands without quotes
_SCREEN = 60  # lines of the short form
_NAMES_SHOWN = 5  # series of the training, in the short form
_WIDTH = 100  # columns where there is no terminal
_ITEMS_SHOWN = 20
_LETTERS_SHOWN = 1000  # of one value: a verdict has about 400


def state(summary: Summary) -> str:
    """Return whether a run is whole, being trained, interrupted or damaged, and whether it ships with stockcast."""
    if summary.condition.state == "unfinished":
        since = f" since {summary.created}" if summary.created else ""
        return f"being trained{since}" if summary.is_training else "interrupted"
    return f"{summary.condition.state}, ships with stockcast" if summary.shipped else summary.condition.state


def short(details: Details) -> list[str]:
    """Return the lines that tell a run from others: its training, what its config sets, and its last verdict."""
    summary, made = details.summary, details.made
    ended = summary.to_json()["ended"]
    lines = [f"{summary.name}: {state(summary)}", *fault_lines(summary.condition.faults)]
    lines += _line("ended", None if ended is None else f"{ended} UTC")
    lines += _line("trained on", details.trained_on or _series(made.get("series")))
    for name, value in made.items():
        if name not in ("created", "series", "machine"):
            lines += _line(name, _in_line(value))
    if details.scores:
        lines.append("scores:")
        for name, value in details.scores.items():
            lines += _line(name, value if isinstance(value, str) else _flow(value), "  ")
    if details.config is not None:
        lines += ["config, where it sets something:", *_config(details.config)]
    for where, verdict in (("on its test days", details.verdict), _pool(details)):
        if verdict:
            lines += _line(f"verdict {where}", verdict[-1])
    if len(lines) > _SCREEN - 1:
        lines = [*lines[: _SCREEN - 2], f"and {len(lines) - _SCREEN + 2} more lines"]
    return [*lines, "All of it: --verbose, or --json."]


def full(details: Details) -> list[str]:
    """Return all that is known of a run; of a long list the first lines."""
    lines = [f"{details.summary.name}: {state(details.summary)}", *fault_lines(details.summary.condition.faults)]
    if details.trained_on is not None:
        lines.append(f"trained on: {details.trained_on}")
    for name, value in details.made.items():
        if name != "series" or details.trained_on is None:
            lines += _value_lines(name, value)
    if details.scores:
        lines += _value_lines("scores", details.scores)
    if details.config is not None:
        lines += ["config:", *textwrap.indent(details.config.rstrip(), "  ").splitlines()]
    if details.verdict is not None:
        lines += ["verdict:", *(f"  {sentence}" for sentence in details.verdict)]
    where, verdict = _pool(details)
    return [*lines, f"verdict {where}:", *(f"  {sentence}" for sentence in verdict)] if verdict else lines


def fault_lines(faults: tuple[str, ...]) -> list[str]:
    """Return the first faults of a run, a line each."""
    return [*(f"  {fault}" for fault in faults[:_ITEMS_SHOWN]), *_rest(len(faults), "")]


def _pool(details: Details) -> tuple[str, tuple[str, ...]]:
    pool = details.pool
    return ("", ()) if pool is None else (f"on {pool.members} series, {pool.folder}", pool.verdict)


def _line(name: str, text: str | None, indent: str = "") -> list[str]:
    """Return a value after its name, wrapped; nothing for an unknown one."""
    if text is None:
        return []
    words = " ".join(text[:_LETTERS_SHOWN].split())
    return textwrap.wrap(f"{name}: {words}", _columns(), initial_indent=indent, subsequent_indent=f"{indent}  ")


def _columns() -> int:
    return max(20, shutil.get_terminal_size((_WIDTH, 24)).columns)


def _series(series: Any) -> str | None:
    """Return the first series of the training with their days, and how many there are."""
    if not isinstance(series, list):
        return None
    known = [each for each in series if isinstance(each, dict)]
    named = [f"{each.get('name')} ({each.get('first')} to {each.get('last')})" for each in known[:_NAMES_SHOWN]]
    return ", ".join(named) + (f" and {len(series) - len(named)} more" if len(series) > len(named) else "")


def _in_line(value: Any) -> str:
    if isinstance(value, dict):
        if set(value) == {"first", "last"}:
            return f"{value['first']} to {value['last']}"
        return "; ".join(f"{name} {_in_line(item)}" for name, item in list(value.items())[:_ITEMS_SHOWN])
    if isinstance(value, list):
        more = " ..." if len(value) > _ITEMS_SHOWN else ""
        return (
            ", ".join(_flow(item) if isinstance(item, list) else _in_line(item) for item in value[:_ITEMS_SHOWN]) + more
        )
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _config(text: str) -> list[str]:
    """Return each section of a stored config on a line of its own, without keys that hold nothing."""
    try:
        config = yaml.parse(text, source="config.yaml")
    except ConfigError:
        return []
    if not isinstance(config, dict):
        return []
    lines = []
    for name, value in config.items():
        if not _is_nothing(value):
            lines += _line(name, _flow(value), "  ")
    return lines


def _is_nothing(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_nothing, value.values()))
    return value is None or value is False or value == []


def _flow(value: Any) -> str:
    """Return a value as YAML has it on one line, without keys that hold nothing."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items() if not _is_nothing(item)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return str(value) if isinstance(value, str) and _PLAIN.fullmatch(value) else json.dumps(value, default=str)


def _value_lines(name: str, value: Any, indent: str = "") -> list[str]:
    """Return a plain value as YAML would look, a key a line; of a long list the first lines."""
    if isinstance(value, dict | list) and value and len(indent) < 8:
        items = list(value.items()) if isinstance(value, dict) else [("-", item) for item in value]
        inner = (line for key, item in items[:_ITEMS_SHOWN] for line in _value_lines(key, item, f"{indent}  "))
        return [f"{indent}{name}:", *inner, *_rest(len(items), indent)]
    if isinstance(value, dict | list):
        return []
    text = " ".join(str(value)[:_LETTERS_SHOWN].split()) + ("..." if len(str(value)) > _LETTERS_SHOWN else "")
    return [f"{indent}{name} {text}" if name == "-" else f"{indent}{name}: {text}"]


def _rest(count: int, indent: str) -> list[str]:
    return [f"{indent}  and {count - _ITEMS_SHOWN:,} more"] if count > _ITEMS_SHOWN else []
