"""A forecast and what its run showed before -> the few lines that tell how far to trust it."""

from collections.abc import Mapping
from datetime import date

import numpy as np

from stockcast.data.prices import Prices
from stockcast.evaluation.regimes import REGIME_NAMES, regimes_of
from stockcast.evaluation.verdict.record import Record, held_by_series
from stockcast.forecast import DirectionPrediction, Prediction
from stockcast.forecasting.predictor import Predictor
from stockcast.forecasting.reading import OnMessage
from stockcast.pipeline.evaluation_labels import has_grown
from stockcast.runs.evaluations import EvaluationIndex, SeriesEvaluation
from stockcast.runs.layout import SCORES
from stockcast.runs.safe_io import damaged, parse_object, read_bytes
from stockcast.text import plural
from stockcast.typing import Floats


def trust(
    predictor: Predictor,
    prices: Prices,
    prediction: Prediction | DirectionPrediction,
    record: Record | None,
    *,
    step: int | None = None,
    today: date | None = None,
) -> tuple[str, ...]:
    """Write the 90 % band of a forecast, how often such bands held, and what speaks against it.

    Args:
        predictor: the run that made it.
        prices: the series it is of.
        prediction: the forecast from its last row, or from an earlier one.
        record: what `stored_record` returned, or that of an evaluation which has just been made.
        step: how many bars ahead the day is that the lines are of; None for the last one.
        today: the day on which the age of the prices is counted; None for today.

    Returns:
        At most eight lines of 100 columns once they are broken, each beginning with a word and a colon.

    Raises:
        RunError: the scores of the run that ships are damaged.
    """
    prices = prices.until(prediction.forecast.origin_dates[0].astype(object))
    step = step or prediction.forecast.horizon
    lines = [f"Forecast: {prediction.sentence(step)}", *_record_lines(predictor, prices, prediction, record, step)]
    lines.append(f"Known: {_known(predictor, prices, prediction, today or date.today())}")
    if warnings := _warnings(predictor, prediction):
        lines.append(f"Warning: {'; '.join(warnings)}.")
    return tuple(lines)


def trust_pool(
    predictor: Predictor,
    predictions: Mapping[str, Prediction | DirectionPrediction],
    records: Mapping[str, Record | None],
    *,
    today: date | None = None,
) -> tuple[str, ...]:
    """Write for many forecasts what `trust` does for one: the band of a row, and how often such bands held.

    Args:
        predictor: the run that made them.
        predictions: by series.
        records: by series, what `stored_record` returned.
        today: as in `trust`.

    Raises:
        RunError: the scores of the run that ships are damaged.
    """
    first = next(iter(predictions.values()))
    frequency, steps = first.forecast.frequency, first.forecast.horizon
    known = [records[name] for name in predictions]
    held = [share for record in known if record is not None and (share := record.held_at(steps)) is not None]
    unscored = sum(record is None for record in known)
    odd = [name for name, prediction in predictions.items() if _warnings(predictor, prediction)]
    plain = next((name for name in predictions if name not in odd), next(iter(predictions)))
    lines = [f"Forecast: for example {predictions[plain].sentence()}"]
    if held:
        lines.append(f"Held: {held_by_series(held, steps, frequency=frequency)}")
    if unscored:
        lines.append(
            f"Held: not known for {unscored} of {len(predictions)} series, not scored yet (stockcast evaluate)."
        )
    lines += _elsewhere(predictor, first, steps)
    last = [prediction.forecast.origin_dates[0] for prediction in predictions.values()]
    oldest, newest = min(last), max(last)
    span = f"prices to {newest}" if oldest == newest else f"last prices of {oldest} to {newest}"
    old = int((np.datetime64(today or date.today()) - oldest).astype(int))
    age = f" (up to {old:,} days old)" if old > 0 else ""
    count = len(predictor.trained_on)
    lines.append(f"Known: {span}{age}; trained before {predictor.test_border()} on {count} series.")
    if odd:
        lines.append(f"Warning: {plural(len(odd), 'forecast')} to look at, see {odd[0]} above.")
    return tuple(lines)


def stored_evaluation_of(
    predictor: Predictor, prices: Prices, index: EvaluationIndex | None = None
) -> SeriesEvaluation | None:
    """Return the evaluation on test days that the run stores of a series, of these rows or before others came.

    Args:
        predictor: the loaded run.
        prices: the series with all of its rows.
        index: of the run's results; None to make it.
    """
    found: EvaluationIndex = index or EvaluationIndex.of(predictor.run.results)
    return found.find(
        file=prices.label,
        sha256=prices.sha256,
        content=prices.content_sha256(),
        is_earlier=lambda data: has_grown(data, prices),
    )


def stored_record(
    predictor: Predictor, prices: Prices, index: EvaluationIndex | None = None, *, on_message: OnMessage
) -> Record | None:
    """Return what the evaluation of `stored_evaluation_of` shows; None where there is none.

    One that is damaged is reported, and counts as none.
    """
    found = stored_evaluation_of(predictor, prices, index)
    if found is None:
        return None
    try:
        return Record.of(found.metrics, frequency=prices.frequency)
    except (KeyError, TypeError, ValueError, AttributeError):
        path = found.folder / "metrics.json"
        on_message(f"{path} is damaged, so nothing is known of earlier forecasts. `stockcast evaluate` writes it anew.")
        return None


