"""A stored evaluation -> what a page shows of it; it may come from anybody, so a value of the wrong kind is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from stockcast.runs.values import mapping, number, score_of, word
from stockcast.text import p_value_text, plural, price_text

PROMISES = (50, 80, 90, 95)
"""Central bands whose coverage is shown, percent."""

_REGIMES = {"calm": "low", "middle": "medium", "storm": "high"}


@dataclass(frozen=True)
class ScoreRow:
    """A row of the table of scores.

    Attributes:
        step: days ahead, or `all`.
        forecast: whose: the network's, or a baseline's.
        cells: as text, in the order of `Scores.columns`.
        tone: `better` or `worse` where the network's score differs significantly from this baseline's, else empty.
    """

    step: str
    forecast: str
    cells: tuple[str, ...]
    tone: str = ""


@dataclass(frozen=True)
class CoverageRow:
    """How often the price was inside the network's bands.

    Attributes:
        step: days ahead.
        shares: by promise, percent, see `PROMISES`; None where metrics.json does not hold it.
        regimes: share inside the 90 % band after days of low, medium and high volatility, percent, with the number of
            days.
    """

    step: str
    shares: dict[int, float | None]
    regimes: dict[str, str]


@dataclass(frozen=True)
class Scores:
    """What is known of a network on the test days of one series.

    Attributes:
        days: first and last day, and number of origins.
        unit: of a step.
        caption: what the columns are.
        columns: headers after days ahead and forecast.
        rows: the network and each baseline, step by step.
        coverage: by step; empty of directions.
        verdict: sentences.
        remark: where they are of another state of the file; else empty.
    """

    days: str
    unit: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[ScoreRow, ...]
    coverage: tuple[CoverageRow, ...]
    verdict: tuple[str, ...]
    remark: str = ""


Proven: TypeAlias = Mapping[str, Mapping[int, str]]
"""By baseline and number of steps ahead what the corrected tests prove: `better`, `worse`, or another word."""


def scores_of(
    metrics: dict[str, Any], verdict: Sequence[str], *, unit: str, proven: Proven, remark: str = ""
) -> Scores:
    """Return what a page shows of metrics.json.

    Args:
        metrics: its content, unchecked.
        verdict: sentences.
        unit: of a step: day, week or month.
        proven: what is significant once it is corrected for the number of tests.
        remark: a sentence on what it is of, where that is not the file at hand.
    """
    split = mapping(metrics.get("split"))
    origins = number(split.get("origins"))
    days = f"{word(split.get('first_origin'))} to {word(split.get('last_target'))}"
    is_price = score_of(metrics) == "CRPS"
    horizons = {
        step: mapping(comparison)
        for step, comparison in mapping(metrics.get("horizons")).items()
        if step.isdecimal() and len(step) < 4
    }
    steps = {**dict(sorted(horizons.items(), key=lambda each: int(each[0]))), "all": mapping(metrics.get("overall"))}
    return Scores(
        days=days if origins is None else f"{days}, {plural(origins, 'origin')}",
        unit=unit,
        caption=_caption(unit, is_price=is_price),
        columns=("CRPS", "network's is", "p", "in 90 %", "MAE")
        if is_price
        else ("Brier", "network's is", "p", "log loss", "right"),
        rows=tuple(
            row for step, comparison in steps.items() for row in _rows(step, comparison, proven, is_price=is_price)
        ),
        coverage=tuple(_coverage(step, comparison) for step, comparison in horizons.items()) if is_price else (),
        verdict=tuple(verdict),
        remark=remark,
    )


def _caption(unit: str, *, is_price: bool) -> str:
    tests = "p: Diebold-Mariano, each test alone. Bold: significant, corrected for their number."
    if is_price:
        return (
            f"CRPS of log returns x 10,000: lower is better. {tests} In 90 %: share of prices inside the 90 % band. "
            f"MAE of the median, in the price's unit. All: the mean over every {unit} ahead."
        )
    return f"Brier score and log loss: lower is better. {tests} Right: share of {unit}s whose likeliest class came."


def _rows(step: str, comparison: dict[str, Any], proven: Proven, *, is_price: bool) -> list[ScoreRow]:
    cells = _price_cells if is_price else _direction_cells
    rows = [ScoreRow(step, "network", cells(mapping(comparison.get("model")), "", ""))]
    skills, tests = mapping(comparison.get("skill")), mapping(comparison.get("tests"))
    for baseline, scores in mapping(comparison.get("baselines")).items():
        skill, p_value = number(skills.get(baseline)), number(mapping(tests.get(baseline)).get("p_value"))
        outcome = proven.get(baseline, {}).get(int(step), "") if step.isdecimal() else ""
        tone = outcome if outcome in ("better", "worse") else ""
        p_text = "" if p_value is None else p_value_text(p_value).removeprefix("p = ").removeprefix("p ")
        own = cells(mapping(scores), _skill(skill), p_text)
        rows.append(ScoreRow(step, word(baseline) or "", own, tone))
    return rows


def _skill(skill: float | None) -> str:
    return "" if skill is None else f"{100 * abs(skill):.1f} % {'lower' if skill >= 0 else 'higher'}"


def _price_cells(scores: dict[str, Any], skill: str, p_value: str) -> tuple[str, ...]:
    crps, coverage, mae = (number(scores.get(name)) for name in ("crps", "coverage_90", "mae"))
    return (_text(crps, "{:.1f}", times=1e4), skill, p_value, _text(coverage, "{:.0f} %", times=100),
            "" if mae is None else price_text(mae))  # fmt: skip


def _direction_cells(scores: dict[str, Any], skill: str, p_value: str) -> tuple[str, ...]:
    brier, log_loss, accuracy = (number(scores.get(name)) for name in ("brier", "log_loss", "accuracy"))
    return (_text(brier, "{:.4f}"), skill, p_value, _text(log_loss, "{:.4f}"), _text(accuracy, "{:.1f} %", times=100))


def _coverage(step: str, comparison: dict[str, Any]) -> CoverageRow:
    model, regimes = mapping(comparison.get("model")), mapping(comparison.get("regimes"))
    shares = {promise: number(model.get(f"coverage_{promise}")) for promise in PROMISES}
    return CoverageRow(
        step,
        {promise: None if share is None else 100 * share for promise, share in shares.items()},
        {shown: _regime(mapping(regimes.get(name))) for name, shown in _REGIMES.items()},
    )


def _regime(regime: dict[str, Any]) -> str:
    origins, share = number(regime.get("origins")), number(regime.get("coverage_90"))
    return "" if not origins or share is None else f"{100 * share:.0f} % of {origins:.0f}"


def _text(value: float | None, form: str, *, times: float = 1) -> str:
    return "" if value is None else form.format(times * value)
