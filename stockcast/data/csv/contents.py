"""What is in a price file of any kind: rows of text, and what was found on the way to them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from stockcast.data.csv import reader
from stockcast.data.csv.options import CsvOptions
from stockcast.data.csv.problems import PROBLEMS_SHOWN, Row, Source
from stockcast.text import plural


@dataclass(frozen=True, kw_only=True)
class Contents:
    """Rows of a price file or a DataFrame, before their columns have a meaning.

    Attributes:
        source: of the rows.
        options: how to read the cells.
        rows: to be drawn once.
        text: unpacked bytes of a CSV; None where there is none.
        notes: what was chosen or left out, one sentence each.
        formulas: rows of formulas for which a workbook stores no value, once for each, complete when all rows are
            drawn.
    """

    source: Source
    options: CsvOptions
    rows: Iterator[Row]
    text: bytes | None = None
    notes: tuple[str, ...] = ()
    formulas: list[int] = field(default_factory=list)

    def all_notes(self) -> list[str]:
        """Return the notes, and how many formulas have no value; to be called when all rows are drawn."""
        if not self.formulas:
            return list(self.notes)
        return [*self.notes, f"{self._without_value()} counted as missing"]

    def check_formulas(self, cells: pd.DataFrame) -> None:
        """Check that formulas without a value are not all the closes that there are; DataError if they are."""
        if self.formulas and not cells["Close"].str.len().any():
            raise self.source.error(
                f"{self._without_value()}, and no row has a Close. Open the workbook in Excel and save it, which "
                f"stores the values, or save it as CSV.",
                line=self.formulas[0],
                column="Close",
                value=len(self.formulas),
            )

    def _without_value(self) -> str:
        rows = list(dict.fromkeys(self.formulas))
        listed = ", ".join(map(str, rows[:PROBLEMS_SHOWN])) + (", ..." if len(rows) > PROBLEMS_SHOWN else "")
        noun = "formula" if len(self.formulas) == 1 else "formulas"
        return f"{len(self.formulas)} {noun} without a stored value ({plural(len(rows), 'row').split()[1]} {listed})"


def bounded(source: Source, rows: Iterator[Row]) -> Iterator[Row]:
    """Yield rows until their text is larger than a file of text may be: cells that a file stores once add up."""
    size = 0
    for line, row in rows:
        size += sum(map(len, row))
        if size > reader.MAX_BYTES:
            raise reader.too_large(source, "unpacked")
        yield line, row
