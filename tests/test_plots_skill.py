"""Skill is drawn as it was scored, with its interval, and what is not significant is hollow and grey."""

from dataclasses import replace

import numpy as np
import pytest
from drawn import texts_of, unreadable
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from stockcast import plots
from stockcast.evaluation.baselines.naive import drift, ewma, historical_volatility, random_walk
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.evaluation.direction_scores import SHARES
from stockcast.evaluation.pool import BEST, Pool, SeriesScores, StepScores, pool_series
from stockcast.evaluation.scores import Report, compare
from stockcast.evaluation.significance import SkillTest
from stockcast.evaluation.verdict.outcomes import correct
from stockcast.evaluation.verdict.pool import pooled_results
from stockcast.plots import style

DATES = np.arange("2013-01-01", "2016-12-31", dtype="datetime64[D]")
VOLATILITY = np.resize(np.repeat([0.002, 0.03], 60), len(DATES))  # two calm months, two wild ones
CLOSES = 100 * np.exp(np.cumsum(VOLATILITY * np.random.default_rng(0).standard_normal(len(DATES))))
TASK = ForecastTask(DATES, CLOSES, np.arange(700, 1400), horizon=20, training_days=300)


@pytest.fixture(scope="module")
def report() -> Report:
    """EWMA against the random walk, which it beats, drift, and 20-day volatility, which beats it."""
    baselines = {"random_walk": random_walk(TASK), "drift": drift(TASK), "volatility_20": historical_volatility(TASK)}
    return compare(ewma(TASK), baselines, TASK)


def panel(figure: Figure, baseline: str) -> Axes:
    return next(axes for axes in figure.axes if axes.get_title(loc="left") == f"against {baseline}")


NAMES = {"random_walk": "the random walk", "drift": "drift", "volatility_20": "20-day volatility"}


def test_skill_is_drawn_for_every_day_ahead_and_every_baseline_on_one_scale(report: Report) -> None:
    figure = plots.skill_by_horizon(report, "made")
    for key, name in NAMES.items():
        drawn: dict[int, float] = {}
        for line in panel(figure, name).lines:
            if len(line.get_xdata()) > 20:  # a line by days ahead, of one colour, with gaps where it has the other
                drawn |= {int(x): y for x, y in zip(*line.get_data(), strict=True) if x == int(x) and np.isfinite(y)}
        assert [drawn[step] for step in range(1, 21)] == pytest.approx(list(report.skill_by_step[key]))
    ((low, high),) = {axes.get_ylim() for axes in figure.axes}
    assert low < min(0, *drawn.values())
    assert high > max(drawn.values())
    assert unreadable(figure) == []


def test_the_area_is_the_interval_and_grey_where_it_includes_zero(report: Report) -> None:
    figure = plots.skill_by_horizon(report, "made")
    greys = 0
    for key, name in NAMES.items():
        skill, margin = report.skill_by_step[key], report.skill_margins[key]
        for area in panel(figure, name).collections:
            vertices = np.concatenate([path.vertices for path in area.get_paths()] or [np.empty((0, 2))])
            is_grey = to_hex(area.get_facecolor()[0]) == style.GREY
            assert is_grey or to_hex(area.get_facecolor()[0]).upper() == style.BASELINE_COLOURS[key]
            for step in {int(x) for x, _ in vertices if x == int(x)}:
                heights = [y for x, y in vertices if x == step]
                assert min(heights) == pytest.approx(skill[step - 1] - margin[step - 1])
                assert max(heights) == pytest.approx(skill[step - 1] + margin[step - 1])
                assert min(heights) <= skill[step - 1] <= max(heights)
                assert is_grey == (min(heights) <= 0 <= max(heights))
                greys += is_grey
    assert 0 < greys < 60


def test_reported_days_are_filled_where_the_verdict_finds_a_difference(report: Report) -> None:
    figure = plots.skill_by_horizon(report, "made")
    tests = {key: {step: at.tests[key] for step, at in report.horizons.items()} for key in NAMES}
    outcomes = {key: [result.outcome for result in by_step.values()] for key, by_step in correct(tests).items()}
    assert {"better", "worse", "open"} == {outcome for row in outcomes.values() for outcome in row}
    for key, name in NAMES.items():
        circles = [line for line in panel(figure, name).lines if line.get_marker() == "o"]
        assert [int(circle.get_xdata()[0]) for circle in circles] == [1, 5, 10, 20]
        assert [circle.get_ydata()[0] for circle in circles] == list(report.skill_by_step[key][[0, 4, 9, 19]])
        for circle, outcome in zip(circles, outcomes[key], strict=True):
            colour, fill = circle.get_color(), circle.get_markerfacecolor()
            expected = (style.BASELINE_COLOURS[key],) * 2 if outcome in ("better", "worse") else (style.GREY, "white")
            assert (colour, fill) == expected
    assert "significant, corrected for 12 tests" in {text.text for text in texts_of(figure)}


