"""Names the folder of an evaluation, so that no other series, part, first day, period or content is overwritten."""

import contextlib
from collections.abc import Mapping
from datetime import date
from typing import Any

from stockcast.data.prices import Prices
from stockcast.data.split import Part
from stockcast.errors import DataError, RunError
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.forecasting.predictor import Predictor
from stockcast.runs.evaluations import stored_metrics

_DIGITS = 8  # of a file's SHA-256 in a name


def label_of(predictor: Predictor, prices: Prices, task: ForecastTask, *, name: str, part: Part, first: date) -> str:
    """Return the label of an evaluation.

    Args:
        predictor: the loaded run.
        prices: the series.
        task: what is scored.
        name: of the series.
        part: the part of the split.
        first: the first day that is scored.
    """
    border, own = predictor.test_border(), predictor.trained_on[0]
    is_own = prices.label == own.name and (prices.sha256 == own.sha256 or predictor.trained_at(prices) is own)
    label: str = part if is_own else f"{part}-{name}"
    if first != border:
        label += f"-from-{first}"
    trained, last = predictor.trained_at(prices) or predictor.trained_series(prices), _span(prices, task)[1]
    if trained is not None and last > (trained.last or last):  # days that came since
        label += f"-to-{last}"
    if first < border:
        label += "-insisted"  # too good to stand where the test scores do
    return label if label == part else _apart(predictor, label, prices, task)


def content_of(prices: Prices) -> dict[str, str]:
    """Return what metrics.json holds of the rows that were scored, by which they are known again."""
    return {"first": str(prices.dates[0]), "last": str(prices.dates[-1]), "content_sha256": prices.content_sha256()}


def _apart(predictor: Predictor, label: str, prices: Prices, task: ForecastTask) -> str:
    """Return the label, and where it is another evaluation's in the run, what this one differs by after it.

    Of a series that has grown that is the last day, of another content the first digits of the file's SHA-256.
    """
    span = _span(prices, task)
    stored = _stored(predictor, label)
    if stored is None or _is_same(stored, prices, span):
        return label
    if not has_grown(stored["data"], prices):
        label = f"{label}-{prices.sha256[:_DIGITS]}"
        stored = _stored(predictor, label)
        if stored is None or _is_same(stored, prices, span):
            return label
    return f"{label}-to-{span[1]}"


def _span(prices: Prices, task: ForecastTask) -> tuple[str, str]:
    """Return the first origin and the last day that is scored, ISO."""
    return str(prices.dates[task.origins[0]]), str(prices.dates[task.targets[-1, -1]])


def _stored(predictor: Predictor, label: str) -> dict[str, dict[str, Any]] | None:
    """Return what an evaluation of this label was made from; None where there is none that can be read."""
    with contextlib.suppress(RunError):
        metrics = stored_metrics(predictor.run.results, label) or {}
        data, split = metrics.get("data"), metrics.get("split")
        if isinstance(data, dict) and isinstance(split, dict):
            return {"data": data, "split": split}
    return None


def _is_same(stored: dict[str, dict[str, Any]], prices: Prices, span: tuple[str, str]) -> bool:
    data, split = stored["data"], stored["split"]
    if (split.get("first_origin"), split.get("last_target")) != span:
        return False
    return data.get("sha256") == prices.sha256 or data.get("content_sha256") == prices.content_sha256()


def has_grown(data: Mapping[str, Any], prices: Prices) -> bool:
    """Whether a series has the very rows that were scored, by `data` of metrics.json, and perhaps later ones."""
    with contextlib.suppress(DataError, KeyError, TypeError, ValueError):
        return bool(data["content_sha256"] == prices.content_sha256(first=data["first"], last=data["last"]))
    return False
