"""Figures of an explanation hold the numbers that they are given, each at its name."""

import numpy as np
import pytest
from drawn import texts_of, unreadable

from stockcast import plots
from stockcast.evaluation.importance import Importance
from stockcast.models.explain.activations import LayerActivations
from stockcast.models.explain.attribution import Saliency
from stockcast.plots.style import NOTE

DATES = np.arange("2015-01-01", "2015-01-05", dtype="datetime64[D]")
MOVED = np.array([[0.0, 0.1], [0.0, 0.2], [0.0, -0.4], [0.1, 0.5]])  # 4 days of 2 features
FOUND = Saliency(gradient_x_input=MOVED / 2, integrated=MOVED, value=1.0, baseline_value=0.5)


@pytest.mark.parametrize("what", ["spread", "middle", "up"])
def test_the_feature_that_moved_most_stands_at_the_top_and_days_in_their_order(what: str) -> None:
    figure = plots.saliency({1: FOUND, 20: FOUND}, DATES, ("still", "loud"), what=what, title="made")
    heat = figure.axes[0]
    np.testing.assert_array_equal(heat.images[0].get_array(), MOVED.T)  # origin below: the last row is the top
    assert [text.get_text() for text in heat.get_yticklabels()] == ["still", "loud"]
    assert heat.get_title(loc="left").startswith("1 day ahead: ")
    assert heat.get_title(loc="left").endswith("\nintegrated gradients")
    widths = [[bar.get_width() for bar in axes.patches] for axes in figure.axes]
    assert any(np.allclose(bars, [0.1, 0.4]) for bars in widths if len(bars) == 2)
    heights = [[bar.get_height() for bar in axes.patches] for axes in figure.axes]
    assert any(np.allclose(bars, MOVED.sum(axis=1)) for bars in heights if len(bars) == 4)
    assert "average training days" in figure.get_supxlabel()
    assert NOTE in figure.get_supxlabel()
    assert unreadable(figure) == []


def test_each_attribution_has_a_frame_of_its_own_and_all_have_one_scale() -> None:
    other = Saliency(gradient_x_input=-MOVED, integrated=3 * MOVED, value=1.0, baseline_value=0.5)
    figure = plots.saliency({1: FOUND, 20: other}, DATES, ("still", "loud"), what="spread", title="made")
    images = {tuple(axes.get_title(loc="left").split("\n")): axes.images[0] for axes in figure.axes if axes.images}
    assert len(images) == 4
    for (ahead, method), image in images.items():
        panel = {"1 day ahead": FOUND, "20 days ahead": other}[ahead.partition(":")[0]]
        moved = {"integrated gradients": panel.integrated, "gradient x input": panel.gradient_x_input}[method]
        np.testing.assert_array_equal(image.get_array(), moved.T)
    assert {image.get_clim() for image in images.values()} == {(-1.5, 1.5)}  # the largest cell is 3 x 0.5
    sums = [axes for axes in figure.axes if len(axes.patches) == 4]
    assert len({axes.get_ylim() for axes in sums}) == 1
    assert {axes.get_yscale() for axes in sums} == {"symlog"}


def test_a_day_that_moved_a_hundredth_of_the_last_one_is_seen_and_no_cell_is_beyond_the_scale() -> None:
    moved = np.zeros((50, 1))
    moved[10], moved[-1] = 0.05, 5.0
    result = Saliency(moved, moved, 1.0, 0.0)
    dates = np.datetime64("2015-01-01") + np.arange(50)
    figure = plots.saliency({1: result}, dates, ("only",), what="middle", title="made")
    (image,) = figure.axes[0].images
    assert image.get_clim() == (-5, 5)
    none, small, largest = (np.array(image.to_rgba(value)[:3]) for value in (0.0, 0.05, 5.0))
    assert np.abs(small - none).max() > 0.1  # on a linear scale: 0.01
    assert np.abs(largest - small).max() > 0.3
    bars = next(axes for axes in figure.axes if len(axes.patches) == 50)
    to_pixels = bars.transData.transform
    heights = [to_pixels((0, bar.get_height()))[1] - to_pixels((0, 0))[1] for bar in bars.patches]
    assert heights[10] > 0.15 * heights[-1]


