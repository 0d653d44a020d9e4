"""The forms in which forecasts are written, known by their columns alone."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from stockcast.errors import DataError
from stockcast.judging.columns import CUTOFFS, STARTS, STEPS, TARGETS, IdColumns
from stockcast.text import join_words, printable_name


@dataclass(frozen=True)
class ValueColumn:
    """A column of numbers in a table that has a row for each day forecast.

    Attributes:
        name: of the column.
        model: that it is of; empty where another column, or the file's name, says it.
        level: of the quantile; None for a sample, and for a mean or another point.
        is_sample: whether it is one of many samples.
    """

    name: str
    model: str
    level: float | None
    is_sample: bool = False


@dataclass(frozen=True)
class Form:
    """A form of tables.

    Attributes:
        name: for messages.
        columns: what it has, for messages.
        reads: the columns that are no ids -> the ValueColumns among them; none where the table is of another form.
    """

    name: str
    columns: str
    reads: Callable[[Sequence[str]], list[ValueColumn]]


LONG = ("output_type", "output_type_id", "value")
"""Columns of hubverse's long form besides the ids."""


def _long(names: Sequence[str]) -> list[ValueColumn]:
    return [ValueColumn(name, "", None) for name in names if name == "value"] if {*LONG} <= {*names} else []


def _own(names: Sequence[str]) -> list[ValueColumn]:
    found = [ValueColumn(name, "", level) for name in names if (level := _own_level(name)) is not None]
    return found if any(each.level == 0.5 for each in found) and len(found) > 1 else []


def _own_level(name: str) -> float | None:
    if name == "median":
        return 0.5
    if match := re.fullmatch(r"(lower|upper)_(\d+(?:\.\d+)?)", name):
        return _of_band(match[1] == "upper", float(match[2]))
    match = re.fullmatch(r"quantile_(\d*\.?\d+(?:e-\d+)?)", name)
    return float(match[1]) if match else None


def _of_band(is_upper: bool, percent: float) -> float:
    """Return the level of an end of a central band; rounded, so that 97.5 is 0.9875 wherever it comes from."""
    return round((100 + percent if is_upper else 100 - percent) / 200, 10)


def _nixtla(names: Sequence[str]) -> list[ValueColumn]:
    found, models = [], []
    for name in names:
        if match := re.fullmatch(r"(.+)-(lo|hi)-(\d+(?:\.\d+)?)", name):
            found.append(ValueColumn(name, match[1], _of_band(match[2] == "hi", float(match[3]))))
        elif match := re.fullmatch(r"(.+)[-_]ql(\d*\.?\d+)", name):
            found.append(ValueColumn(name, match[1], float(match[2])))
        elif match := re.fullmatch(r"(.+)-median", name):
            found.append(ValueColumn(name, match[1], 0.5))
        else:
            models.append(name)
    points = [ValueColumn(name, name, None) for name in models]
    return [*found, *points] if found else []


def _nixtla_points(names: Sequence[str]) -> list[ValueColumn]:
    """Nixtla's form without levels: every other column is a model, and none looks like one of another form."""
    other = any(form([name]) for name in names for form in (_nixtla, _darts, _gluonts)) or {*LONG} & {*names}
    levels = any(_own_level(name) is not None for name in names)
    return [] if other or levels else [ValueColumn(name, name, None) for name in names]


def _darts(names: Sequence[str]) -> list[ValueColumn]:
    found = []
    for name in names:
        if match := re.fullmatch(r".*_q?(0?\.\d+|0|1|[01]\.0+)", name):
            found.append(ValueColumn(name, "", float(match[1])))
        elif re.fullmatch(r".*_s\d+", name):
            found.append(ValueColumn(name, "", None, is_sample=True))
    return found if len(found) == len(names) else []


def _gluonts(names: Sequence[str]) -> list[ValueColumn]:
    found = [ValueColumn(name, "", float(name)) for name in names if re.fullmatch(r"\d*\.?\d+", name)]
    points = [ValueColumn(name, "", None) for name in names if name == "mean"]
    return [*found, *points] if found and len(found) + len(points) == len(names) else []


HUBVERSE = Form("hubverse's long form", "output_type, output_type_id, value", _long)
OWN = Form("stockcast's forecasts.csv", "median, lower_90, upper_90, ...", _own)
NIXTLA = Form("Nixtla's wide form", "MODEL, MODEL-lo-90, MODEL-hi-90, ...", _nixtla)
NIXTLA_POINTS = Form("a column of points for each model", "unique_id, ds, cutoff, MODEL, ...", _nixtla_points)
DARTS = Form("darts' form", "close_q0.05, close_q0.5, ... or samples close_s0, close_s1, ...", _darts)
GLUONTS = Form("GluonTS' form", "0.1, 0.5, 0.9, mean", _gluonts)

FORMS = (HUBVERSE, OWN, NIXTLA, DARTS, GLUONTS, NIXTLA_POINTS)


def choose_form(names: Sequence[str], *, source: str) -> tuple[Form, IdColumns, list[ValueColumn]]:
    """Return the form of a table, the columns that say what a row is of, and those of numbers.

    Args:
        names: of all columns.
        source: the file or DataFrame, for messages.

    Raises:
        DataError: no form has these columns, or several have; or no column has the dates.
    """
    ids = IdColumns.among(names)
    values = ids.values_among(names)
    found = [(form, columns) for form in FORMS if (columns := form.reads(values))]
    error = partial(DataError, file=source, value=", ".join(names))
    if len(found) != 1 or (found[0][0] is NIXTLA_POINTS and ids.cutoff is None):
        fits = join_words([form.name for form, _ in found]) if found else "none of the forms that are read"
        listed = "\n".join(f"  {form.name}: {form.columns}" for form in FORMS)
        raise error(
            f"{source}: its columns ({_listed(names)}) are those of {fits}. Write the forecasts in one of these forms, "
            f"beside the columns of dates and of the series:\n{listed}",
            key="FORECASTS",
        )
    if ids.target is None:
        raise error(
            f"{source} has no column of dates: the day that is forecast must stand in one of "
            f"{join_words(TARGETS, last='or')}.",
            key="FORECASTS",
            column="ds",
        )
    if ids.cutoff is None and ids.start is None and ids.step is None:
        raise error(
            f"{source} has no column that tells what a forecast knew: give the last day known as one of "
            f"{join_words(CUTOFFS, last='or')}, the first day forecast as {join_words(STARTS, last='or')}, or the "
            f"sessions ahead as {join_words(STEPS, last='or')}.",
            key="FORECASTS",
            column="cutoff",
        )
    return found[0][0], ids, found[0][1]


def _listed(names: Sequence[str]) -> str:
    shown = [printable_name(name)[:40] for name in names[:12]]
    return ", ".join([*shown, "..."] if len(names) > len(shown) else shown)