def _record_lines(
    predictor: Predictor,
    prices: Prices,
    prediction: Prediction | DirectionPrediction,
    record: Record | None,
    step: int,
) -> list[str]:
    """Return the lines on what the test days of this series showed; of others where this was never scored."""
    frequency = prediction.forecast.frequency
    if record is None:
        unknown = f"Held: not known for {prediction.series}, which was not scored yet (stockcast evaluate)."
        return [unknown, *_elsewhere(predictor, prediction, step)]
    held = record.sentence(step, _regime(predictor, prices), frequency=frequency)
    lines = [f"Held: {held}", f"Skill: {record.skill(frequency=frequency)}"]
    return [*lines, f"Fails: {'; '.join(record.faults)}."] if record.faults else lines


def _elsewhere(predictor: Predictor, prediction: Prediction | DirectionPrediction, wanted: int) -> list[str]:
    """Return a line on how the run did on other series about so many bars ahead; nothing where no scores are known."""
    path = predictor.run.path / SCORES
    if not path.is_file():
        return []
    stated = parse_object(read_bytes(path, folder=predictor.run.path), source=path)
    try:
        covered = {int(name.partition(" ")[0]): float(share) for name, share in stated["coverage_90"].items()}
        step = min(covered, key=lambda each: abs(each - wanted))
        best = float(stated["percent_lower_crps"][f"{step} ahead"]["best"])
        ahead = prediction.forecast.frequency.steps([step])
        held = f"{100 * covered[step]:.0f} % of 90 % bands {ahead} ahead held"
        how = f"{abs(best):.1f} % {'lower' if best > 0 else 'higher'}"
        stocks = str(stated["stocks"]).partition(" ")[0]
        return [f"Elsewhere: on {stocks} other stocks {held}; error (CRPS) {how} than the best baseline's."]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(path, f"it lacks what scores have ({type(error).__name__}: {error})") from error


def _regime(predictor: Predictor, prices: Prices) -> str | None:
    """Return the regime of the last day, by the thirds of the days before the test; None where these are too few."""
    closes, last = prices.column(predictor.config.target.column), len(prices.dates) - 1
    training = int(np.searchsorted(prices.dates, np.datetime64(predictor.test_border("validation"))))
    if training < 2 or last < 1:
        return None
    return REGIME_NAMES[int(regimes_of(closes, np.array([last]), training_days=training)[0])]


def _known(predictor: Predictor, prices: Prices, prediction: Prediction | DirectionPrediction, today: date) -> str:
    """Write how old prices and training are, and whether the series is one of the training."""
    origin = prediction.forecast.origin_dates[0]
    age = int((np.datetime64(today) - origin).astype(int))
    old = f" ({age:,} day{'' if age == 1 else 's'} old)" if age > 0 else ""
    count = len(predictor.trained_on)
    trained_on = "this series" if count == 1 else f"{count} series, it too"
    if not predictor.was_trained_on(prices):
        trained_on = f"{count} series, not on it"
    return f"prices to {origin}{old}; trained before {predictor.test_border()} on {trained_on}."


def _warnings(predictor: Predictor, prediction: Prediction | DirectionPrediction) -> list[str]:
    """Return what looks wrong with the forecast itself, parts of a sentence."""
    warnings = []
    if prediction.forecast.origin_dates[0] < np.datetime64(predictor.test_border()):
        warnings.append(
            f"made by a network that knows days up to {predictor.test_border()}: no forecast to judge it by"
        )
    if isinstance(prediction, DirectionPrediction):
        return warnings
    forecast = prediction.forecast
    still = _still_bars(prediction.history)
    if still >= _FEWEST_STILL:
        warnings.append(f"the last {still:,} prices are equal")
    lower, upper = (float(end[0, 0]) for end in forecast.band(0.5))
    last = float(forecast.last_close[0])
    if not lower <= last <= upper:
        warnings.append(f"the 50 % band of {forecast.target_dates[0, 0]} leaves out the last price")
    drift = np.log(float(forecast.median[0, -1]) / last)
    if abs(drift) > predictor.largest_drift * forecast.horizon:
        share, ahead = 100 * np.expm1(drift), forecast.frequency.steps([forecast.horizon])
        warnings.append(f"its drift, {share:+.1f} % in {ahead}, is beyond any series of the training")
    return warnings


_FEWEST_STILL = 10
"""Equal prices at the end that no traded series has."""


def _still_bars(history: Floats) -> int:
    """Return how many prices at the end are equal to the last one."""
    moved = np.flatnonzero(history != history[-1])
    return len(history) - 1 - int(moved[-1]) if moved.size else len(history)


def remarks(predictor: Predictor, prediction: Prediction | DirectionPrediction) -> list[str]:
    """Return what a reader of one of many forecasts must know of it, a few words each; empty where there is nothing."""
    return _warnings(predictor, prediction)
