"""Small fan charts hold the forecasts that they are given, each under its own name."""

from dataclasses import replace

import numpy as np
import pytest
from drawn import texts_of, unreadable
from matplotlib.dates import date2num

from stockcast import plots
from stockcast.evaluation.baselines.naive import ewma
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.forecast import Prediction

DATES = np.arange("2015-01-01", "2016-12-31", dtype="datetime64[D]")
CLOSES = 100 * np.exp(0.01 * np.cumsum(np.random.default_rng(0).standard_normal(len(DATES))))


def made(series: str, *, origin: int = 600, times: float = 1.0, adjusted: bool = False) -> Prediction:
    task = ForecastTask(DATES, times * CLOSES, np.array([origin]), horizon=20, training_days=300)
    history = times * CLOSES[: origin + 1]
    return Prediction("run", series, ewma(task), DATES[: origin + 1], history, adjusted=adjusted)


@pytest.mark.parametrize(
    "count", [1, 2, 9, pytest.param(22, marks=pytest.mark.slow), pytest.param(30, marks=pytest.mark.slow)]
)
def test_every_series_has_a_panel_with_its_name_and_every_text_can_be_read(count: int) -> None:
    names = [f"TICKER-{number}" for number in range(count)]
    figure = plots.fan_charts([made(name, times=10.0 ** (number % 9 - 3)) for number, name in enumerate(names)])
    assert len(figure.axes) == count
    assert unreadable(figure) == []
    drawn = [text.text for text in texts_of(figure)]
    assert [text for text in drawn if text.startswith("TICKER-") and ":" not in text] == names
    assert drawn.count("90 % band") == 1  # one legend for all


def test_a_panel_draws_and_states_its_own_forecast() -> None:
    predictions = [made("A"), made("B", times=3.0)]
    figure = plots.fan_charts(predictions)
    for prediction, axes in zip(predictions, figure.axes, strict=True):
        forecast = prediction.forecast
        lines = {line.get_label(): line for line in axes.lines}
        assert list(lines["price"].get_ydata()) == list(prediction.history[-60:])
        assert list(lines["median"].get_ydata()) == [forecast.last_close[0], *forecast.median[0]]
        assert list(lines["median"].get_xdata()) == [
            date2num(forecast.origin_dates[0]), *date2num(forecast.target_dates[0])
        ]  # fmt: skip
        assert set(lines["last price"].get_ydata()) == {forecast.last_close[0]}
        for area, share in zip(axes.collections, (0.9, 0.5), strict=True):
            low, high = (edge[0] for edge in forecast.band(share))
            assert set(high) | set(low) <= {y for _, y in area.get_paths()[0].vertices}
        (lower, upper), price = forecast.band(0.9), prediction.history[-1]
        assert axes.get_title(loc="left") == (
            f"last price {price:,.2f}, median {forecast.median[0, -1]:,.2f}\n"
            f"90 % band {lower[0, -1]:,.2f} to {upper[0, -1]:,.2f}"
        )
        assert axes.get_xlim()[1] == date2num(forecast.last_day)
    assert figure.axes[0].get_ylim()[1] < figure.axes[1].get_ylim()[1] / 2
    assert "each panel has a vertical scale of its own, in the unit of its file" in {
        text.text for text in texts_of(figure)
    }


def test_of_more_than_thirty_series_the_first_are_drawn_and_the_title_counts_all() -> None:
    figure = plots.fan_charts([made(f"T{number}") for number in range(37)])
    assert len(figure.axes) == 30
    assert figure.get_suptitle() == "the first 30 of 37 series: 20 sessions after 2016-08-23, by run"
    assert "T29" in {text.text for text in texts_of(figure)}


def test_series_that_end_on_different_days_each_state_their_own() -> None:
    figure = plots.fan_charts([made("A"), made("B", origin=590)])
    assert figure.get_suptitle() == "2 series: 20 sessions after days from 2016-08-13 to 2016-08-23, by run"
    for axes, day in zip(figure.axes, ("2016-08-23", "2016-08-13"), strict=True):
        assert f" on {day}, median" in axes.get_title(loc="left")
    assert unreadable(figure) == []


def test_the_runs_are_named_as_long_as_they_are_few() -> None:
    predictions = [replace(made(str(number)), run=f"r{number}") for number in range(4)]
    assert plots.fan_charts(predictions[:2]).get_suptitle().endswith(", by r0 and r1")
    assert plots.fan_charts(predictions).get_suptitle().endswith(", by 4 runs")


@pytest.mark.parametrize(
    ("adjusted", "words"),
    [
        ((True, True), "in prices adjusted for dividends and splits"),
        ((True, False), "in prices that are adjusted for dividends and splits where the file has it"),
    ],
)
def test_adjusted_prices_are_called_so(adjusted: tuple[bool, bool], words: str) -> None:
    figure = plots.fan_charts([made(str(number), adjusted=each) for number, each in enumerate(adjusted)])
    assert f"each panel has a vertical scale of its own, {words}" in {text.text for text in texts_of(figure)}


def test_names_from_files_are_written_letter_by_letter_and_fit_their_panel() -> None:
    names = [
        "$A$",
        "x$y_1^2$",
        "two\nlines",
        "\u202ertl",
        "<script>",
        "W" * 90,
        r"\$\alpha$",
        "\u65e5\u672c",
        "_hidden",
    ]
    figure = plots.fan_charts([made(name) for name in names])
    assert unreadable(figure) == []
    drawn = {text.text for text in texts_of(figure)}
    assert {"$A$", "x$y_1^2$", "two?lines", "?rtl", "<script>", r"\$\alpha$", "??", "_hidden"} <= drawn
    (cut,) = (text for text in drawn if text.startswith("WWW"))
    assert "\u2026" in cut


def test_no_forecast_is_no_figure() -> None:
    with pytest.raises(ValueError, match="no prediction"):
        plots.fan_charts([])
