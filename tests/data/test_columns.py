"""Columns by data.columns, and what the message proposes where no column has a known name."""

import re
import shlex
from dataclasses import replace

import numpy as np
import pytest

from stockcast.config.load import csv_options
from stockcast.data.csv.options import CsvOptions
from stockcast.data.prices import read_prices
from stockcast.errors import ConfigError, MissingColumns

# A walk whose opens lie near the closes before them: 30 days, each with its day's range.
CLOSES = [100 + 3 * ((day * 7) % 11) for day in range(30)]
OPENS = [99.5, *(close + 0.5 for close in CLOSES[:-1])]
ROWS = [
    [
        f"2018-{month:02}-{day:02}",
        f"{o:.2f}",
        f"{max(o, c) + 1:.2f}",
        f"{min(o, c) - 1:.2f}",
        f"{c:.2f}",
        f"{10_000 + day}",
    ]
    for (month, day), o, c in zip(((1 + n // 20, 1 + n % 20) for n in range(30)), OPENS, CLOSES, strict=True)
]
NAMES = ["Tag", "Beginn", "Spitze", "Boden", "Ende", "Umsatz"]
STANDARD = ["Date", "Open", "High", "Low", "Close", "Volume"]


def written(header: list[str] | None, order: list[int], *, separator: str = ",", decimal: str = ".") -> str:
    rows = [[header[place] for place in order]] if header else []
    rows += [[row[place].replace(".", decimal) for place in order] for row in ROWS]
    return "".join(separator.join(row) + "\n" for row in rows)


def answered(error: MissingColumns) -> CsvOptions:
    """The options by all settings that a message prints."""
    printed = shlex.split(str(error))
    return csv_options([printed[place + 1] for place, word in enumerate(printed) if word == "--set"])


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5], [0, 4, 1, 2, 3, 5], [5, 3, 2, 4, 1, 0]])
@pytest.mark.parametrize("header", [NAMES, None], ids=["names", "no header"])
@pytest.mark.parametrize(("separator", "decimal"), [(",", "."), (";", ","), ("\t", ".")])
def test_the_columns_that_a_message_proposes_read_the_file(write_file, refused, header, order, separator, decimal):
    path = write_file(written(header, order, separator=separator, decimal=decimal))
    error = refused(path)
    assert isinstance(error, MissingColumns)
    assert error.key == "data.columns"
    options = answered(error)
    if decimal != options.decimal and decimal == ",":  # a second question
        options = replace(options, decimal=answered(refused(path, options=options)).decimal)
    prices = read_prices(path, options=options)
    np.testing.assert_array_equal(prices.bars[STANDARD[1:]].to_numpy(), np.array(ROWS)[:, 1:].astype(float))


def test_a_known_name_stays_what_it_is_in_a_proposal(refused):
    error = refused(written(["Date", "Beginn", "Spitze", "Boden", "Ende", "Umsatz"], [0, 1, 2, 3, 4, 5]))
    assert answered(error).columns == tuple(zip(STANDARD, ["Date", *NAMES[1:]], strict=True))


@pytest.mark.parametrize(
    "content",
    ["Tag,Text\n2018-01-02,a\n2018-01-03,b\n", "a,b,c\n1,2,3\n4,5,6\n", "remark\n", "Tag,Von,Bis\n2018-01-02,1,9\n"],
)
def test_nothing_is_proposed_where_values_fit_no_bars(refused, content):
    error = refused(content)
    assert isinstance(error, MissingColumns)
    assert "--set" not in str(error)


def test_columns_by_name_are_found_below_text_and_whatever_their_case(write_file):
    path = write_file("Depot 1\n" + written(NAMES, [0, 1, 2, 3, 4, 5]))
    prices = read_prices(path, options=CsvOptions(columns=(("Date", "TAG"), ("Close", "ende"))))
    assert list(prices.bars) == ["Close"]
    assert prices.quoted.tolist() == CLOSES


def test_columns_by_number_leave_a_header_out_and_say_so(write_file):
    path = write_file(written(NAMES, [0, 1, 2, 3, 4, 5]))
    prices = read_prices(path, options=CsvOptions(columns=(("Date", 1), ("Close", 5))))
    assert prices.quoted.tolist() == CLOSES
    assert "the header left out: data.columns gives numbers of columns" in prices.notes


@pytest.mark.parametrize(
    ("columns", "name", "value"),
    [((("Date", "Tag"), ("Close", "Kurs")), "Close", "Kurs"), ((("Date", 1), ("Close", 7)), None, 7)],
)
def test_a_column_that_the_file_lacks_is_refused(refused, columns, name, value):
    error = refused(written(NAMES, [0, 1, 2, 3, 4, 5]), options=CsvOptions(columns=columns))
    assert (error.key, error.column, error.value) == ("data.columns", name, value)


@pytest.mark.parametrize(
    "stated",
    [
        "{Date: Tag}",
        "{Close: Ende}",
        "{Date: Tag, Close: Tag}",
        "{Date: 1, Close: Ende}",
        "{Date: 0, Close: 1}",
        "{Day: 1}",
    ],
)
def test_columns_that_cannot_be_meant_are_refused_by_their_key(stated):
    with pytest.raises(ConfigError) as error:
        csv_options([f"data.columns={stated}"])
    assert re.match(r"data\.columns", str(error.value.key))
