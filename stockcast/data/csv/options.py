"""How a price file is written, as far as the user states it, and which names price files have."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stockcast.frequency import DAILY, Frequency

STDIN = Path("-")
"""The path that means standard input."""

FILE_ENDINGS = (".csv", ".csv.gz", ".csv.zip", ".xlsx", ".xlsm", ".parquet")
"""Names of price files, as against configs and other files of a folder; what a file is, its first bytes decide."""

PACKED_ENDINGS = (".gz", ".zip")


_LONGEST_NAME = 60  # a file system allows 255 bytes, for which 60 letters of any script leave room

ALL_TICKERS = ("all",)
"""Tickers that mean every series of a file, each by itself."""


def is_price_file(name: str) -> bool:
    """Whether a name is that of a price file."""
    return name.lower().endswith(FILE_ENDINGS)


def series_name(path: Path) -> str:
    """Return the name of a file's series: `GE` for GE.csv, GE.csv.gz and GE.xlsx."""
    return Path(path.stem).stem if path.suffix.lower() in PACKED_ENDINGS and is_price_file(path.name) else path.stem


def ticker_name(ticker: str) -> str:
    """Return a ticker as it stands in titles and paths, where it may be any text: `BRK-B` for BRK/B."""
    return "".join(mark if mark.isprintable() and mark not in "/\\" else "-" for mark in ticker)[:_LONGEST_NAME]


Transform = Literal["level", "change", "log_change", "zscore_250"]
"""How the values of an own column become an input, see `own_columns.TRANSFORMS`."""


@dataclass(frozen=True)
class OwnColumn:
    """A column of one's own, such as an index of volatility, that is an input of the network.

    Attributes:
        name: as the file's header has it, whatever its case, spaces and underscores.
        transform: of its values.
        carry: most rows of the price file for which a value stands in for the missing ones after it.
    """

    name: str
    transform: Transform = "zscore_250"
    carry: int = 5


@dataclass(frozen=True, kw_only=True)
class CsvOptions:
    """How to read a price file. Nothing is guessed: a file that needs another value is rejected.

    Attributes:
        date_format: strptime format of the dates; None for the one format that reads the whole column.
        encoding: of the text, as Python names it; None for UTF-8.
        separator: between cells: a comma, a semicolon, a tab or a bar.
        decimal: decimal mark, point or comma; the other one then groups thousands. None for a point that no cell
            contradicts.
        tickers: the series to read from a file of several; more than one are joined, as of a stock that changed its
            symbol. `ALL_TICKERS` for every one by itself, empty for a file of one.
        columns: pairs of a standard name, such as `Close`, and the file's name of that column, or its number from 1
            in a file without a header; empty for the names that vendors give, see `names.py`.
        resample: `1d` to put the bars of each day together; `1w` or `1mo` to do so only where days have many, before
            weeks or months are made of the days; None for a file without bars within the day.
        calendar: an exchange whose sessions bars within the day are put together by where they go over midnight; None
            for the days of the file.
        frequency: of the bars; a running week or month may be dated on a day to come.
        bar_date: of weekly bars that are dated on Sundays, `start` where the Sunday begins the week, or `end`; None
            where the dates tell.
        sheet: of a workbook, or the file in a zip; None for the only one, and for other files.
        own: columns to read besides the bars, where the file has them.
        known: names of columns that are known ahead, which are read from a file of covariates alone; one that is among
            `own`, too, is spelled alike.
        is_covariates: the file holds a date and own columns, and need have no close.
    """

    date_format: str | None = None
    encoding: str | None = None
    separator: str = ","
    decimal: str | None = None
    tickers: tuple[str, ...] = ()
    columns: tuple[tuple[str, str | int], ...] = ()
    resample: str | None = None
    calendar: str | None = None
    frequency: Frequency = DAILY
    bar_date: str | None = None
    sheet: str | None = None
    own: tuple[OwnColumn, ...] = ()
    known: tuple[str, ...] = ()
    is_covariates: bool = False

    @property
    def takes_all(self) -> bool:
        """Whether every series of a file is read, each by itself."""
        return self.tickers == ALL_TICKERS
