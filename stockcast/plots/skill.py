"""Skill of one series or of many -> figures: a panel for each baseline, all on one scale."""

from collections.abc import Mapping, Sequence
from math import ceil

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from stockcast.evaluation.pool import Pool
from stockcast.evaluation.scores import Report
from stockcast.evaluation.verdict.outcomes import CorrectedTest, Results, correct
from stockcast.evaluation.verdict.pool import SCORES, baseline_name, pooled_results
from stockcast.evaluation.verdict.prices import score_name
from stockcast.frequency import Frequency
from stockcast.plots.style import BASELINE_COLOURS, GREY, NETWORK, PRICE, explain_below, new_figure, plain
from stockcast.typing import Floats

_SPREAD = 0.16  # half the width in which the points of a horizon lie, in horizons
_COLUMNS = 4  # at most
_LEAST_ROOM = 0.02  # of skill above and below: less would make differences of a thousandth look large
_DECIDED = ("better", "worse")


def skill_by_horizon(report: Report, title: str) -> Figure:
    """By how much the network's CRPS is lower than each baseline's, for each day, week or month ahead.

    The area is the 95 % confidence interval of each day ahead by itself, grey where it includes 0. The circles of the
    reported days are filled where the difference is significant in the verdict, which corrects for all its tests.
    """
    results = correct(
        {name: {step: report.horizons[step].tests[name] for step in report.horizons} for name in report.skill_by_step}
    )
    figure, panels = _panels(list(results), report.frequency, f"Skill by {report.frequency.unit}s ahead: {title}")
    for (name, skill), axes in zip(report.skill_by_step.items(), panels, strict=True):
        margin = report.skill_margins.get(name, np.full(len(skill), np.nan))
        _interval(axes, skill, margin, colour=BASELINE_COLOURS[name])
        reported = list(results[name])
        _marks(axes, reported, skill[np.array(reported) - 1], results[name], colour=BASELINE_COLOURS[name])
        axes.set_xticks(reported, [str(step) for step in reported])
        axes.margins(x=0.03 if len(skill) > 1 else 1)
    # An interval of few long forecasts would flatten all others; it goes on beyond the frame.
    drawn = np.concatenate([[0], *report.skill_by_step.values()])
    drawn = drawn[np.isfinite(drawn)]  # against a baseline without a loss, as on prices that never move, it is not
    room = max(np.ptp(drawn), _LEAST_ROOM)
    panels[0].set_ylim(drawn.min() - room, drawn.max() + room)
    interval = f"95 % interval, each {report.frequency.unit} ahead by itself"
    areas = {interval: NETWORK, "the same, where it includes 0": GREY}
    handles = {label: Patch(color=colour, alpha=0.3, linewidth=0) for label, colour in areas.items()}
    _explain(figure, handles, results, score=score_name(report), more="; intervals may go on beyond the frame")
    return figure


def pool_skill(pool: Pool, title: str) -> Figure:
    """The mean skill over the series against each baseline with its 95 % interval, and that of each series, by horizon.

    The circles are filled where the pooled difference is significant in the verdict.
    """
    results, steps = pooled_results(pool), list(pool.horizons)
    figure, panels = _panels(list(results), pool.frequency, f"Skill by series: {title}")
    for name, axes in zip(results, panels, strict=True):
        colour = BASELINE_COLOURS.get(name, NETWORK)
        for place, step in enumerate(steps):
            skills = [skill for one in pool.series if (skill := one.horizons[step].skill(name)) is not None]
            spread = _SPREAD * min(1, (len(skills) - 1) / 8)
            beside = place + np.linspace(-spread, spread, len(skills))
            axes.plot(beside, np.sort(skills), "o", markersize=3, color=GREY, alpha=0.45, linewidth=0, zorder=1)
        pooled = [pool.horizons[step].against[name] for step in results[name]]
        places = [steps.index(step) for step in results[name]]
        means = np.array([scores.skill for scores in pooled])
        axes.plot(places, means, color=colour, linewidth=1.2, zorder=1.5)
        for place, scores, result in zip(places, pooled, results[name].values(), strict=True):
            shade = colour if result.outcome in _DECIDED else GREY
            axes.errorbar(place, scores.skill, scores.margin, color=shade, linewidth=1.5, capsize=3, zorder=2)
        _marks(axes, places, means, results[name], colour=colour)
        axes.set_xticks(range(len(steps)), [str(step) for step in steps])
    handles = {
        "mean over the series, and its 95 % interval": Line2D([], [], color=NETWORK, marker="|", markersize=10),
        "each series": Line2D([], [], color=GREY, marker="o", markersize=3, linewidth=0),
    }
    _explain(figure, handles, results, score=SCORES[pool.score])
    return figure


