"""Anybody's forecasts and prices -> scores next to the baselines', a verdict, and what looks suspicious."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd

from stockcast.config.load import Overrides, calendar_of, parse_config
from stockcast.config.schema import Config
from stockcast.data.calendar_choice import propose_calendar
from stockcast.data.csv.folder import files_in
from stockcast.data.csv.options import ticker_name
from stockcast.data.csv.table import PriceSource
from stockcast.data.prices import Prices
from stockcast.errors import DataError, StockcastError
from stockcast.evaluation.baselines.registry import BaselineForecasts, forecast_baselines
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.forecast import Forecast
from stockcast.forecasting.cache import BaselineCache
from stockcast.forecasting.reading import OnMessage, read_with, series_in
from stockcast.judging.arrays import read_arrays
from stockcast.judging.matching import MatchedForecasts, match, training_days
from stockcast.judging.rows import read_rows
from stockcast.judging.scoring import JudgedSeries, common_task, confidence_sets, pool_model, score_series
from stockcast.judging.submitted import SubmittedForecasts
from stockcast.judging.tables import read_table
from stockcast.models.callbacks import SILENT, Callbacks
from stockcast.pipeline.judgement import Judgement
from stockcast.runs.files import make_folder
from stockcast.runs.results import ResultFiles
from stockcast.text import join_words, plural, printable_name

_NAMES_SHOWN = 10

ForecastSource: TypeAlias = pd.DataFrame | Path | str


def judge(
    forecasts: ForecastSource | Sequence[ForecastSource],
    prices: PriceSource | str | Sequence[PriceSource | str],
    *,
    train_end: date | str | None = None,
    quoted: bool = False,
    cache: Path | str | None = None,
    overrides: Overrides = (),
    callbacks: Callbacks = SILENT,
) -> Judgement:
    """Score forecasts that anybody made, next to the baselines of the same origins, and judge them.

    Nothing is written but the costly baselines, into `cache`, where one is given.

    Args:
        forecasts: DataFrames, CSV or Parquet files, and forecasts.npz of evaluations, each in one of the forms of
            docs/judge.md; several models, series and cutoffs.
        prices: price files, folders of them, and DataFrames, of every series.
        train_end: the last day that the baselines may estimate constants from, a date or ISO text; None for the first
            cutoff of each series.
        quoted: whether the forecasts are of prices as quoted on their cutoff; else they are of prices adjusted for
            splits and dividends, where the price file allows it.
        cache: folder that keeps the forecasts of costly baselines for the next time.
        overrides: how price files are read, as in `Predictor.load`.
        callbacks: `on_message` is given how the files were read, `on_baseline` the costly baselines' progress.

    Raises:
        StockcastError: a file cannot be read, its form is not clear, or no forecast can be scored.
    """
    config = parse_config("name: judge\ndata: {path: x}\n", source="judge", folder=Path.cwd(), overrides=overrides)
    notes: list[str] = []

    def note(message: str) -> None:
        notes.append(message)
        callbacks.on_message(message)

    submitted = _read_forecasts(_listed(forecasts), note)
    by_name = _read_prices(config, _listed(prices), note)
    matched, unscored = _match(submitted, by_name, quoted, note)
    last = None if train_end is None else np.datetime64(_day(train_end))
    judged: dict[str, list[JudgedSeries]] = {}
    for group in matched.values():
        prices_of, first = group[0].prices, min(int(each.origins[0]) for each in group)
        task = common_task(group, training_days=training_days(prices_of, first, last))
        others = _baselines(task, cache, callbacks)
        calendar = _calendar(group, overrides)
        for each in group:
            judged.setdefault(each.model, []).append(score_series(each, task, others, calendar=calendar))
    models = tuple(pool_model(name, series) for name, series in judged.items())
    return Judgement(models, confidence_sets(models), tuple(notes), tuple(unscored), quoted=quoted)


def _calendar(group: Sequence[MatchedForecasts], overrides: Overrides) -> str | None:
    """Return the exchange of the prices of a series; None where every forecast is of a day with a price."""
    if not any(len(each.no_bar) or len(each.beyond) for each in group):
        return None
    return calendar_of(overrides) or propose_calendar(group[0].prices.dates).name


def _listed(given: object) -> list[object]:
    """Return one source as a list of it, paths of text as paths."""
    sources = list(given) if isinstance(given, list | tuple) else [given]
    return [Path(source) if isinstance(source, str) else source for source in sources]


def _day(day: date | str) -> date:
    try:
        return datetime.fromisoformat(day).date() if isinstance(day, str) else day
    except ValueError:
        message = f"train_end {day!r} is not a day such as '2014-12-31'."
        raise StockcastError(message, key="train_end", value=day) from None


def _read_forecasts(sources: Sequence[object], note: OnMessage) -> list[SubmittedForecasts]:
    """Read all sources; forecasts of one model and series in several of them are put together."""
    found: dict[tuple[str, str], SubmittedForecasts] = {}
    for source in sources:
        if isinstance(source, Path) and source.suffix.lower() == ".npz":
            read = read_arrays(source)
        elif isinstance(source, Path):
            read = read_rows(read_table(source), model=source.name.partition(".")[0])
        else:
            table = read_table(source)  # type: ignore[arg-type]
            read = read_rows(table, model=table.source)
        for message in read.notes:
            note(message)
        for each in read.forecasts:
            key = (each.model, each.series)
            found[key] = _joined(found[key], each) if key in found else each
    return list(found.values())


def _joined(first: SubmittedForecasts, second: SubmittedForecasts) -> SubmittedForecasts:
    """Put the forecasts of one model and series in two files together."""
    title = f"{printable_name(first.model)}{f' of {printable_name(first.series)}' if first.series else ''}"
    if not np.array_equal(first.levels, second.levels):
        raise DataError(
            f"{second.source}: {title} is in {first.source}, too, with quantiles at other levels. Give the same levels "
            f"in both, or other names of models.",
            file=second.source,
            key="FORECASTS",
        )
    joined = replace(
        first,
        source=f"{first.source}, {second.source}",
        cutoffs=np.concatenate([first.cutoffs, second.cutoffs]),
        targets=np.concatenate([first.targets, second.targets]),
        steps=np.concatenate([first.steps, second.steps]),
        quantiles=np.concatenate([first.quantiles, second.quantiles]),
    )
    pairs = np.stack([joined.cutoffs.astype(np.int64), joined.targets.astype(np.int64)])
    if np.unique(pairs, axis=1).shape[1] < pairs.shape[1]:
        raise DataError(
            f"{second.source}: forecasts of {title} for the same days are in {first.source}, too. Keep one of them.",
            file=second.source,
            key="FORECASTS",
        )
    return joined


def _read_prices(config: Config, sources: Sequence[object], note: OnMessage) -> dict[str, Prices]:
    """Read the series of all sources, by name."""
    found: dict[str, Prices] = {}
    for source in sources:
        for file in files_in(source, key="--data") if isinstance(source, Path) and source.is_dir() else [source]:
            for series in series_in(config, file):  # type: ignore[arg-type]
                prices = read_with(config, series, with_own=False)
                if prices.name in found:
                    raise DataError(
                        f"{prices.title} and {found[prices.name].title} are of one series, {prices.name}. Give one.",
                        file=prices.source,
                        key="--data",
                        value=prices.name,
                    )
                found[prices.name] = prices
    if not found:
        raise DataError("No price file was given.", key="--data")
    frequencies = {prices.frequency.name for prices in found.values()}
    if len(frequencies) > 1:
        raise DataError(f"Prices are {join_words(sorted(frequencies))}. Judge each by itself.", key="--data")
    return found


def _match(
    submitted: Sequence[SubmittedForecasts], by_name: dict[str, Prices], quoted: bool, note: OnMessage
) -> tuple[dict[str, list[MatchedForecasts]], list[str]]:
    """Return the forecasts that can be scored, by series, and sentences about those that cannot."""
    matched: dict[str, list[MatchedForecasts]] = {}
    unscored: list[str] = []
    unknown: dict[str, None] = {}
    for each in submitted:
        prices = _prices_of(each, submitted, by_name, note)
        if prices is None:
            unknown[each.series] = None
            continue
        found = match(each, prices, quoted=quoted)
        if found is None:
            unscored.append(
                f"{printable_name(each.model)} of {printable_name(prices.name)}: none of {len(each.targets):,} "
                f"forecasts is of a day with a price after its cutoff; the prices are of {prices.dates[0]} to "
                f"{prices.dates[-1]}, the forecasts of {each.targets.min()} to {each.targets.max()}."
            )
            continue
        for message in found.notes:
            note(message)
        unscored += _left_out(found)
        matched.setdefault(prices.name, []).append(found)
    if unknown:
        unscored.append(_unknown(list(unknown), by_name))
    if not matched:
        sources = join_words(list(dict.fromkeys(each.source for each in submitted)))
        raise DataError("\n".join([f"{sources}: no forecast can be scored.", *unscored]), key="--data", file=sources)
    for message in unscored:
        note(message)
    return matched, unscored


def _prices_of(
    submitted: SubmittedForecasts,
    all_submitted: Sequence[SubmittedForecasts],
    by_name: dict[str, Prices],
    note: OnMessage,
) -> Prices | None:
    """Return the prices of a series; where a name is missing, those of the only one."""
    for name in (submitted.series, submitted.series.replace("/", "-"), ticker_name(submitted.series)):
        if name in by_name:
            return by_name[name]
    only = next(iter(by_name.values())) if len(by_name) == 1 else None
    if not submitted.series:
        if only is None:
            raise DataError(
                f"{submitted.source} names no series, and prices of {len(by_name)} were given. Add a column unique_id, "
                f"or give the prices of one series.",
                file=submitted.source,
                key="--data",
                column="unique_id",
            )
        return only
    if only is not None and only.name == "DataFrame" and len({each.series for each in all_submitted}) == 1:
        return replace(only, name=submitted.series)  # a DataFrame without a name
    return None


def _left_out(matched: MatchedForecasts) -> list[str]:
    """Return sentences about target dates that have no price."""
    last, sentences = matched.prices.dates[-1], []
    for days, where in (
        (matched.beyond, f"after the last price of {matched.prices.label}, {last}"),
        (matched.no_bar, f"without a price in {matched.prices.label}"),
    ):
        if len(days):
            listed = [str(day) for day in days[:_NAMES_SHOWN]]
            more = [f"{len(days) - len(listed):,} more"] if len(days) > len(listed) else []
            sentences.append(
                f"{matched.title}: not scored are the forecasts of {plural(len(days), 'day')} {where}: "
                f"{join_words([*listed, *more])}."
            )
    return sentences


def _unknown(names: list[str], by_name: dict[str, Prices]) -> str:
    shown, known = (
        join_words([*map(printable_name, each[:_NAMES_SHOWN]), *(["others"] if len(each) > _NAMES_SHOWN else [])])
        for each in (names, list(by_name))
    )
    return (
        f"{plural(len(names), 'name')} of series without prices, not scored: {shown}. Prices were given of {known}; "
        f"the name of a series is that of its file."
    )


def _baselines(task: ForecastTask, cache: Path | str | None, callbacks: Callbacks) -> BaselineForecasts:
    """Return the baselines' forecasts; costly ones are kept in the cache as soon as they are made."""
    if cache is None:
        return forecast_baselines(task, cache=lambda name, make: _rounded(make()), on_progress=callbacks.on_baseline)
    folder = Path(cache)
    make_folder(folder, advice="Choose another folder.")
    stored = BaselineCache(ResultFiles(folder.resolve()), task, callbacks.on_baseline)
    others = forecast_baselines(task, cache=stored, on_progress=stored.on_progress)
    for key, quantiles in stored.made.items():
        stored.run.write_baseline(key, quantiles)
    return others


def _rounded(forecast: Forecast) -> Forecast:
    """Return a costly baseline's forecast as it would be read back, in single precision."""
    return replace(forecast, quantiles=forecast.quantiles.astype(np.float32).astype(np.float64))
