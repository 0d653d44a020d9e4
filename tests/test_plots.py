from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest

from stockcast import plots
from stockcast.evaluation.baselines.naive import drift, ewma, random_walk
from stockcast.evaluation.baselines.registry import BASELINES
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.evaluation.scores import compare
from stockcast.forecast import Forecast, Prediction
from stockcast.models.callbacks import EpochLog
from stockcast.plots import style

DATES = np.arange("2015-01-01", "2016-12-31", dtype="datetime64[D]")
CLOSES = 100 + np.arange(len(DATES)) / 10
TASK = ForecastTask(DATES, CLOSES + np.sin(np.arange(len(DATES))), np.arange(400, 600), horizon=20, training_days=300)


@pytest.fixture
def forecast() -> Forecast:
    return ewma(TASK)


def made(forecast: Forecast) -> Prediction:
    return Prediction("run", "GE", forecast.rows(slice(1)), DATES[:401], CLOSES[:401])


def test_the_fan_ends_on_the_last_day_forecast_and_begins_at_the_last_price(forecast: Forecast) -> None:
    figure = plots.fan_chart(made(forecast))
    (axes,) = figure.axes
    median = next(line for line in axes.lines if line.get_label() == "median")
    assert median.get_xdata()[-1] == forecast.target_dates[0, -1]
    assert median.get_ydata()[0] == forecast.last_close[0]
    assert axes.get_ylabel() == "price (unit as in the file)"
    assert figure.get_suptitle() == "GE: 20 sessions after 2016-02-05, by run"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["price", "90 % band", "50 % band", "median"]
    quantiles = {name: forecast.at(level)[0, -1] for name, level in (("5 %", 0.05), ("median", 0.5), ("95 %", 0.95))}
    assert [text.get_text() for text in axes.texts] == [f"{price:,.2f} ({name})" for name, price in quantiles.items()]


@pytest.mark.parametrize(("horizon", "days"), [(1, 60), (20, 100), (60, 252)])
def test_the_fan_shows_five_times_as_much_history_but_at_least_60_and_at_most_252_days(horizon: int, days: int) -> None:
    forecast = ewma(replace(TASK, origins=np.array([400]), horizon=horizon))
    (axes,) = plots.fan_chart(made(forecast)).axes
    price = next(line for line in axes.lines if line.get_label() == "price")
    assert list(price.get_ydata()) == CLOSES[401 - days : 401].tolist()


def test_labels_of_a_narrow_fan_do_not_cover_each_other(forecast: Forecast) -> None:
    width = (forecast.quantiles / forecast.last_close[:, None, None]) ** 0.01
    narrow = replace(forecast, quantiles=forecast.last_close[:, None, None] * width)
    figure = plots.fan_chart(made(narrow))
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) == 3
    assert not any(box.overlaps(other) for box, other in combinations(boxes, 2))
    assert all(below.y1 < above.y0 for below, above in pairwise(boxes))  # 5 %, median, 95 %


def test_where_highs_and_lows_are_forecast_each_day_has_a_bar_from_its_low_to_its_high(forecast: Forecast) -> None:
    others = {"Open": forecast.median + 1, "High": forecast.median + 2, "Low": forecast.median - 1}
    figure = plots.fan_chart(made(replace(forecast, others=others)))
    fan, bars = figure.axes
    assert not fan.get_title(loc="left")
    ranges, opens, closes = (lines.get_segments() for lines in bars.collections if hasattr(lines, "get_segments"))
    middle = forecast.median[0]
    assert [(low, high) for (_, low), (_, high) in ranges] == list(zip(middle - 1, middle + 2, strict=True))
    assert [(left, y) for (left, y), _ in opens] == [(day - 0.35, y + 1) for day, y in enumerate(middle, start=1)]
    assert [(right, y) for _, (right, y) in closes] == [(day + 0.35, y) for day, y in enumerate(middle, start=1)]
    assert [text.get_text() for text in bars.get_xticklabels()][::3] == [
        str(forecast.target_dates[0, 0]), str(forecast.target_dates[0, -1])
    ]  # fmt: skip
    figure.canvas.draw()


def test_forecast_sequences_follow_each_other_without_overlap(forecast: Forecast) -> None:
    (axes,) = plots.forecast_sequences(DATES, CLOSES, forecast, "sequences", "price (unit as in the file)").axes
    medians = [line for line in axes.lines if line.get_color() == style.MEDIAN]
    assert len(medians) == 10  # 200 origins, one every 20 days
    ends = [(line.get_xdata()[0], line.get_xdata()[-1]) for line in medians]
    assert all(end <= start for (_, end), (start, _) in pairwise(ends))