def _panels(names: Sequence[str], frequency: Frequency, title: str) -> tuple[Figure, list[Axes]]:
    """Return a figure with a panel for each baseline, on one vertical scale, with a line at 0."""
    rows = ceil(len(names) / _COLUMNS)
    columns = ceil(len(names) / rows)
    figure = new_figure(title, size=(max(7.5, 4.2 * columns), 1.8 + 3 * rows))
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    panels = list(grid.flat)
    for axes in panels[len(names) :]:
        axes.remove()
    for number, (name, axes) in enumerate(zip(names, panels, strict=False)):
        plain(axes)
        axes.axhline(0, color=PRICE, linewidth=1)
        label = baseline_name(name, frequency)
        axes.set_title(f"against {label}", fontsize=10, loc="left", color=BASELINE_COLOURS.get(name, NETWORK))
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        if number % columns == 0:
            axes.set_ylabel("skill")
        if number + columns >= len(names):
            axes.set_xlabel(f"{frequency.bar}s ahead")
    return figure, panels[: len(names)]


def _interval(axes: Axes, skill: Floats, margin: Floats, *, colour: str) -> None:
    """Draw the skill by days ahead and its interval, both grey where the interval includes 0."""
    steps = np.arange(1, len(skill) + 1)
    clear = np.abs(skill) > margin
    if len(skill) == 1:
        axes.errorbar(steps, skill, np.nan_to_num(margin), color=colour if clear[0] else GREY, capsize=4, linewidth=2)
        return
    # A step is as wide as a day, so that two colours meet between two days.
    places = np.clip(steps[:, None] + [-0.5, 0, 0.5], 1, len(skill)).ravel()
    for chosen, shade in ((clear, colour), (~clear, GREY)):
        within = np.repeat(chosen, 3)
        low, line, high = (
            np.where(within, np.interp(places, steps, values), np.nan)
            for values in (skill - margin, skill, skill + margin)
        )
        axes.fill_between(places, low, high, color=shade, alpha=0.3, linewidth=0)
        axes.plot(places, line, color=shade, linewidth=1.8, solid_capstyle="butt")


def _marks(
    axes: Axes, places: Sequence[int], skills: Floats, results: dict[int, CorrectedTest], *, colour: str
) -> None:
    """Mark the reported days: a filled circle where the difference is significant, else a hollow grey one."""
    for place, skill, result in zip(places, skills, results.values(), strict=True):
        is_decided = result.outcome in _DECIDED
        fill = colour if is_decided else "white"
        axes.plot(place, skill, "o", markersize=7, color=colour if is_decided else GREY, markerfacecolor=fill, zorder=3)


def _explain(
    figure: Figure, handles: Mapping[str, Patch | Line2D], results: Results[str], *, score: str, more: str = ""
) -> None:
    """Put what the panels have in common into the legend."""
    tests = sum(result.p_value is not None for by_step in results.values() for result in by_step.values())
    corrected = f", corrected for {tests} tests" if tests > 1 else ""
    circles = {
        f"significant{corrected}": Line2D([], [], color=NETWORK, marker="o", markersize=7, linewidth=0),
        "not significant": Line2D([], [], color=GREY, marker="o", markersize=7, markerfacecolor="white", linewidth=0),
    }
    note = f"skill: by how much the {score} is lower than the baseline's; below 0 the baseline is better{more}"
    explain_below(figure, {**handles, **circles}, columns=2, note=note)
