"""How a price file is written, as far as the user states it."""

from dataclasses import dataclass


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
            symbol. Empty for a file of one.
        columns: pairs of a standard name, such as `Close`, and the file's name of that column, or its number from 1
            in a file without a header; empty for the names that vendors give, see `names.py`.
    """

    date_format: str | None = None
    encoding: str | None = None
    separator: str = ","
    decimal: str | None = None
    tickers: tuple[str, ...] = ()
    columns: tuple[tuple[str, str | int], ...] = ()