def test_a_horizon_without_a_test_is_drawn_without_an_interval(report: Report) -> None:
    without = replace(report, skill_margins={name: np.full(20, np.nan) for name in NAMES})
    figure = plots.skill_by_horizon(without, "made")
    assert unreadable(figure) == []
    assert not [path for axes in figure.axes for area in axes.collections for path in area.get_paths()]


def test_one_day_ahead_is_a_point_with_its_interval() -> None:
    task = replace(TASK, horizon=1)
    report = compare(ewma(task), {"random_walk": random_walk(task)}, task)
    figure = plots.skill_by_horizon(report, "made")
    assert unreadable(figure) == []
    (bars,) = figure.axes[0].collections
    ((_, low), (_, high)), = bars.get_segments()  # fmt: skip
    skill, margin = report.skill_by_step["random_walk"][0], report.skill_margins["random_walk"][0]
    assert (low, high) == (pytest.approx(skill - margin), pytest.approx(skill + margin))


def pool_of(count: int, *, baselines: tuple[str, ...] = ("random_walk", "ewma")) -> Pool:
    """Series whose network beats the first baseline by a fifth, more or less, and equals the others but for noise."""

    def series(number: int) -> tuple[SeriesScores, np.ndarray, dict[str, np.ndarray]]:
        random = np.random.default_rng(number)
        base = 1 + random.random((80, 3))
        losses = {"model": base * (0.8 + 0.1 * random.standard_normal((80, 3)))}
        losses |= {name: base if place == 0 else losses["model"] + 0.1 * random.standard_normal((80, 3))
                   for place, name in enumerate(baselines)}  # fmt: skip
        means = {name: loss.mean(axis=0) for name, loss in losses.items()}
        steps = {step: StepScores(means["model"][column], {name: means[name][column] for name in baselines})
                 for column, step in enumerate((1, 5, None))}  # fmt: skip
        tests = {name: {1: SkillTest(-3.0, 0.01), 5: None} for name in baselines}
        overall = steps.pop(None)
        scores = SeriesScores(f"S{number}", "2020-01-01", "2020-04-01", 80, steps, overall, tests)
        return scores, np.datetime64("2020-01-01") + np.arange(80), losses

    return pool_series(series(number) for number in range(count))


@pytest.mark.parametrize("count", [1, 5, 60])
def test_a_pool_shows_each_series_and_the_mean_with_its_interval(count: int) -> None:
    pool = pool_of(count)
    figure = plots.pool_skill(pool, "made")
    assert unreadable(figure) == []
    names = {"random_walk": "the random walk", "ewma": "EWMA volatility", BEST: "the best baseline of each series"}
    assert len(figure.axes) == 3
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    results = pooled_results(pool)
    for key, name in names.items():
        axes = panel(figure, name)
        series = [line for line in axes.lines if line.get_markersize() == 3]
        for line, step in zip(series, (1, 5), strict=True):
            assert list(line.get_ydata()) == sorted(one.horizons[step].skill(key) for one in pool.series)
        bars = [bar.get_segments()[0] for bar in axes.collections]
        for place, (step, ((x, low), (_, high))) in enumerate(zip((1, 5), bars, strict=True)):
            against = pool.horizons[step].against[key]
            assert x == place
            assert (low, high) == (pytest.approx(against.skill - against.margin),
                                   pytest.approx(against.skill + against.margin))  # fmt: skip
        circles = [line for line in axes.lines if line.get_markersize() == 7]
        assert [circle.get_markerfacecolor() == "white" for circle in circles] == [
            result.outcome not in ("better", "worse") for result in results[key].values()
        ]
    filled = [line.get_markerfacecolor() != "white" for line in panel(figure, "the random walk").lines
              if line.get_markersize() == 7]  # fmt: skip
    assert filled == [True, True]


def test_a_pool_of_directions_is_against_the_class_shares() -> None:
    pool = replace(pool_of(4, baselines=(SHARES,)), score="brier")
    figure = plots.pool_skill(pool, "made")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["against the class shares of the training days"]
    assert any(text.text.startswith("skill: by how much the Brier score is lower") for text in texts_of(figure))
    assert unreadable(figure) == []