def test_skill_is_drawn_for_every_day_ahead_and_every_baseline() -> None:
    skill = {"random_walk": np.linspace(0.1, 0.2, 20), "ewma": np.linspace(-0.1, 0.0, 20)}
    (axes,) = plots.skill_by_horizon(skill, "skill").axes
    drawn = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
    assert drawn["against the random walk"] == list(skill["random_walk"])
    assert drawn["against EWMA volatility"] == list(skill["ewma"])


def test_the_coverage_of_prices_at_the_median_is_complete(forecast: Forecast) -> None:
    (axes,) = plots.coverage(forecast, {}, forecast.median, "coverage").axes
    network = next(line for line in axes.lines if line.get_label() == "network")
    assert set(network.get_ydata()) == {1.0}


def test_a_single_epoch_has_a_single_whole_number_below_it() -> None:
    figure = plots.loss_curve([EpochLog(1, 3.0, 2.5, 0.1)], monitor="loss", title="loss")
    figure.canvas.draw()
    (axes,) = figure.axes
    low, high = axes.get_xlim()
    assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [1]


@pytest.mark.parametrize(("monitor", "best"), [("val_loss", 2), ("loss", 3)])
def test_the_loss_curve_marks_the_best_epoch(monitor: str, best: int) -> None:
    history = [EpochLog(1, 3.0, 2.5, 0.1), EpochLog(2, 2.0, 1.5, 0.1), EpochLog(3, 1.0, 1.75, 0.1)]
    (legend,) = plots.loss_curve(history, monitor=monitor, title="loss").legends
    assert f"best: epoch {best}" in [text.get_text() for text in legend.get_texts()]


def test_each_members_epochs_are_a_pair_of_lines_and_the_legend_names_them_once() -> None:
    history = [EpochLog(number, 4.0 - number, 3.5 - number, 0.1, member) for member in (1, 2, 3) for number in (1, 2)]
    figure = plots.loss_curve(history, monitor="val_loss", title="loss")
    (axes,) = figure.axes
    assert [list(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) > 1] == [[1, 2]] * 6
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["training", "validation", "best of each member"]


def test_there_is_a_colour_for_every_baseline() -> None:
    assert style.BASELINE_COLOURS.keys() == BASELINES.keys()
    assert len(set(style.BASELINE_COLOURS.values())) == len(BASELINES)


@pytest.mark.parametrize("steps", [(1,), (1, 5, 20)], ids=str)
def test_each_horizon_has_a_panel_whose_bars_are_its_shares_from_low_to_high(steps: tuple[int, ...]) -> None:
    shares = {step: [0.2, 0.1 * step / 20, 0.3, 0.4] for step in steps}
    figure = plots.pit_histograms(shares, "made")
    assert [axes.get_title() for axes in figure.axes] == [f"{step} day{'s' * (step > 1)} ahead" for step in steps]
    for axes, expected in zip(figure.axes, shares.values(), strict=True):
        assert [bar.get_height() for bar in axes.patches] == expected
        assert [bar.get_x() for bar in axes.patches] == [0, 0.25, 0.5, 0.75]
        assert {bar.get_width() for bar in axes.patches} == {0.25}
        (ideal,) = axes.lines
        assert set(ideal.get_ydata()) == {0.25}


def test_the_pit_histograms_can_be_drawn_and_state_what_they_are() -> None:
    figure = plots.pit_histograms({1: [0.1] * 10, 5: [0.1] * 10}, "GE, test days")
    figure.canvas.draw()
    assert figure.get_suptitle() == "Where prices were in the forecast distribution: GE, test days"
    assert "dotted: ideal" in figure.get_supxlabel()
    assert style.NOTE in figure.get_supxlabel()  # as on every other picture


def test_no_unit_is_made_up_for_the_prices_of_a_file() -> None:
    assert plots.price_label(adjusted=False) == "price (unit as in the file)"
    assert plots.price_label(adjusted=True) == "price, adjusted for splits and dividends (unit as in the file)"


def test_the_reliability_of_levels_shows_each_level_of_each_event_on_equal_axes(forecast: Forecast) -> None:
    report = compare(forecast, {"random_walk": random_walk(TASK), "drift": drift(TASK)}, TASK)
    figure = plots.level_reliability(report, len(TASK.origins), "GE, test days")
    events = [getattr(report.chances[step]["model"], event) for event in ("close", "touch") for step in (1, 5, 10, 20)]
    for axes, event in zip(figure.axes, events, strict=True):
        drawn = [line.get_xydata().tolist() for line in axes.lines if str(line.get_label()).startswith("network")]
        assert [tuple(point) for line in drawn for point in line] == [(one.promised, one.came) for one in event.levels]
        assert axes.get_xlim() == axes.get_ylim()
        assert axes.get_xlim()[1] > max(max(one.promised, one.came) for one in event.levels)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["ideal", "network, levels below the last close", "network, levels above the last close",
                      "the random walk", "drift"]  # fmt: skip
