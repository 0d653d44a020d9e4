"""How a config was chosen -> a sentence of the verdict on it."""

from datetime import date

from stockcast.text import plural


def tuned_sentence(*, trials: int, before: date, first: date) -> str:
    """State how many configs a network's was chosen among, and whether days that are scored had a part in it.

    Args:
        trials: configs that it was chosen among.
        before: day before which all days end that they were compared on.
        first: first day whose price is scored.
    """
    chosen = f"The config was chosen among {plural(trials, 'trial')} on folds before {before}"
    if first >= before:
        return f"{chosen}; the days that are scored here were not read."
    return (
        f"{chosen}, and days since {first} are scored here: those before {before} chose it, so the scores are too good."
    )
