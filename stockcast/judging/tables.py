"""A file or a DataFrame of forecasts -> a table with named columns: ids as text or dates, values as numbers."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from stockcast.errors import DataError
from stockcast.judging.columns import IdColumns
from stockcast.judging.forms import HUBVERSE, Form, ValueColumn, choose_form
from stockcast.text import printable_name
from stockcast.typing import Dates, Floats

MOST_BYTES = 2_000_000_000
"""Of a file: 1,000 origins of 50 days with 23 quantiles of 10 models in hubverse's long form have 0.7 GB."""

_MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "None"]
_SEPARATORS = (",", ";", "\t", "|")
_ROWS_AT_ONCE = 250_000
_EXACT = {} if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1) else {"float_precision": "round_trip"}
"""What makes pandas read the very numbers that were written, which newer versions always do."""


@dataclass(frozen=True)
class ForecastTable:
    """A table of forecasts.

    Attributes:
        source: the file's name, or that of the DataFrame.
        form: in which it is written.
        ids: the columns that say what a row is of.
        values: the columns of numbers.
        frame: all of them; ids of text as categories.
        first_line: the line of the first row in the file; 0 where rows are counted from 0, as in a DataFrame.
    """

    source: str
    form: Form
    ids: IdColumns
    values: list[ValueColumn]
    frame: pd.DataFrame
    first_line: int

    def dates(self, column: str) -> Dates:
        """Return a column of dates, datetime64[D], shape (rows,); DataError names the first cell that is none."""
        cells = self.frame[column]
        if isinstance(cells.dtype, pd.PeriodDtype):
            cells = cells.dt.to_timestamp()
        if isinstance(cells.dtype, pd.DatetimeTZDtype):
            cells = cells.dt.tz_localize(None)
        if not pd.api.types.is_datetime64_any_dtype(cells.dtype):
            texts = cells.astype("category").cat
            # Of every different text once: a file has millions of rows and a thousand dates.
            days = pd.to_datetime(texts.categories.astype(str).str[:10], format="%Y-%m-%d", errors="coerce")
            codes = texts.codes.to_numpy()
            values = np.append(days.to_numpy().astype("datetime64[D]"), np.datetime64("NaT"))[codes]
        else:
            values = cells.to_numpy().astype("datetime64[D]")
        if (wrong := np.isnat(values)).any():
            row = int(np.argmax(wrong))
            raise self.error(f"{self._cell(column, row)} is no date like 2015-01-02", row=row, column=column)
        return values

    def texts(self, column: str | None) -> "pd.Categorical | None":
        """Return a column of names; None where there is none."""
        if column is None:
            return None
        cells = self.frame[column]
        texts = cells if isinstance(cells.dtype, pd.CategoricalDtype) else cells.astype(str).astype("category")
        return pd.Categorical(texts)

    def numbers(self, column: str) -> Floats:
        """Return a column of numbers, NaN where a cell is empty; DataError names the first cell that is none."""
        cells = self.frame[column]
        if isinstance(cells.dtype, pd.CategoricalDtype) or not pd.api.types.is_numeric_dtype(cells.dtype):
            values = pd.to_numeric(cells.astype(object), errors="coerce").to_numpy(dtype=np.float64)
            empty = cells.isna() | cells.astype(str).str.strip().isin(_MISSING)
            if (wrong := np.isnan(values) & ~empty.to_numpy()).any():
                row = int(np.argmax(wrong))
                raise self.error(f"{self._cell(column, row)} is no number", row=row, column=column)
            return np.asarray(values)
        return cells.to_numpy(dtype=np.float64, na_value=np.nan)

    def error(self, reason: str, *, row: int | None = None, column: str | None = None, value: Any = None) -> DataError:
        """Return an error about a row, with its line."""
        line = None if row is None else row + self.first_line
        where = "" if line is None else f", {'line' if self.first_line else 'row'} {line}"
        return DataError(
            f"{self.source}{where}: {reason}.", file=self.source, line=line, column=column, key="FORECASTS", value=value
        )

    def _cell(self, column: str, row: int) -> str:
        return f"{printable_name(str(self.frame[column].iloc[row]))[:40]!r} in column {printable_name(column)}"


