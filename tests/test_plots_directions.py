from dataclasses import replace

import numpy as np
import pytest
from drawn import unreadable

from stockcast import plots
from stockcast.evaluation.chance import share_error
from stockcast.evaluation.direction_scores import DirectionReport, compare_directions
from stockcast.forecast import DirectionPrediction, Directions

CLASSES = {2: ("down", "up"), 3: ("down", "flat", "up")}


def made(classes: int, *, origins: int = 120, horizon: int = 5) -> tuple[Directions, DirectionReport]:
    random = np.random.default_rng(0)
    dates = np.arange("2015-01-01", np.datetime64("2015-01-01") + origins + horizon, dtype="datetime64[D]")
    targets = dates[np.arange(origins)[:, None] + np.arange(1, horizon + 1)]
    probabilities = random.dirichlet(np.ones(classes), size=(origins, horizon))
    forecast = Directions(dates[:origins], targets, CLASSES[classes], probabilities, np.full(origins, 100.0))
    actual = random.integers(0, classes, size=(origins, horizon))
    shares = np.full((horizon, classes), 1 / classes)
    return forecast, compare_directions(forecast, actual, training_shares=shares)


@pytest.mark.parametrize("classes", [2, 3])
def test_there_is_a_confusion_matrix_for_each_horizon_and_its_rows_add_up(classes: int) -> None:
    figure = plots.confusion_matrices(made(classes)[1], "made")
    figure.draw_without_rendering()
    assert [axes.get_title().partition("\n")[0] for axes in figure.axes] == ["1 day ahead", "5 days ahead"]
    for axes in figure.axes:
        (image,) = axes.images
        np.testing.assert_allclose(np.sum(image.get_array(), axis=1), 1)
        assert sum(int(text.get_text().partition("\n")[2]) for text in axes.texts) == 120
    assert unreadable(figure) == []


@pytest.mark.parametrize(("classes", "rows"), [(2, 1), (3, 3)])
def test_the_reliability_of_each_class_is_drawn_as_it_was_counted(classes: int, rows: int) -> None:
    report = made(classes)[1]
    figure = plots.reliability_curves(report, "made")
    figure.draw_without_rendering()
    assert len(figure.axes) == 2 * rows
    last = figure.axes[-1]
    observed = next(line for line in last.lines if line.get_label() == "observed")
    assert list(observed.get_ydata()) == [point.share for point in report.horizons[5].reliability["up"]]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "ideal", "chance (95 %)", "observed", "share of the training days",
    ]  # fmt: skip
    assert last.get_title() == "5 days ahead\npoints of 24 forecasts"  # a fifth of 120 each
    assert unreadable(figure) == []
    assert unreadable(plots.reliability_curves(made(classes, horizon=50)[1], "made")) == []


@pytest.mark.parametrize("classes", [2, 3])
def test_the_axes_of_reliability_have_one_scale_and_the_range_of_the_points(classes: int) -> None:
    report = made(classes)[1]
    figure = plots.reliability_curves(report, "made")
    figure.draw_without_rendering()
    for first, other in zip(figure.axes[::2], figure.axes[1::2], strict=True):  # 1 and 5 days ahead of each class
        ends = {first.get_xlim(), first.get_ylim(), other.get_xlim(), other.get_ylim()}
        ((low, high),) = ends
        points = np.concatenate([axes.lines[1].get_xydata().ravel() for axes in (first, other)])
        assert low <= points.min() <= points.max() <= high
        assert high - low <= max(1.16 * np.ptp(points), np.ptp(points) + 0.04) + 0.2  # and of the shares
        frame = first.get_window_extent()
        assert frame.width == pytest.approx(frame.height, rel=0.01)


@pytest.mark.parametrize("name", ["down", "flat", "up"])
def test_the_range_of_chance_is_that_of_as_many_consecutive_forecasts(name: str) -> None:
    figure = plots.reliability_curves(made(3)[1], "made")
    row = 2 * CLASSES[3].index(name)
    for axes, step in zip(figure.axes[row : row + 2], (1, 5), strict=True):
        (chance,) = axes.collections
        vertices = chance.get_paths()[0].vertices
        for level in {x for x, _ in vertices}:
            if 0.05 < level < 0.95:
                heights = [y for x, y in vertices if x == level]
                part = ((1 - level) / 2, (1 + level) / 2) if name == "flat" else (0, level)
                error = share_error(*part, origins=24, horizon=step)
                assert max(heights) == pytest.approx(level + 1.96 * error)
                assert min(heights) == pytest.approx(level - 1.96 * error)


def test_a_constant_forecast_is_one_point_of_the_curve_and_one_column_of_the_matrix() -> None:
    forecast, _ = made(2)
    constant = replace(forecast, probabilities=np.full((120, 5, 2), [0.4, 0.6]))
    actual = np.tile([[0], [1], [1], [1]], (30, 5))  # down on a quarter of the days
    report = compare_directions(constant, actual, training_shares=np.full((5, 2), 0.5))
    curves = plots.reliability_curves(report, "constant")
    curves.draw_without_rendering()
    for axes in curves.axes:
        (observed,) = (line for line in axes.lines if line.get_label() == "observed")
        assert (list(observed.get_xdata()), list(observed.get_ydata())) == ([pytest.approx(0.6)], [0.75])
        low, high = axes.get_xlim()
        assert low < 0.6 < high
    matrices = plots.confusion_matrices(report, "constant")
    matrices.draw_without_rendering()
    for axes in matrices.axes:
        assert [text.get_text() for text in axes.texts] == ["0 %\n0", "100 %\n30", "0 %\n0", "100 %\n90"]


def test_a_forecast_of_one_day_has_that_day_below_it_and_shows_the_share_of_the_past() -> None:
    forecast, _ = made(2, origins=1, horizon=1)
    figure = plots.direction_chart(DirectionPrediction("run", "GE", forecast, np.array([[0.4, 0.6]]), None))
    figure.draw_without_rendering()
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["2015-01-02"]
    past = next(line for line in axes.lines if line.get_label() == "up, in the past")
    assert (list(past.get_ydata()), past.get_marker()) == ([0.6], "_")  # a line of one point cannot be seen


@pytest.mark.parametrize(("classes", "meaning"), [(2, "up: above the price of 2015-01-01"), (3, "flat: within about")])
def test_a_forecast_of_the_direction_states_what_up_or_flat_is(classes: int, meaning: str) -> None:
    forecast, _ = made(classes, origins=1)
    flat = np.array([0.01, 0.02, 0.03, 0.04, 0.05]) if classes == 3 else None
    figure = plots.direction_chart(DirectionPrediction("run", "GE", forecast, np.full((5, classes), 1 / classes), flat))
    assert unreadable(figure) == []
    (axes,) = figure.axes
    assert axes.get_title(loc="left").startswith(meaning)
    drawn = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
    assert drawn["up, forecast"] == list(forecast.of("up")[0])
    assert drawn["up, in the past"] == [1 / classes] * 5
    assert ("down, forecast" in drawn) == (classes == 3)  # of two classes, down is the rest
    ends = {f"{100 * forecast.of(name)[0, -1]:.0f} % ({name}, forecast)" for name in forecast.classes[-1:]}
    assert ends | {f"{100 / classes:.0f} % (up, in the past)"} <= {text.get_text() for text in axes.texts}
    if classes == 3:
        assert "1.0 % after 1 day, 5.1 % after 5" in axes.get_title(loc="left")
