"""Rows as an Excel workbook: text stays text, whatever it looks like; dates are dates and numbers are numbers."""

from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Any

from stockcast.errors import RunError
from stockcast.runs.files import replacing
from stockcast.text import printable

_DATE = "YYYY-MM-DD"
_FORMULAS = ("=", "+", "-", "@")
_WIDTHS = (8, 60)  # of columns, in characters


def save_table(path: Path, rows: list[dict[str, Any]], *, dates: Collection[str] = ("date",)) -> None:
    """Write rows as the only sheet of a workbook, with one header that stays in sight.

    Args:
        path: ends in .xlsx; what stands there is replaced once the new file is whole.
        rows: at least one, of the same keys, which are the header.
        dates: keys whose text is ISO dates; the text of all others stays text, also where it reads like a formula.

    Raises:
        RunError: openpyxl is not installed, the path is not one of a workbook, or the disk does not allow it.
    """
    if path.suffix.lower() != ".xlsx" or path.is_dir():
        raise RunError(
            f"{path} is {'a folder' if path.is_dir() else 'not a name of an Excel workbook'}. Give a file that ends in "
            f".xlsx.",
            file=path,
        )
    try:
        import openpyxl  # noqa: F401  # through pandas
    except ImportError as error:
        raise RunError(
            f"{path} would be an Excel workbook, and openpyxl, which writes it, is not installed. Install the extra "
            'excel (python -m pip install -c constraints.txt -e ".[excel]"), or write CSV.',
            file=path,
            value="openpyxl",
        ) from error
    import pandas as pd

    table = pd.DataFrame([{printable(key): _cell(value, key in dates) for key, value in row.items()} for row in rows])
    with replacing(path) as partial, pd.ExcelWriter(partial, engine="openpyxl", date_format=_DATE) as writer:
        table.to_excel(writer, sheet_name="stockcast", index=False, freeze_panes=(1, 0))
        for column in writer.sheets["stockcast"].columns:
            for cell in column:
                _keep_text(cell)
            longest = max(len(str(cell.value)) for cell in column if cell.value is not None)
            width = min(max(longest + 2, _WIDTHS[0]), _WIDTHS[1])
            writer.sheets["stockcast"].column_dimensions[column[0].column_letter].width = width


def _cell(value: Any, is_date: bool) -> Any:
    """Return a value as a cell takes it: a date, a number, or text that can only be read."""
    if isinstance(value, date):
        return value
    if is_date and isinstance(value, str):
        return date.fromisoformat(value)
    return printable(value) if isinstance(value, str) else value


def _keep_text(cell: Any) -> None:
    """Make a cell of text one of text: openpyxl takes `=1+1` for a formula and `#N/A` for an error."""
    if isinstance(cell.value, str):
        cell.data_type = "s"
        cell.quotePrefix = cell.value.startswith(_FORMULAS)  # else Excel reads it anew when the cell is edited
