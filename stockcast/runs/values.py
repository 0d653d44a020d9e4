"""Values read from a run, which anybody may have made: one of the wrong kind counts as missing."""

import math
from collections.abc import Sequence
from typing import Any

from stockcast.text import printable


def mapping(value: Any) -> dict[str, Any]:
    """Return a value read from a run if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def word(value: Any, *, most: int = 60) -> str | None:
    """Return a value read from a run as a short printable text in one line, None if it is no text."""
    return " ".join(printable(value[:most]).split()) if isinstance(value, str) and value else None


def number(value: Any) -> float | None:
    """Return a value read from a run as a finite number, None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # a whole number of hundreds of digits
        return None


def plain(value: Any) -> Any:
    """Return a value read from a run so that it can be printed as JSON: text printable, numbers finite."""
    if isinstance(value, dict):
        return {printable(str(key)): plain(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(inner) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if number(value) is not None else None
    return printable(str(value))


def score_of(metrics: dict[str, Any]) -> str:
    """Return the score that the skills of metrics.json are of; without one, as older runs have it, it is the CRPS."""
    return "Brier" if metrics.get("score") == "brier" else "CRPS"


def skills_of(comparison: dict[str, Any]) -> dict[str, float]:
    """Return the skill against each baseline in a comparison of metrics.json, 1 - score / score of the baseline."""
    skills = {word(name): number(value) for name, value in mapping(comparison.get("skill")).items()}
    return {name: value for name, value in skills.items() if name is not None and value is not None}
