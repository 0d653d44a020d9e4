from itertools import pairwise

import numpy as np
import pytest

from stockcast import plots
from stockcast.evaluation.baselines import BASELINES, Question
from stockcast.forecast import Forecast
from stockcast.models.training import Epoch

DATES = np.arange("2015-01-01", "2016-12-31", dtype="datetime64[D]")
CLOSES = 100 + np.arange(len(DATES)) / 10
QUESTION = Question(DATES, CLOSES + np.sin(np.arange(len(DATES))), np.arange(400, 600), horizon=20, training_days=300)


@pytest.fixture
def forecast() -> Forecast:
    return BASELINES["ewma"](QUESTION)


def test_the_fan_ends_on_the_last_day_forecast_and_begins_at_the_last_price(forecast: Forecast) -> None:
    figure = plots.fan_chart(DATES[:401], CLOSES[:401], forecast, title="fan", unit="price ($)")
    (axes,) = figure.axes
    median = next(line for line in axes.lines if line.get_label() == "median")
    assert median.get_xdata()[-1] == forecast.target_dates[0, -1]
    assert median.get_ydata()[0] == forecast.last_close[0]
    assert axes.get_ylabel() == "price ($)"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["price", "90 % band", "50 % band", "median"]


def test_forecast_sequences_follow_each_other_without_overlap(forecast: Forecast) -> None:
    (axes,) = plots.forecast_sequences(DATES, CLOSES, forecast, "sequences", "price ($)").axes
    medians = [line for line in axes.lines if line.get_color() == plots.MEDIAN]
    assert len(medians) == 10  # 200 origins, one every 20 days
    ends = [(line.get_xdata()[0], line.get_xdata()[-1]) for line in medians]
    assert all(end <= start for (_, end), (start, _) in pairwise(ends))


def test_skill_is_drawn_for_every_day_ahead_and_every_rival() -> None:
    skill = {"random_walk": np.linspace(0.1, 0.2, 20), "ewma": np.linspace(-0.1, 0.0, 20)}
    (axes,) = plots.skill_by_horizon(skill, "skill").axes
    drawn = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
    assert drawn["against random walk"] == list(skill["random_walk"])
    assert drawn["against EWMA volatility"] == list(skill["ewma"])


def test_the_coverage_of_prices_at_the_median_is_complete(forecast: Forecast) -> None:
    (axes,) = plots.coverage(forecast, {}, forecast.median, "coverage").axes
    network = next(line for line in axes.lines if line.get_label() == "network")
    assert set(network.get_ydata()) == {1.0}


def test_the_loss_curve_marks_the_epoch_that_was_kept() -> None:
    history = [Epoch(1, 3.0, 2.5, 0.1), Epoch(2, 2.0, 1.5, 0.1), Epoch(3, 1.0, 1.75, 0.1)]
    (legend,) = plots.loss_curve(history, title="loss").legends
    assert "kept: epoch 2" in [text.get_text() for text in legend.get_texts()]


def test_prices_are_in_dollars_on_new_yorks_calendar_only() -> None:
    assert plots.price_label("XNYS", adjusted=False) == "price ($)"
    assert "$" not in plots.price_label("XLON", adjusted=False)
    assert "adjusted" in plots.price_label("XNYS", adjusted=True)
