import numpy as np
import pytest

from stockcast import plots_directions as plots
from stockcast.evaluation.directions import DirectionReport, compare_directions
from stockcast.forecast import Directions

CLASSES = {2: ("down", "up"), 3: ("down", "flat", "up")}


def made(classes: int, *, origins: int = 120, horizon: int = 5) -> tuple[Directions, DirectionReport]:
    random = np.random.default_rng(0)
    dates = np.arange("2015-01-01", np.datetime64("2015-01-01") + origins + horizon, dtype="datetime64[D]")
    targets = dates[np.arange(origins)[:, None] + np.arange(1, horizon + 1)]
    probabilities = random.dirichlet(np.ones(classes), size=(origins, horizon))
    forecast = Directions(dates[:origins], targets, CLASSES[classes], probabilities, np.full(origins, 100.0))
    came = random.integers(0, classes, size=(origins, horizon))
    shares = np.full((horizon, classes), 1 / classes)
    return forecast, compare_directions(forecast, came, training_shares=shares)


@pytest.mark.parametrize("classes", [2, 3])
def test_there_is_a_confusion_matrix_for_each_horizon_and_its_rows_add_up(classes: int) -> None:
    figure = plots.confusion_matrices(made(classes)[1], "made")
    figure.canvas.draw()
    assert [axes.get_title().partition("\n")[0] for axes in figure.axes] == ["1 day ahead", "5 days ahead"]
    for axes in figure.axes:
        (image,) = axes.images
        np.testing.assert_allclose(np.sum(image.get_array(), axis=1), 1)
        assert sum(int(text.get_text().partition("\n")[2]) for text in axes.texts) == 120


@pytest.mark.parametrize(("classes", "rows"), [(2, 1), (3, 3)])
def test_the_reliability_of_each_class_is_drawn_as_it_was_counted(classes: int, rows: int) -> None:
    report = made(classes)[1]
    figure = plots.reliability_curves(report, "made")
    figure.canvas.draw()
    assert len(figure.axes) == 2 * rows
    last = figure.axes[-1]
    came = next(line for line in last.lines if line.get_label() == "as it came")
    assert list(came.get_ydata()) == [point.share for point in report.horizons[5].reliability["up"]]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "as said", "within luck", "as it came", "training days' share",
    ]  # fmt: skip


def test_a_network_that_always_says_the_same_can_be_drawn() -> None:
    forecast, _ = made(2)
    still = Directions(
        forecast.origin_dates, forecast.target_dates, forecast.classes, np.full((120, 5, 2), 0.5), forecast.last_close
    )
    report = compare_directions(still, np.ones((120, 5), int), training_shares=np.full((5, 2), 0.5))
    for picture in (plots.confusion_matrices, plots.reliability_curves):
        picture(report, "still").canvas.draw()


@pytest.mark.parametrize(("classes", "meaning"), [(2, "up: above the price of 2015-01-01"), (3, "flat: within about")])
def test_a_forecast_of_the_direction_says_what_up_or_flat_is(classes: int, meaning: str) -> None:
    forecast, _ = made(classes, origins=1)
    flat = np.array([0.01, 0.02, 0.03, 0.04, 0.05]) if classes == 3 else None
    figure = plots.direction_chart(forecast, np.full((5, classes), 1 / classes), flat, title="made")
    figure.canvas.draw()
    (axes,) = figure.axes
    assert axes.get_title(loc="left").startswith(meaning)
    drawn = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
    assert drawn["up, as said"] == list(forecast.of("up")[0])
    assert drawn["up, in the past"] == [1 / classes] * 5
    if classes == 3:
        assert "1.0 % after 1 day, 5.1 % after 5" in axes.get_title(loc="left")
