"""A table of forecasts -> SubmittedForecasts of each model and series."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stockcast.evaluation.baselines.garch import sample_quantiles
from stockcast.forecast import LEVELS
from stockcast.judging.forms import HUBVERSE, ValueColumn
from stockcast.judging.keys import RowKeys, codes_of
from stockcast.judging.submitted import POINT, Kind, SubmittedForecasts
from stockcast.judging.tables import ForecastTable
from stockcast.text import join_words, plural, printable_name
from stockcast.typing import Days, Flags, Floats

FEWEST_SAMPLES = 20
"""Of a forecast: fewer say nothing of its 90 % band."""

_ROWS_AT_ONCE = 20_000  # of samples that are sorted together


@dataclass(frozen=True)
class ReadForecasts:
    """What a table holds.

    Attributes:
        forecasts: of each model and series.
        notes: how it was read, and what was left out, one sentence each.
    """

    forecasts: list[SubmittedForecasts]
    notes: list[str]


def read_rows(table: ForecastTable, *, model: str) -> ReadForecasts:
    """Return the forecasts of each model and series of a table; `model` names those of a table that names none.

    Raises:
        DataError: a date, number or level is none, a forecast stands twice, or the median is missing.
    """
    keys = RowKeys.of(table, model)
    notes: list[str] = []
    forecasts: list[SubmittedForecasts] = []
    read = _long_rows if table.form is HUBVERSE else _wide_rows
    for found in read(table, keys, notes):
        forecasts.append(found)
    if not forecasts:
        raise table.error("no row has a forecast")
    models, series = {each.model for each in forecasts}, {each.series for each in forecasts}
    cutoffs = len(np.unique(np.concatenate([each.cutoffs for each in forecasts])))
    levels = sorted({len(each.levels) for each in forecasts} - {1})
    parts = [f"quantiles at {join_words(list(map(str, levels)))} levels"] if levels else []
    parts += ["points"] if any(len(each.levels) == 1 for each in forecasts) else []
    first = (
        f"{table.source} is read as {table.form.name}: {plural(len(models), 'model')}, {len(series)} series, "
        f"{plural(cutoffs, 'cutoff')}, {join_words(parts)}."
    )
    return ReadForecasts(forecasts, [first, *notes])


def _wide_rows(table: ForecastTable, keys: RowKeys, notes: list[str]) -> Iterator[SubmittedForecasts]:
    """Yield forecasts of a table with a row for each day forecast."""
    rows = np.arange(len(table.frame))
    numbers = keys.numbers(rows)
    _refuse_repeats(table, keys, rows, numbers)
    names = list(dict.fromkeys(column.model for column in table.values))
    for name in names:
        own = [column for column in table.values if column.model == name]
        samples = [column for column in own if column.is_sample]
        quantiles = {column: column.level for column in own if column.level is not None}
        points = [column for column in own if column.level is None and not column.is_sample]
        kind: Kind = "samples" if samples else "quantiles" if quantiles else "points"
        if samples:
            values = np.column_stack([table.numbers(column.name) for column in samples])
            whole = np.asarray(np.isfinite(values).all(axis=1))
            levels, values = _of_samples(table, values[whole])
            values = _in_place(values, whole)
        else:
            levels, values = _of_columns(table, quantiles, points, notes)
        chosen = _whole_rows(table, values, notes, model=name)
        yield from keys.split(table, rows[chosen], levels, values[chosen], model=name, kind=kind)


def _of_columns(
    table: ForecastTable, quantiles: dict[ValueColumn, float], points: Sequence[ValueColumn], notes: list[str]
) -> tuple[Floats, Floats]:
    """Return levels, increasing, and the values of their columns, shape (rows, levels)."""
    by_level: dict[float, str] = {}
    for column, level in quantiles.items():
        _check_level(table, level, column.name)
        if level in by_level:
            raise table.error(
                f"columns {printable_name(by_level[level])} and {printable_name(column.name)} are both of the level "
                f"{level:g}. Keep those of one price and model",
                column=column.name,
            )
        by_level[level] = column.name
    if POINT not in by_level:
        if not points:
            raise table.error(_no_median(sorted(by_level)), column="median")
        by_level[POINT] = points[0].name
        if quantiles:
            notes.append(
                f"{table.source}: {printable_name(points[0].name)} stands in for the median, which is missing."
            )
    levels = sorted(by_level)
    return np.array(levels), np.column_stack([table.numbers(by_level[level]) for level in levels])


def _long_rows(table: ForecastTable, keys: RowKeys, notes: list[str]) -> Iterator[SubmittedForecasts]:
    """Yield forecasts of a table with a row for each number."""
    kinds, places = codes_of(table.texts("output_type"))
    values = table.numbers("value")
    of_kind = {name: places == kinds.index(name) for name in kinds}
    if strange := [name for name in kinds if name not in ("quantile", "sample", "median", "mean")]:
        counts = join_words([f"{of_kind[name].sum():,} of {printable_name(name)}" for name in strange])
        notes.append(f"{table.source}: rows without a price are left out: {counts}.")
    none = np.zeros(len(values), np.bool_)
    for number, name in enumerate(keys.models[0]):
        own = keys.models[1] == number
        rows = {
            kind: np.flatnonzero(own & of_kind.get(kind, none)) for kind in ("quantile", "sample", "median", "mean")
        }
        if len(rows["sample"]):
            yield from _samples_of(table, keys, rows["sample"], values)
        elif len(rows["quantile"]):
            chosen = np.concatenate([rows["quantile"], rows["median"]])
            levels = np.concatenate([_levels_of(table, rows["quantile"]), np.full(len(rows["median"]), POINT)])
            if POINT not in levels and len(rows["mean"]):
                chosen = np.concatenate([chosen, rows["mean"]])
                levels = np.concatenate([levels, np.full(len(rows["mean"]), POINT)])
                notes.append(f"{printable_name(name)}: its mean stands in for the median, which is missing.")
            yield from _pivot(table, keys, chosen, levels, values[chosen], notes, kind="quantiles")
        elif len(rows["median"]) or len(rows["mean"]):
            chosen = rows["median"] if len(rows["median"]) else rows["mean"]
            levels = np.full(len(chosen), POINT)
            yield from _pivot(table, keys, chosen, levels, values[chosen], notes, kind="points")


def _levels_of(table: ForecastTable, rows: Days) -> Floats:
    """Return the levels of rows of quantiles, in output_type_id."""
    column = "output_type_id"
    texts, codes = codes_of(table.texts(column))
    known = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(dtype=np.float64)
    levels = np.round(known, 10)[codes[rows]]
    wrong = ~((levels > 0) & (levels < 1))
    if wrong.any():
        row = int(rows[np.argmax(wrong)])
        raise table.error(
            f"the level {printable_name(texts[codes[row]])[:40] or 'that is empty'} is not that of a quantile: it must "
            f"be above 0 and below 1",
            row=row,
            column=column,
            value=texts[codes[row]],
        )
    return np.asarray(levels)


def _pivot(
    table: ForecastTable,
    keys: RowKeys,
    rows: Days,
    levels: Floats,
    values: Floats,
    notes: list[str],
    *,
    kind: Kind,
) -> Iterator[SubmittedForecasts]:
    """Yield forecasts of one model, given a row for each quantile."""
    distinct, place = np.unique(levels, return_inverse=True)
    if POINT not in distinct:
        raise table.error(_no_median(distinct.tolist()), column="output_type_id")
    _, first, forecast = np.unique(keys.numbers(rows), return_index=True, return_inverse=True)
    _refuse_repeats(table, keys, rows, forecast * len(distinct) + place, levels)
    quantiles = np.full((len(first), len(distinct)), np.nan)
    quantiles[forecast, place] = values
    chosen = _whole_rows(table, quantiles, notes, model=keys.models[0][keys.models[1][rows[0]]])
    yield from keys.split(table, rows[first][chosen], distinct, quantiles[chosen], kind=kind)


def _samples_of(table: ForecastTable, keys: RowKeys, rows: Days, values: Floats) -> Iterator[SubmittedForecasts]:
    """Yield forecasts of one model, given a row for each sample; each forecast has as many."""
    numbers = keys.numbers(rows)
    _, samples = codes_of(table.texts("output_type_id"))
    _refuse_repeats(table, keys, rows, numbers * (int(samples.max()) + 1) + samples[rows])
    order = np.argsort(numbers, kind="stable")
    _, first, counts = np.unique(numbers[order], return_index=True, return_counts=True)
    if len(set(counts.tolist())) > 1 or np.isnan(values[rows]).any():
        row = int(rows[order[first[np.argmin(counts)]]])
        raise table.error(
            f"its forecast has {counts.min()} samples and another one {counts.max()}, or a sample is empty. Give as "
            f"many samples of each",
            row=row,
            column="output_type_id",
        )
    levels, quantiles = _of_samples(table, values[rows[order]].reshape(len(first), -1))
    yield from keys.split(table, rows[order[first]], levels, quantiles, kind="samples")


def _of_samples(table: ForecastTable, samples: Floats) -> tuple[Floats, Floats]:
    """Return the levels that so many samples tell apart, and their quantiles, shape (rows, levels)."""
    count = samples.shape[1]
    if count < FEWEST_SAMPLES:
        raise table.error(f"{plural(count, 'sample')} of each forecast, and at least {FEWEST_SAMPLES} are needed")
    inside = (LEVELS * count >= 0.5) & ((1 - LEVELS) * count >= 0.5 - 1e-9)
    levels = LEVELS[inside]
    starts = range(0, len(samples), _ROWS_AT_ONCE)
    parts = [sample_quantiles(samples[start : start + _ROWS_AT_ONCE], levels) for start in starts]
    return levels, np.concatenate(parts) if parts else np.empty((0, len(levels)))


def _in_place(values: Floats, rows: Flags) -> Floats:
    """Return values of some rows at their places among all, shape (rows, levels)."""
    placed = np.full((len(rows), values.shape[1]), np.nan)
    placed[rows] = values
    return placed


def _whole_rows(table: ForecastTable, values: Floats, notes: list[str], *, model: str) -> Flags:
    """Return which rows have every quantile; note how many have some of them alone."""
    known = np.isfinite(values)
    whole = known.all(axis=1)
    if part := int((known.any(axis=1) & ~whole).sum()):
        notes.append(
            f"{table.source}: left out for want of some quantiles that others have: {plural(part, 'forecast')}"
            f"{f' of {printable_name(model)}' if model else ''}."
        )
    return np.asarray(whole)


def _refuse_repeats(
    table: ForecastTable, keys: RowKeys, rows: Days, numbers: Days, levels: Floats | None = None
) -> None:
    """Refuse a table in which a forecast stands twice; equal numbers are of one."""
    order = np.argsort(numbers, kind="stable")
    repeated = np.flatnonzero(np.diff(numbers[order]) == 0)
    if not len(repeated):
        return
    place = int(order[repeated + 1].min())
    first = int(order[repeated[np.argmin(order[repeated + 1])]])
    row, other = int(rows[place]), int(rows[first])
    level = "" if levels is None else f" at the level {levels[place]:g}"
    raise table.error(
        f"the forecast of {printable_name(keys.series[0][keys.series[1][row]]) or 'the series'} for "
        f"{keys.targets[row]}, known up to {keys.cutoffs[row]},{level} stands twice; it is that of "
        f"{'line' if table.first_line else 'row'} {other + table.first_line}, too ({len(repeated):,} such rows). Keep "
        f"one of them",
        row=row,
    )


def _check_level(table: ForecastTable, level: float, column: str) -> None:
    if not 0 < level < 1:
        raise table.error(
            f"column {printable_name(column)}: the level {level:g} is not that of a quantile: it must be above 0 and "
            f"below 1",
            column=column,
            value=level,
        )


def _no_median(levels: Sequence[float]) -> str:
    listed = ", ".join(f"{level:g}" for level in levels[:12])
    return f"quantiles at {listed}, but no median (0.5), which every score needs. Add it, or a mean"
