"""The page: its values, and the HTML that they become."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stockcast.forecast import DirectionPrediction, Prediction
from stockcast.reports.coverage import coverage_chart
from stockcast.reports.fan import decimals, fans, hover_data
from stockcast.reports.scores import PROMISES, Scores
from stockcast.reports.template import asset, render
from stockcast.text import price_text

_OUTLOOK = ("on", "median", "90 % band")
"""Columns of the index: what is forecast of the last day."""


@dataclass(frozen=True)
class SeriesReport:
    """One series on a page.

    Attributes:
        name: in headings; no other series of the page has it.
        prediction: its forecast.
        trust: sentences on what the forecast promises and how far it kept that.
        scores: of the run on this series' test days; None where there are none.
        missing: a sentence on why there are no scores; empty where there are.
        command: makes the missing scores; empty where none does.
        notes: on the data, a sentence each.
        made: facts on the price file, by what they are of.
    """

    name: str
    prediction: Prediction | DirectionPrediction
    trust: tuple[str, ...]
    scores: Scores | None
    missing: str
    command: str
    notes: tuple[str, ...]
    made: Mapping[str, str]


@dataclass(frozen=True)
class ReportPage:
    """The forecasts of a run as one page.

    Attributes:
        run: name of the run.
        name: of the page's file inside the run, without its ending.
        series: what was forecast, at least one.
        failures: series that could not be forecast, and why.
        made: facts on the run and on the program, by what they are of.
        config: of the run, as YAML.
        created: time of the page, UTC, to the minute.
    """

    run: str
    name: str
    series: tuple[SeriesReport, ...]
    failures: Mapping[str, str]
    made: Mapping[str, str]
    config: str
    created: str

    def title(self) -> str:
        """Return the page's title: the series and its days, or how many series there are."""
        if len(self.series) + len(self.failures) > 1:
            return f"{len(self.series)} forecasts by {self.run}"
        forecast = self.series[0].prediction.forecast
        bars = forecast.frequency.count(forecast.horizon)
        return f"{self.series[0].name}: {bars} after {forecast.origin_dates[0]}, by {self.run}"

    def html(self) -> str:
        """Return the page: HTML that needs no other file and opens no connection.

        Raises:
            StockcastError: jinja2 is not installed.
        """
        style, script = (asset(name) for name in ("style.css", "script.js"))
        return render(
            "page.html",
            page=self,
            sections=[_section(series) for series in self.series],
            outlook=_OUTLOOK if isinstance(self.series[0].prediction, Prediction) else ("up by", "with a chance of"),
            promises=PROMISES,
            style=style,
            script=script,
        )


def _section(series: SeriesReport) -> dict[str, Any]:
    """Return what the template draws of a series."""
    prediction = series.prediction
    forecast = prediction.forecast
    section: dict[str, Any] = {
        "series": series,
        "unit": forecast.frequency.unit,
        "session": forecast.frequency.session,
        "horizon": forecast.horizon,
        "origin": str(forecast.origin_dates[0]),
        "last_day": str(forecast.last_day),
        "outlook": _outlook(prediction),
        "last_price": price_text(float(forecast.last_close[0])),
        "rows": _rows(prediction),
        "columns": _columns(prediction),
        "fans": (),
        "is_total_return": prediction.adjusted,
    }
    if series.scores is not None:
        section["coverage"] = coverage_chart(series.scores.coverage, unit=series.scores.unit)
    if isinstance(prediction, Prediction):
        section |= {"fans": fans(prediction), "hover": hover_data(prediction)}
    return section


def _outlook(prediction: Prediction | DirectionPrediction) -> tuple[str, ...]:
    """Return what is forecast of the last day, in the columns of the index."""
    day = str(prediction.forecast.last_day)
    if isinstance(prediction, DirectionPrediction):
        return day, f"{100 * prediction.forecast.of(prediction.forecast.classes[-1])[0, -1]:.0f} %"
    lower, upper = (price_text(float(end[0, -1])) for end in prediction.forecast.band(0.9))
    return day, price_text(float(prediction.forecast.median[0, -1])), f"{lower} to {upper}"


def _columns(prediction: Prediction | DirectionPrediction) -> list[str]:
    """Return the headers of the table of days after date and step."""
    names = [name for name in prediction.rows()[0] if name not in ("date", "step")]
    if isinstance(prediction, Prediction):
        return [name.replace("_", " ") for name in names]
    past = [] if prediction.past_shares is None else [f"{name}, in the past" for name in prediction.forecast.classes]
    return [*prediction.forecast.classes, *past]


def _rows(prediction: Prediction | DirectionPrediction) -> list[list[str]]:
    """Return the table of days as text: the numbers of forecast.csv, and of directions their shares in the past."""
    rows = prediction.rows()
    places = decimals(rows) if isinstance(prediction, Prediction) else None
    shares = prediction.past_shares if isinstance(prediction, DirectionPrediction) else None
    return [
        [
            row["date"],
            str(row["step"]),
            *(_number(value, places) for value in row.values() if isinstance(value, float)),
            *(f"{100 * share:.0f} %" for share in (() if shares is None else shares[row["step"] - 1])),
        ]
        for row in rows
    ]


def _number(value: float, places: int | None) -> str:
    """Write a price with so many digits after the point, or where there are none a probability."""
    return f"{100 * value:.2f} %" if places is None else f"{value:,.{places}f}"
