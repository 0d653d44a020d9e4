"""Make columns that are known at a day's end, and columns that know the future, and count those that are reported.

    python benchmarks/lookahead.py FOLDER [--every 2] [--seed 0]

FOLDER holds CSVs of real daily bars, which are only read; of all of them every second one is taken. Each column is made
of all days, of the last 1,000 and of the last 300. Markdown goes to standard output.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from stockcast.data.csv.options import OwnColumn
from stockcast.data.lookahead import find_lookahead
from stockcast.data.own_columns import OwnColumns
from stockcast.data.prices import Prices, read_prices
from stockcast.errors import DataError

SPANS = (None, 1000, 300)
Columns = Iterator[tuple[str, pd.Series]]


def known(prices: Prices, other: Prices) -> Columns:
    """Yield columns that are known at a day's end."""
    bars, others = prices.bars, other.bars.reindex(prices.bars.index)
    close, moves, other_moves = (np.log(bars["Close"]), np.log(bars["Close"]).diff(), np.log(others["Close"]).diff())
    yield from bars[["High", "Open", "Close"]].items()
    yield "return", moves
    yield "absolute return", moves.abs()
    yield "sign", np.sign(moves)
    yield "range", np.log(bars["High"] / bars["Low"])
    yield "gap", np.log(bars["Open"]) - close.shift()
    yield "drawdown", close - close.rolling(250).max()
    yield "ratio to a mean", close - close.rolling(20).mean()
    yield "mean of 5 days", bars["Close"].rolling(5).mean()
    yield "volatility of 5 days", moves.rolling(5).std()
    yield "volatility of 20 days", moves.rolling(20).std()
    yield "decaying volatility", (moves**2).ewm(alpha=0.06).mean() ** 0.5
    yield "weekly close", bars["Close"].iloc[::5]
    yield "another's close", others["Close"]
    yield "another's return", other_moves
    yield "another's volatility", other_moves.rolling(20).std()
    yield "another's volume", others["Volume"]
    yield "difference of returns", moves - other_moves


def leaking(prices: Prices, random: np.random.Generator) -> Columns:
    """Yield columns that know the future."""
    close, moves = prices.bars["Close"], np.log(prices.bars["Close"]).diff()
    for ahead in (1, 5, 20):
        yield f"close of {ahead} later", close.shift(-ahead)
    yield "quoted close of 1 later", pd.Series(prices.quoted, index=close.index).shift(-1)
    yield "weekly close of 1 later", close.shift(-1).iloc[::5]
    yield "high of 1 later", prices.bars["High"].shift(-1)
    yield "return of 1 later", moves.shift(-1)
    yield "sign of 1 later", np.sign(moves).shift(-1)
    for days in (5, 20):
        yield f"return of {days} to come", moves.rolling(days).sum().shift(-days)
    for days in (5, 21):
        yield f"mean centred in {days}", close.rolling(days, center=True).mean()
    yield "volatility of 20 to come", moves.rolling(20).std().shift(-20)
    yield "z-score of 1 later", ((close - close.rolling(250).mean()) / close.rolling(250).std()).shift(-1)
    for times in (1, 2, 3):
        noise = times * moves.std() * random.standard_normal(len(moves))
        yield f"return of 1 later with {times} times the noise", moves.shift(-1) + noise


def is_reported(prices: Prices, values: pd.Series, days: int | None) -> bool:
    """Whether a column of the last days is found to know the future."""
    chosen = slice(-days if days else None, None)
    column = values.reindex(prices.bars.index).replace([np.inf, -np.inf], np.nan).to_frame("X")
    own = OwnColumns((OwnColumn("X"),), column.iloc[chosen])
    return bool(find_lookahead(replace(prices, bars=prices.bars.iloc[chosen], quoted=prices.quoted[chosen], own=own)))


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    series: list[Prices] = []
    for path in sorted(chosen.folder.glob("*.csv"))[:: chosen.every]:
        try:
            series.append(read_prices(path))
        except DataError as error:
            print(f"- {path.name}: refused: {error}")
    random = np.random.default_rng(chosen.seed)
    reported: Counter[str] = Counter()
    made: Counter[str] = Counter()
    for prices in series:
        other = series[random.integers(len(series))]
        for name, values in [*known(prices, other), *leaking(prices, random)]:
            for days in SPANS:
                made[name] += 1
                reported[name] += is_reported(prices, values, days)
    print(f"{len(series)} series, seed {chosen.seed}.\n\n| column | reported |\n|---|---|")
    for name, count in made.items():
        print(f"| {name} | {reported[name]} of {count} |")


if __name__ == "__main__":
    main()
