from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from drawn import texts_of, unreadable
from matplotlib.dates import date2num
from matplotlib.patches import Rectangle, StepPatch
from matplotlib.text import Text

from stockcast import plots
from stockcast.evaluation.baselines.naive import drift, ewma, historical_volatility, random_walk
from stockcast.evaluation.baselines.registry import BASELINES
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.evaluation.chance import share_error
from stockcast.evaluation.direction_scores import SHARES
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
    assert median.get_xdata()[-1] == date2num(forecast.target_dates[0, -1])
    assert median.get_ydata()[0] == forecast.last_close[0]
    assert axes.get_ylabel() == "price (unit as in the file)"
    assert figure.get_suptitle() == "GE: 20 sessions after 2016-02-05, by run"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "price", "90 % band", "50 % band", "median", "last price",
    ]  # fmt: skip
    edges = ((0.05, "90 % band"), (0.25, "50 % band"), (0.5, "median"), (0.75, "50 % band"), (0.95, "90 % band"))
    ends = [(forecast.at(level)[0, -1], name) for level, name in edges] + [(forecast.last_close[0], "last price")]
    assert {text.get_text() for text in axes.texts} == {f"{price:,.2f} ({name})" for price, name in ends}
    assert unreadable(figure) == []


@pytest.mark.parametrize(("horizon", "days"), [(1, 60), (20, 100), (60, 252)])
def test_the_fan_shows_five_times_as_much_history_but_at_least_60_and_at_most_252_days(horizon: int, days: int) -> None:
    forecast = ewma(replace(TASK, origins=np.array([400]), horizon=horizon))
    (axes,) = plots.fan_chart(made(forecast)).axes
    price = next(line for line in axes.lines if line.get_label() == "price")
    assert list(price.get_ydata()) == CLOSES[401 - days : 401].tolist()


def test_the_fan_ends_where_the_forecast_ends_and_labels_stand_beyond_the_frame(forecast: Forecast) -> None:
    figure = plots.fan_chart(made(forecast))
    (axes,) = figure.axes
    assert axes.get_xlim()[1] == date2num(forecast.target_dates[0, -1])
    figure.draw_without_rendering()
    frame = axes.get_window_extent()
    assert min(text.get_window_extent().x0 for text in axes.texts) >= frame.x1
    assert figure.bbox.width - frame.x1 < 180  # pixels, and the labels are the only thing that stands there


def test_the_bands_that_are_drawn_are_those_of_the_forecast(forecast: Forecast) -> None:
    (axes,) = plots.fan_chart(made(forecast)).axes
    days = [date2num(forecast.origin_dates[0]), *date2num(forecast.target_dates[0])]
    areas = {area.get_label(): area.get_paths() for area in axes.collections}
    for share in (0.9, 0.5):
        (path,) = areas[f"{100 * share:.0f} % band"]
        drawn = {(x, round(y, 9)) for x, y in path.vertices}
        edges = [[forecast.last_close[0], *edge[0]] for edge in forecast.band(share)]
        assert drawn == {(x, round(y, 9)) for edge in edges for x, y in zip(days, edge, strict=True)}


def test_the_last_price_is_marked_on_the_last_day(forecast: Forecast) -> None:
    (axes,) = plots.fan_chart(made(forecast)).axes
    last = next(line for line in axes.lines if line.get_label() == "last price")
    assert list(last.get_ydata()) == [forecast.last_close[0]] * 2
    assert last.get_xdata()[0] == forecast.origin_dates[0]
    assert (last.get_marker(), last.get_markevery()) == ("o", [0])


def test_labels_of_a_narrow_fan_do_not_cover_each_other(forecast: Forecast) -> None:
    width = (forecast.quantiles / forecast.last_close[:, None, None]) ** 0.01
    narrow = replace(forecast, quantiles=forecast.last_close[:, None, None] * width)
    figure = plots.fan_chart(made(narrow))
    assert unreadable(figure) == []
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) == 6
    assert all(below.y1 < above.y0 for below, above in pairwise(boxes))  # from the 5 % quantile up


def test_prices_adjusted_for_dividends_say_so(forecast: Forecast) -> None:
    figure = plots.fan_chart(replace(made(forecast), adjusted=True))
    assert figure.axes[0].get_ylabel() == "price (adjusted for dividends and splits)"


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
    assert unreadable(figure) == []


def test_forecast_sequences_follow_each_other_without_overlap(forecast: Forecast) -> None:
    figure = plots.forecast_sequences(DATES, CLOSES, forecast, "sequences", "price (unit as in the file)")
    (axes,) = figure.axes
    medians = next(line for line in axes.lines if line.get_label() == "median")
    days, prices = (np.append(values, np.nan).reshape(-1, 22) for values in medians.get_data())  # 1 + 20, and a gap
    assert len(days) == 10  # 200 origins, one every 20 days
    assert np.isnan(prices[:, -1]).all()
    np.testing.assert_array_equal(prices[:, 1:-1], forecast.median[::20])
    np.testing.assert_array_equal(days[:, 1:-1], date2num(forecast.target_dates[::20]))
    np.testing.assert_array_equal(prices[:, 0], forecast.last_close[::20])
    assert all(end <= start for end, start in zip(days[:-1, 20], days[1:, 0], strict=True))
    assert axes.get_yscale() == "linear"
    assert unreadable(figure) == []