def read_table(source: Path | pd.DataFrame) -> ForecastTable:
    """Read forecasts from a CSV, a Parquet file or a DataFrame, in whatever form its columns show.

    Raises:
        DataError: the file cannot be read, or its columns are of no form.
    """
    if isinstance(source, pd.DataFrame):
        return _of_frame(source, str(source.attrs.get("name") or "DataFrame"))
    name = source.name
    try:
        size = source.stat().st_size
        head = b"" if source.is_dir() else _head(source)
    except OSError as error:
        raise _unreadable(source, error.strerror or str(error)) from error
    if source.is_dir():
        raise _unreadable(source, "a folder; name the files")
    if size > MOST_BYTES:
        raise _unreadable(source, f"{size:,} bytes, more than {MOST_BYTES:,}; split it by model or by series")
    if head.startswith(b"PAR1"):
        return _of_frame(_guarded(source, lambda: pd.read_parquet(source)), name)
    return _of_csv(source, head)


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(65536)


def _of_csv(source: Path, head: bytes) -> ForecastTable:
    line = head.partition(b"\n")[0]
    if not line.strip():
        raise _unreadable(source, "empty, or its first line is")
    if b"\0" in line:
        raise _unreadable(
            source, "no text; forecasts are read from CSV, Parquet and the forecasts.npz of an evaluation"
        )
    separator = max(_SEPARATORS, key=lambda mark: line.count(mark.encode()))
    rows = list(islice(csv.reader(head.decode("utf-8-sig", "replace").splitlines(), delimiter=separator), 2))
    if len(rows) > 1 and len(rows[1]) > len(rows[0]):
        raise _unreadable(source, f"line 2 has {len(rows[1])} cells, under {len(rows[0])} names of columns")
    common: dict[str, Any] = {"sep": separator, "encoding": "utf-8-sig", "index_col": False, **_EXACT}
    names = _guarded(source, lambda: list(map(str, pd.read_csv(source, nrows=0, **common).columns)))
    form, ids, values = choose_form(names, source=source.name)
    numbers = [column.name for column in values]
    texts = [*ids.names(), *(["output_type", "output_type_id"] if form is HUBVERSE else [])]
    steps = [ids.step] if ids.step is not None else []
    texts = [name for name in texts if name not in steps]

    def read() -> pd.DataFrame:
        chunks = pd.read_csv(
            source,
            usecols=[*texts, *steps, *numbers],
            dtype=dict.fromkeys(texts, "str"),
            keep_default_na=False,  # a ticker may be NA or TRUE
            na_values=dict.fromkeys([*numbers, *steps], _MISSING),
            chunksize=_ROWS_AT_ONCE,
            **common,
        )
        # A million rows have few different texts: as categories each of them is in memory once.
        parts = [chunk.astype(dict.fromkeys(texts, "category")) for chunk in chunks]
        columns = {name: [part[name] for part in parts] for name in parts[0]}
        return pd.DataFrame(
            {
                name: union_categoricals(column) if name in texts else np.concatenate(column)
                for name, column in columns.items()
            }
        )

    return _checked(ForecastTable(source.name, form, ids, values, _guarded(source, read), first_line=2))


def _of_frame(frame: pd.DataFrame, source: str) -> ForecastTable:
    if frame.index.nlevels > 1 or frame.index.name is not None or isinstance(frame.index, pd.DatetimeIndex):
        frame = frame.reset_index()
    if frame.columns.nlevels > 1:
        raise DataError(f"{source}: columns of {frame.columns.nlevels} levels. Give them one.", key="FORECASTS")
    frame = frame.set_axis(list(map(str, frame.columns)), axis=1)
    if repeated := frame.columns[frame.columns.duplicated()].tolist():
        message = f"{source} has two columns {printable_name(repeated[0])}. Keep one of them."
        raise DataError(message, key="FORECASTS", column=repeated[0])
    form, ids, values = choose_form(list(frame.columns), source=source)
    return _checked(ForecastTable(source, form, ids, values, frame, first_line=0))


def _checked(table: ForecastTable) -> ForecastTable:
    if not len(table.frame):
        raise table.error("it has columns, but no row")
    return table


def _guarded(source: Path, read: Callable[[], Any]) -> Any:
    """Run a reader whose errors on a file that is none of its kind are of any kind."""
    try:
        return read()
    except UnicodeDecodeError as error:
        raise _unreadable(source, "no text in UTF-8; save it in that encoding") from error
    except ImportError as error:
        advice = 'pyarrow, which reads Parquet, is not installed: python -m pip install -e ".[parquet]"'
        raise _unreadable(source, advice) from error
    except Exception as error:  # pandas, the C parser and pyarrow have no family of errors
        reason = " ".join(str(error).split())[:200].removesuffix(".") or type(error).__name__
        raise _unreadable(source, printable_name(reason)) from error


def _unreadable(source: Path, reason: str) -> DataError:
    return DataError(f"{source}: {reason}.", file=source, key="FORECASTS", value=str(source))
