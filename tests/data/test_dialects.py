"""A known series in thousands of random dialects: the truth, a doubt that is put to the user, or a true refusal."""

import json
import random
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from dialects import TOKYO, Dialect, write_dialect
from proposed import proposed_settings

from stockcast.config.load import csv_options
from stockcast.data.prices import Prices, read_prices
from stockcast.errors import DataError

BATCH = 300
MOST_SETTINGS = 4  # that one file may need, one after another


def is_truth(prices: Prices, dialect: Dialect) -> bool:
    """Whether prices are those of the dialect, to the last bit, with each column that it names."""
    if prices.dates.tolist() != list(dialect.days) or prices.quoted.tolist() != dialect.bars["Close"]:
        return False
    named = {name: values for name, values in dialect.bars.items() if dialect.names == "known" or name in prices.bars}
    return all(name in prices.bars and prices.bars[name].tolist() == values for name, values in named.items())


def is_true_setting(setting: str, dialect: Dialect) -> bool:
    """Whether a setting states what the writer did."""
    key, _, value = setting.partition("=")
    match key.removeprefix("data."):
        case "decimal":
            numbers = "".join(cell for name, column in dialect.cells.items() if name != "Date" for cell in column)
            return value == dialect.mark.decimal or not {".", ","} & set(numbers)
        case "encoding":
            return dialect.raw.decode(value) == dialect.text
        case "separator":
            return value == ("tab" if dialect.separator == "\t" else dialect.separator)
        case "columns":
            columns = json.loads(value)
            return all(dialect.header.get(column) == name for name, column in columns.items())
        case "date_format":
            try:
                written = [re.sub("[ T][0-9]{2}:.*", "", cell) for cell in dialect.cells["Date"]]
                read = [datetime.strptime(cell, value).date() for cell in written]
            except ValueError:
                return False
            return read == list(dialect.days)
    return False


def is_true_reason(error: DataError, dialect: Dialect) -> bool:
    """Whether a refusal without a way out is for something that the writer did."""
    message = str(error)
    if dialect.date_format == TOKYO:
        return "sessions are on Sundays" in message
    if "before the header" in message:  # a title of two cells, with a date where a table of two columns has its dates
        return "Start,12/28/2018" in dialect.text
    if dialect.names != "known":
        return "no column" in message and "not a CSV" not in message and "data.columns" in message
    return False


def wrong_with(dialect: Dialect, path: Path) -> str | None:
    """What is wrong with how a dialect is read, by each setting that is true of it; None if nothing is."""
    settings: list[str] = []
    for _ in range(MOST_SETTINGS + 1):
        try:
            prices = read_prices(path, options=csv_options(settings))
        except DataError as error:
            true = [one for one in proposed_settings(str(error)) if is_true_setting(one, dialect)]
            if not true:
                return None if is_true_reason(error, dialect) else f"useless: {settings} {error}"
            if set(true) <= set(settings):
                return f"again: {settings} {error}"
            settings += true
            continue
        if is_truth(prices, dialect):
            return None
        return f"misread: {settings} {prices.bars.head(3)} {prices.notes}"
    return f"no end: {settings}"


def failures(folder: Path, *, seed: int, number: int) -> Iterator[str]:
    rng = random.Random(seed)
    path = folder / "prices.csv"
    for _ in range(number):
        dialect = write_dialect(rng)
        path.write_bytes(dialect.raw)
        if wrong := wrong_with(dialect, path):
            yield f"{wrong}\n{dialect.date_format} {dialect.mark} {dialect.names}\n{dialect.text[:600]}"


@pytest.mark.parametrize(
    ("seed", "number"), [(0, BATCH // 5), *(pytest.param(seed, BATCH, marks=pytest.mark.slow) for seed in range(12))]
)
def test_no_dialect_is_misread_or_refused_for_a_false_reason(tmp_path, seed, number):
    wrong = list(failures(tmp_path, seed=seed, number=number))
    assert not wrong, f"{len(wrong)} of {number} dialects:\n" + "\n\n".join(wrong[:5])