@pytest.mark.parametrize(("growth", "scale"), [(2.9, "linear"), (3.1, "log"), (80.0, "log"), (3e4, "log")])
def test_sequences_over_prices_that_multiplied_are_on_a_log_scale_with_plain_prices(growth: float, scale: str) -> None:
    closes = 4.0 * growth ** (np.clip(np.arange(len(DATES)) - 400, 0, 219) / 219)
    forecast = random_walk(replace(TASK, closes=closes))
    figure = plots.forecast_sequences(DATES, closes, forecast, "sequences", "price (unit as in the file)")
    (axes,) = figure.axes
    assert axes.get_yscale() == scale
    assert axes.get_ylabel() == f"price (unit as in the file){', log scale' if scale == 'log' else ''}"
    assert unreadable(figure) == []  # a power of ten would be a formula
    ticks = [text for text in texts_of(figure) if text.text.replace(",", "").replace(".", "").isdigit()]
    prices = [tick for tick in ticks if tick.box[2] < axes.get_window_extent().x0]
    assert 3 <= len(prices) <= 12


def test_the_coverage_of_prices_at_the_median_is_complete(forecast: Forecast) -> None:
    figure = plots.coverage(forecast, {}, forecast.median, "coverage")
    for axes in figure.axes:
        network = next(line for line in axes.lines if line.get_label() == "network")
        assert set(network.get_ydata()) == {1.0}


def test_coverage_is_drawn_by_days_ahead_with_the_range_of_chance(forecast: Forecast) -> None:
    # Inside the 90 % band at every other origin on odd days ahead, at all of them on even ones; never inside 50 %.
    upper = forecast.band(0.9)[1]
    inside, far = (upper + forecast.band(0.5)[1]) / 2, 2 * upper
    odd = np.arange(1, 21) % 2 == 1
    actual = np.where(odd & (np.arange(200)[:, None] % 2 == 1), far, inside)
    figure = plots.coverage(forecast, {"random_walk": random_walk(TASK)}, actual, "coverage")
    _, ninety, fifty = figure.axes
    for axes, promise, expected in ((ninety, 0.9, np.where(odd, 0.5, 1.0)), (fifty, 0.5, np.zeros(20))):
        assert axes.get_title(loc="left") == f"{100 * promise:.0f} % band"
        network = next(line for line in axes.lines if line.get_label() == "network")
        assert (list(network.get_xdata()), list(network.get_ydata())) == (list(range(1, 21)), list(expected))
        (chance,) = axes.collections
        ends = {round(x): [] for x, _ in chance.get_paths()[0].vertices}
        for x, y in chance.get_paths()[0].vertices:
            ends[round(x)].append(y)
        for step in (1, 5, 20):
            error = share_error((1 - promise) / 2, (1 + promise) / 2, origins=200, horizon=step)
            assert min(ends[step]) == pytest.approx(promise - 1.96 * error)
            assert max(ends[step]) == pytest.approx(min(promise + 1.96 * error, 1))
    assert unreadable(figure) == []
    frames = [axes.get_window_extent().height / np.ptp(axes.get_ylim()) for axes in (ninety, fifty)]
    assert frames[0] == pytest.approx(frames[1], rel=0.01)  # an inch is the same share in both


def test_the_pooled_coverage_has_two_axes_of_one_scale(forecast: Forecast) -> None:
    figure = plots.coverage(forecast, {}, CLOSES[TASK.targets], "coverage")
    figure.draw_without_rendering()
    whole = figure.axes[0]
    frame = whole.get_window_extent()
    assert frame.width / np.ptp(whole.get_xlim()) == pytest.approx(frame.height / np.ptp(whole.get_ylim()))


@pytest.mark.parametrize("horizon", [1, 20])
def test_every_text_of_the_figures_of_an_evaluation_can_be_read(horizon: int) -> None:
    task = replace(TASK, horizon=horizon)
    made_of = {"random_walk": random_walk, "drift": drift, "volatility_20": historical_volatility}
    baselines = {name: make(task) for name, make in made_of.items()} | {"garch_t": ewma(task), "gjr_skewt": ewma(task)}
    report = compare(ewma(task), baselines, task)
    title = "A stock of a long name by quick-20261128T065348Z, test days 2016-12-29 to 2018-12-31"
    for figure in (
        plots.coverage(ewma(task), baselines, task.actual, title),
        plots.pit_histograms(report, title),
        plots.skill_by_horizon(report, title),
        plots.forecast_sequences(DATES, task.closes, ewma(task), title, "price (unit as in the file)"),
    ):
        assert any(text.text.endswith(title) for text in texts_of(figure))  # whole, if smaller
        assert unreadable(figure) == []


