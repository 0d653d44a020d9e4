"""What a user says about the way in which a price file is written."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a price file is to be read. Nothing here is ever guessed: a file that needs another value is refused.

    Attributes:
        date_format: strptime format of the dates; None for the one format that reads the whole column.
        encoding: of the text, as Python names it; None for UTF-8.
        separator: between cells: a comma, a semicolon, a tab or a bar.
        decimal: decimal mark, point or comma; the other one then groups thousands. None for a point that no cell
            contradicts.
        ticker: the series to take out of a file that holds several; None for a file of one.
    """

    date_format: str | None = None
    encoding: str | None = None
    separator: str = ","
    decimal: str | None = None
    ticker: str | None = None
