"""How old the last price of a series is."""

from datetime import date

from stockcast.data.prices import Prices

_MOST_DAYS = 31


def age_remark(prices: Prices, today: date) -> str | None:
    """Return a sentence where the last price is more than a month old, so that all days of a forecast may be past."""
    last: date = prices.dates[-1].astype(object)
    age = (today - last).days
    if age <= _MOST_DAYS:
        return None
    return (
        f"{prices.label}: the last price is of {last}, {age:,} days ago; newer prices give a forecast of coming days."
    )
