"""Every forecast of a backtest in one long table on disk; one series of one fold is in memory at a time."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stockcast.errors import RunError, StockcastError
from stockcast.limits import MAX_NETWORK_BYTES
from stockcast.pipeline.backtest_result import Backtest, FoldScores
from stockcast.runs.files import as_cell, replacing
from stockcast.runs.layout import evaluation_folder
from stockcast.runs.npz import unpack_npz
from stockcast.runs.safe_io import read_bytes

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("parquet", "csv")

_PRICES = {"origin_dates": "M", "target_dates": "M", "levels": "f", "quantiles": "f", "actual": "f"}
_DIRECTIONS = {"origin_dates": "M", "target_dates": "M", "classes": "U", "probabilities": "f", "came": "i"}


def write_forecasts(backtest: Backtest, *, format: str) -> Path:
    """Write a row for each series, origin, day ahead and level (or class), oldest fold first; return the file.

    The columns are unique_id, cutoff, ds, step, level, value, y, fold: `value` is the quantile, `y` the price that
    came, in the unit of the forecasts; of directions the probability, and whether the class of that name came.

    Args:
        backtest: its folds are read from the disk.
        format: one of `FORMATS`.

    Raises:
        RunError: a file of a fold is damaged, or the disk does not allow it.
        StockcastError: pyarrow, which writes Parquet, is not installed.
    """
    path = backtest.folder / f"forecasts.{format}"
    writer = {"parquet": _parquet, "csv": _csv}[format]
    with replacing(path) as partial, writer(partial) as write:
        for scores in backtest.folds:
            for table in _tables(scores, is_of_prices=backtest.config.head.classes is None):
                write(table)
    return path


def _tables(scores: FoldScores, *, is_of_prices: bool) -> Iterator["pd.DataFrame"]:
    import pandas as pd

    for series, label in scores.labels.items():
        path = scores.run / evaluation_folder(label) / "forecasts.npz"
        content = read_bytes(path, folder=scores.run, most=MAX_NETWORK_BYTES)
        try:
            arrays = unpack_npz(content, _PRICES if is_of_prices else _DIRECTIONS)
            yield pd.DataFrame(
                {"unique_id": series, **_columns(arrays, is_of_prices), "fold": np.int32(scores.fold.number)}
            )
        except ValueError as error:
            reason = f"{path} is damaged: {error}. Remove {path.parent} and repeat; the scores are not touched."
            raise RunError(reason, file=path) from error


def _columns(arrays: dict[str, Any], is_of_prices: bool) -> dict[str, Any]:
    """Return the columns of one series in one fold; ValueError if its arrays do not fit each other."""
    targets = arrays["target_dates"]
    levels, values = (
        arrays[name] for name in (("levels", "quantiles") if is_of_prices else ("classes", "probabilities"))
    )
    origins, steps, count = values.shape
    if is_of_prices:
        came = np.repeat(arrays["actual"].ravel(), count)
    else:
        came = (arrays["came"][..., None] == np.arange(count)).ravel()
    return {
        "cutoff": np.repeat(arrays["origin_dates"], steps * count).astype("datetime64[ms]"),
        "ds": np.repeat(targets.ravel(), count).astype("datetime64[ms]"),
        "step": np.tile(np.repeat(np.arange(1, steps + 1, dtype=np.int32), count), origins),
        "level": np.tile(levels, origins * steps),
        "value": values.ravel(),
        "y": came,
    }


@contextlib.contextmanager
def _parquet(path: Path) -> Iterator[Callable[["pd.DataFrame"], None]]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise StockcastError(
            "Forecasts are written as Parquet by pyarrow, which is not installed. Install the extra parquet (python -m "
            'pip install -c constraints.txt -e ".[parquet]"), or write CSV (--forecasts csv).',
            key="--forecasts",
            value="pyarrow",
        ) from None
    writer = None
    try:

        def write(table: "pd.DataFrame") -> None:
            nonlocal writer
            rows = pa.Table.from_pandas(table, preserve_index=False)
            writer = writer or pq.ParquetWriter(path, rows.schema, compression="zstd")
            writer.write_table(rows)

        yield write
    finally:
        if writer is not None:
            writer.close()


@contextlib.contextmanager
def _csv(path: Path) -> Iterator[Callable[["pd.DataFrame"], None]]:
    with path.open("w", encoding="utf-8", newline="") as stream:

        def write(table: "pd.DataFrame") -> None:
            table = table.assign(unique_id=as_cell(table["unique_id"].iloc[0]))
            table.to_csv(stream, index=False, header=stream.tell() == 0, lineterminator="\n", date_format="%Y-%m-%d")

        yield write