def test_a_forecast_that_nothing_moved_is_colourless_and_as_wide_as_after_average_days() -> None:
    nothing = Saliency(np.zeros((4, 1)), np.zeros((4, 1)), 0.0, 0.0)
    figure = plots.saliency({1: nothing}, DATES, ("only",), what="spread", title="made")
    assert unreadable(figure) == []
    heat = figure.axes[0]
    assert heat.get_title(loc="left") == "1 day ahead: 0 % wider than after average days\nintegrated gradients"
    (image,) = heat.images
    assert np.ptp(image.get_array()) == 0
    np.testing.assert_allclose(image.to_rgba(0.0)[:3], 1, atol=0.05)  # white, in the middle of the colours


ACTIVATIONS = LayerActivations(
    "lstm_1", np.arange(12.0).reshape(4, 3), np.array([2, 0, 1]), {"forget": np.full((4, 3), 0.75)}
)


def test_units_are_in_the_order_of_their_similarity() -> None:
    figure = plots.units([ACTIVATIONS], DATES, title="made")
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), ACTIVATIONS.states.T[[2, 0, 1]])
    assert unreadable(figure) == []


def test_gates_have_a_panel_each_and_one_for_their_mean() -> None:
    figure = plots.gates([ACTIVATIONS, ACTIVATIONS], DATES, title="made")
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles.count("lstm_1: forget gate") == 2
    means = [axes for axes in figure.axes if axes.lines]
    assert [list(axes.lines[0].get_ydata()) for axes in means] == [[0.75] * 4] * 2
    assert unreadable(figure) == []


def test_the_gradient_is_drawn_on_a_log_axis_and_what_vanished_altogether_leaves_a_gap() -> None:
    shares = {"the run's lstm, trained": np.array([1, 0.1, 0.01]), "untrained": np.array([1, 1e-8, 0])}
    figure = plots.gradient_through_time(shares, title="made")
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    assert [line.get_linestyle() for line in axes.lines] == ["-", "--"]
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), [1, 1e-8, np.nan])
    assert [text.get_text() for text in axes.texts] == ["1e-06 %", "1.0 %"]
    assert unreadable(figure) == []


def test_curves_that_end_together_have_labels_that_do_not_cover_each_other() -> None:
    shares = {name: np.array([1, end]) for name, end in (("one", 0.012), ("untrained", 0.012), ("other", 0.011))}
    figure = plots.gradient_through_time(shares, title="made")
    assert len(figure.axes[0].texts) == 3
    assert unreadable(figure) == []


def test_importance_is_drawn_in_shares_of_the_loss_the_most_important_feature_at_the_top() -> None:
    result = Importance(loss=2.0, increases=np.array([[0.2, 0.4], [-0.1, 0.1]]))
    (axes,) = plots.importance(result, ("dear", "idle"), score="CRPS", origins=40, title="made").axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["idle", "dear"]
    np.testing.assert_allclose([bar.get_width() for bar in axes.patches], [0, 0.15], atol=1e-12)
    np.testing.assert_allclose(axes.lines[1].get_xdata(), [0.1, 0.2])
    idle, dear = (bar.get_facecolor() for bar in axes.patches)  # the mean of 0.15 has a deviation of 0.07
    assert idle != dear


def test_a_probability_of_up_and_its_score_are_named() -> None:
    result = Saliency(MOVED, MOVED, value=53.25, baseline_value=51.0)
    figure = plots.saliency({1: result}, DATES, ("still", "loud"), what="up", title="made")
    assert "the probability of up" in figure.get_suptitle()
    assert (
        figure.axes[0].get_title(loc="left") == "1 day ahead: 53.25 %, after average days 51.00 %\nintegrated gradients"
    )
    result = Importance(loss=0.25, increases=np.array([[0.01, 0.02]]))
    (axes,) = plots.importance(result, ("only",), score="Brier", origins=40, title="made").axes
    assert "Brier score of the direction's probabilities" in axes.get_xlabel()


def test_features_of_any_name_are_written_letter_by_letter() -> None:
    features = ("own:$VIX$", "own:a$b_c$")
    moved = plots.saliency({1: FOUND}, DATES, features, what="spread", title="$GE$")
    needed = plots.importance(
        Importance(loss=2.0, increases=np.array([[0.2, 0.4], [-0.1, 0.1]])),
        features,
        score="CRPS",
        origins=40,
        title="GE",
    )
    for figure in (moved, needed):
        assert unreadable(figure) == []
        assert set(features) <= {text.text for text in texts_of(figure)}
