"""A price file and newer bars: what is fetched again, whether both are of one scale, and the two together."""

from datetime import date

import numpy as np
import pandas as pd

from stockcast.errors import SourceError
from stockcast.sources.sessions import RECENT

_SAME = 1e-5
"""Share by which a price may differ: vendors' numbers have seven digits, and a cent of 400 dollars is above it."""

_WHOLE = 0.95
"""Share of the days of the old file that a new one must have."""


def overlap_start(old: pd.DataFrame) -> date:
    """Return the first of the last days of a file, which are fetched again."""
    return date.fromisoformat(str(old.index[-RECENT:][0])[:10])


def rescaled(old: pd.DataFrame, new: pd.DataFrame) -> str | None:
    """Return why new bars are not of the scale of the old ones, half a sentence; None if they are.

    A split or a dividend changes all days before it, so the first day that both have shows it. A later day that alone
    differs is a price that the source has corrected.
    """
    common = old.index.intersection(new.index[new["Close"].notna()])
    if not len(common):
        return "no day of the file is among the bars of the source"
    day = common[0]
    for name in ("Close", "Adj Close"):
        ratio = float(new[name].loc[day] / old[name].loc[day])
        if np.isfinite(ratio) and abs(ratio - 1) > _SAME:
            what = "a split" if name == "Close" else "a dividend"
            return f"{name} of {day.date()} is {ratio:.6g} times what the file has, as after {what}"
    return None


def joined(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Return old bars with new ones added, and put in their place where a new one has a close."""
    new = new[new["Close"].notna()]
    return pd.concat([old[~old.index.isin(new.index)], new]).sort_index()


def check_whole(old: pd.DataFrame, new: pd.DataFrame) -> None:
    """Check that bars fetched anew reach as far back as those that they replace; SourceError if days are gone."""
    kept = int(new.index.isin(old.index).sum())
    if kept < _WHOLE * len(old):
        raise SourceError(
            f"The source now has {kept} of the {len(old)} days of the file, so its response may be incomplete. The "
            f"file stays as it is; move it away to take what the source has.",
            value=kept,
        )
