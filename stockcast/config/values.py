"""Types of a config's values: known names, days, shares, paths, encodings."""

import difflib
import re
from collections.abc import Callable, Collection
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from stockcast.data.csv.names import spelling
from stockcast.data.csv.own_header import KNOWN, MOST_LETTERS, OWN, is_name
from stockcast.data.features import FEATURES
from stockcast.data.known_days import KNOWN_DAYS, is_known_column
from stockcast.data.own_columns import is_own
from stockcast.models.heads import HEADS, LOSSES
from stockcast.models.layers import CELLS
from stockcast.text import join_words


def _one_of(known: Collection[str]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in known:
            raise ValueError(must_be(value, known))
        return value

    return check


def must_be(value: str, known: Collection[str], *, why: str = "") -> str:
    """Return which names are allowed, why these, and which is the nearest."""
    near = difflib.get_close_matches(value, known, n=1) if len(known) > 1 else []
    choice = "one of " if len(known) > 1 else ""
    return f"must be {choice}{', '.join(sorted(known))}{why}" + (f"; perhaps {near[0]}" if near else "")


def _feature(value: str) -> str:
    """Check the name of a feature, or of a column of one's own."""
    if is_own(value) or is_known_column(value):
        prefix = OWN if is_own(value) else KNOWN
        if not is_name(value.removeprefix(prefix)):
            raise ValueError(f"should be {prefix}NAME, with at most {MOST_LETTERS} letters, on one line and without $")
        for day in KNOWN_DAYS:
            if spelling(value) == spelling(day):
                raise ValueError(f"is spelled {day}, what the calendar announces; a column needs another name")
    elif value not in (names := [*FEATURES, *KNOWN_DAYS]):
        raise ValueError(
            must_be(value, names)
            + f". A column of your own is {OWN}NAME, as {OWN}VIX, and one that is known ahead {KNOWN}NAME"
        )
    return value


_FEATURE_SCHEMA = {
    "anyOf": [
        {"type": "string", "enum": [*FEATURES, *KNOWN_DAYS]},
        {"type": "string", "pattern": f"^({OWN}|{KNOWN})[^$]{{1,{MOST_LETTERS}}}$"},
    ]
}
FeatureName = Annotated[str, AfterValidator(_feature), WithJsonSchema(_FEATURE_SCHEMA)]
CellName = Annotated[str, AfterValidator(_one_of(CELLS)), Field(json_schema_extra={"enum": [*CELLS]})]
HeadName = Annotated[str, AfterValidator(_one_of(HEADS)), Field(json_schema_extra={"enum": [*HEADS]})]
LOSS_NAMES = list(dict.fromkeys(loss for losses in LOSSES.values() for loss in losses))
LossName = Annotated[str, Field(json_schema_extra={"enum": LOSS_NAMES})]


def _only_iso(value: Any) -> Any:
    """Keep pydantic from taking numbers for seconds since 1970."""
    if not (isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value)):
        raise ValueError("should be a date such as 2015-01-02")
    return value


Day = Annotated[date, Field(strict=False), BeforeValidator(_only_iso)]


def _in_order(blocks: tuple[tuple[date, date], ...]) -> tuple[tuple[date, date], ...]:
    """Check that each block ends after it begins, and begins after the one before ends."""
    days = [day for block in blocks for day in block]
    if any(later <= earlier for earlier, later in pairwise(days)):
        raise ValueError("must be blocks in the order of time, each with its first and its last day, none overlapping")
    return blocks


ValidationBlocks = Annotated[
    tuple[Annotated[tuple[Day, Day], Field(strict=False)], ...],
    Field(strict=False, min_length=1, max_length=32),
    AfterValidator(_in_order),
]
Share = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Units = Annotated[int, Field(ge=1, le=2048)]


class Section(BaseModel):
    """A part of a config: frozen; unknown keys, numbers in quotes and NaN are rejected."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def as_list(paths: Any) -> Any:
    """Return a single path as a list."""
    return paths if isinstance(paths, list) else [paths]


def _unlisted(paths: tuple[Path, ...]) -> str | list[str]:
    """Return a list with a single path as that path."""
    return str(paths[0]) if len(paths) == 1 else [str(path) for path in paths]


_PATHS_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}

Paths = Annotated[
    tuple[Path, ...],
    Field(min_length=1, max_length=1000, strict=False),
    BeforeValidator(as_list),
    PlainSerializer(_unlisted, when_used="json"),
    WithJsonSchema(_PATHS_SCHEMA),
]


def _tickers(value: Any) -> tuple[str, ...]:
    names = tuple(as_list(value))
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"should be text, not {value!r}: put it in quotes")
    if not names or not all(names) or len(set(names)) < len(names):
        raise ValueError("should name a series, or list several, each once")
    return names


Ticker = Annotated[
    tuple[str, ...],
    Field(strict=False),
    BeforeValidator(_tickers),
    PlainSerializer(lambda names: names[0] if len(names) == 1 else list(names), when_used="json"),
    WithJsonSchema(_PATHS_SCHEMA),
]


def _whole_columns(columns: dict[str, str | int]) -> dict[str, str | int]:
    """Check that a date and a close are named, each column once, and all by name or all by number."""
    if missing := [name for name in ("Date", "Close") if name not in columns]:
        raise ValueError(f"must name {missing[0]}")
    if len({type(column) for column in columns.values()}) > 1:
        raise ValueError("must be all names or all numbers")
    twice = [column for column in columns.values() if list(columns.values()).count(column) > 1]
    if twice:
        raise ValueError(f"has column {twice[0]!r} for {join_words([n for n, c in columns.items() if c == twice[0]])}")
    return columns


ColumnName = Literal["Date", "Open", "High", "Low", "Close", "Adj Close", "Volume", "Ticker"]
Columns = Annotated[
    dict[ColumnName, Annotated[int, Field(ge=1)] | Annotated[str, Field(min_length=1)]], AfterValidator(_whole_columns)
]


def _known_encoding(name: str) -> str:
    """Check that an encoding is one of text: Python calls zip and base64 encodings, too."""
    try:
        "".encode(name)
    except (LookupError, ValueError):
        raise ValueError("is not a text encoding of Python, such as utf-8, cp1252 or utf-16") from None
    return name


Encoding = Annotated[str, AfterValidator(_known_encoding)]
Separator = Annotated[Literal[",", ";", "tab", "|"], BeforeValidator(lambda value: "tab" if value == "\t" else value)]
