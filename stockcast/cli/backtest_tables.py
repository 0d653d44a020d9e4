"""The tables of a backtest, on standard output."""

from stockcast.cli.fitted_table import new_table, print_table
from stockcast.cli.pool_tables import print_pooled, signed_skill
from stockcast.cli.tables import print_sentences
from stockcast.evaluation.pool import PooledScores
from stockcast.evaluation.verdict.pool import SCORES, baseline_name
from stockcast.pipeline.backtest_result import Backtest
from stockcast.text import join_words


def print_backtest(backtest: Backtest, *, verbose: bool) -> None:
    """Print the scores by fold, those of all folds as one, and the verdict or its last sentence."""
    _print_folds(backtest)
    print_pooled(backtest.pool, title=backtest.title(), file="backtest.json")
    verdict = backtest.verdict
    print_sentences(verdict if verbose else (verdict[0], *backtest.missing, verdict[-1]))


def _print_folds(backtest: Backtest) -> None:
    whole, frequency = backtest.pool, backtest.pool.frequency
    hardest = {step: scores.hardest for step, scores in whole.horizons.items()}
    against: dict[str, list[int]] = {}
    for step, name in hardest.items():
        against.setdefault(name, []).append(step)
    named = [f"{baseline_name(name, frequency)} at {frequency.steps(steps)}" for name, steps in against.items()]
    table = new_table(
        backtest.title(),
        f"By how much the network's {SCORES[whole.score]} is lower (+) or higher (-) than that of the baseline that is "
        f"hardest over all folds, by {frequency.unit}s ahead: {join_words(named)}."
        + ("" if whole.overall.coverage_90 is None else " In brackets: % of prices inside the 90 % band."),
        "fold", "first day", "origins", *map(str, hardest),
    )  # fmt: skip
    for scores in backtest.folds:
        fold, pool = scores.fold, scores.pool
        cells = [_cell(pool.horizons.get(step), name) for step, name in hardest.items()]
        table.add_row(str(fold.number), str(fold.cutoff), str(sum(each.origins for each in pool.series)), *cells)
    table.add_section()
    cells = [_cell(whole.horizons[step], name) for step, name in hardest.items()]
    table.add_row("all", "", str(sum(each.origins for each in whole.series)), *cells)
    print_table(table, least=("origins",), file="folds.csv")


def _cell(scores: PooledScores | None, baseline: str) -> str:
    if scores is None or baseline not in scores.against:
        return ""
    covers = "" if scores.coverage_90 is None else f" ({100 * scores.coverage_90:.0f})"
    return f"{signed_skill(scores.against[baseline].skill)}{covers}"