def test_a_single_epoch_has_a_single_whole_number_below_it() -> None:
    figure = plots.loss_curve([EpochLog(1, 3.0, 2.5, 0.1)], monitor="loss", title="loss")
    figure.draw_without_rendering()
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


OKABE_ITO = {"#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"}


def test_there_is_a_colour_for_every_baseline_that_no_kind_of_colour_vision_mixes_up() -> None:
    assert style.BASELINE_COLOURS.keys() == {*BASELINES, SHARES}
    prices = {style.BASELINE_COLOURS[name] for name in BASELINES}
    assert len(prices) == len(BASELINES)
    assert {*prices, style.NETWORK} <= OKABE_ITO  # a palette made for that
    assert style.NETWORK not in prices


def test_a_baseline_has_one_colour_in_every_figure() -> None:
    baselines = {"random_walk": random_walk(TASK), "drift": drift(TASK), "volatility_20": historical_volatility(TASK)}
    report = compare(ewma(TASK), baselines, TASK)
    skill = plots.skill_by_horizon(report, "skill")
    coverage = plots.coverage(ewma(TASK), baselines, TASK.actual, "coverage")
    titles = {text.get_text(): text.get_color() for text in skill.findobj(Text)}
    for name in baselines:
        label, colour = BASELINES[name].name(report.frequency), style.BASELINE_COLOURS[name]
        assert titles[f"against {label}"] == colour
        lines = [line for axes in coverage.axes for line in axes.lines if line.get_label() == label]
        assert [line.get_color() for line in lines] == [colour] * 3


@pytest.mark.parametrize("horizon", [1, 20])
def test_each_horizon_has_a_panel_whose_bars_are_its_shares_from_low_to_high(horizon: int) -> None:
    task = replace(TASK, horizon=horizon)
    report = compare(ewma(task), {}, task)
    figure = plots.pit_histograms(report, "made")
    steps = {1: (1,), 20: (1, 5, 10, 20)}[horizon]
    assert [axes.get_title() for axes in figure.axes] == [f"{step} day{'s' * (step > 1)} ahead" for step in steps]
    for axes, step in zip(figure.axes, steps, strict=True):
        bars = [bar for bar in axes.patches if isinstance(bar, Rectangle)]
        assert [bar.get_height() for bar in bars] == report.horizons[step].pit["histogram"]
        assert [bar.get_x() for bar in bars] == pytest.approx([0.1 * place for place in range(10)])
        (ideal,) = axes.lines
        assert set(ideal.get_ydata()) == {0.1}
        low, high = (
            next(iter(area.get_data())) for area in axes.patches if isinstance(area, StepPatch) if not area.fill
        )
        error = [share_error(place / 10, place / 10 + 0.1, origins=200, horizon=step) for place in range(10)]
        np.testing.assert_allclose(high, 0.1 + 1.96 * np.array(error))
        np.testing.assert_allclose(low, np.maximum(0.1 - 1.96 * np.array(error), 0))
    assert len({axes.get_ylim() for axes in figure.axes}) == 1


def test_the_pit_histograms_state_what_they_are() -> None:
    figure = plots.pit_histograms(compare(ewma(TASK), {}, TASK), "GE, test days")
    assert figure.get_suptitle() == "Where prices were in the forecast distribution: GE, test days"
    assert "dotted: ideal" in figure.get_supxlabel()
    assert "neighbouring forecasts overlap" in figure.get_supxlabel()
    assert style.NOTE in figure.get_supxlabel()  # as on every other picture


def test_no_unit_is_made_up_for_the_prices_of_a_file() -> None:
    assert plots.price_label(adjusted=False) == "price (unit as in the file)"
    assert plots.price_label(adjusted=True) == "price (adjusted for dividends and splits)"


ODD_NAMES = (
    "$AAPL$",
    "a_b$c^2$",
    "two\nlines",
    "\u202e<b>right</b>",
    r"\frac{1}{2} $\frac$",
    "\u65e5\u672c",
    "W" * 300,
)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_from_a_file_is_written_letter_by_letter(forecast: Forecast, name: str) -> None:
    figure = plots.fan_chart(replace(made(forecast), series=name))
    assert unreadable(figure) == []
    title = next(text.text for text in texts_of(figure) if text.text.endswith(", by run"))
    shown = {"two\nlines": "two?lines", "\u202e<b>right</b>": "?<b>right</b>", "\u65e5\u672c": "??"}.get(name, name)
    end = ": 20 sessions after 2016-02-05, by run"
    if len(name) < 300:
        assert title == shown + end
    else:
        assert title.startswith("WWW")
        assert "\u2026" in title


def test_labels_move_as_little_as_they_must() -> None:
    # By hand: the three in the middle are moved to 4, 5, 6 around their mean; the ends stay.
    moved = style.apart(np.array([0.0, 4.9, 5.0, 5.1, 9.0]), least=1.0)
    np.testing.assert_allclose(moved, [0.0, 4.0, 5.0, 6.0, 9.0])
    np.testing.assert_allclose(style.apart(np.array([3.0, 3.0]), least=2.0), [2.0, 4.0])
    assert not len(style.apart(np.array([]), least=1.0))


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
