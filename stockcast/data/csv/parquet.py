"""A Parquet file of daily bars becomes the rows of text of its CSV, by way of DataFrames of some rows each."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from stockcast.data.csv import reader
from stockcast.data.csv.contents import Contents, bounded
from stockcast.data.csv.frame import frame_rows
from stockcast.data.csv.options import CsvOptions
from stockcast.data.csv.problems import Row, Source
from stockcast.errors import DataError

_MOST_ROWS = 10_000_000  # one value that is stored once may stand for all of them
_CELLS_AT_ONCE = 200_000


def parquet_contents(source: Source, raw: bytes, *, options: CsvOptions) -> Contents:
    """Return the rows of a Parquet file, numbered from 0, with its column names as row -1.

    Dates are ISO; numbers have the shortest text that reads back to the stored bits.

    Args:
        source: names the file.
        raw: of the file.
        options: how its texts are written.

    Raises:
        DataError: pyarrow is not installed, or the file is damaged, too large when unpacked, or has nested columns.
            While rows are drawn: a part is damaged.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise source.error(
            "a Parquet file, and pyarrow, which reads it, is not installed. Install the extra parquet (python -m pip "
            'install -c constraints.txt -e ".[parquet]"), or save it as CSV.',
            value="pyarrow",
        ) from error
    try:
        schema = pq.read_schema(pa.BufferReader(raw))
        # As a dictionary a text that stands in many rows is in memory once.
        is_text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
        texts = [field.name for field in schema if any(is_kind(field.type) for is_kind in is_text)]
        file = pq.ParquetFile(pa.BufferReader(raw), read_dictionary=texts)
        metadata = file.metadata
        size = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    except Exception as error:  # pyarrow's errors on a damaged file are of any kind
        raise _damaged(source, error) from error
    for field in schema:
        if pa.types.is_nested(field.type):
            kind = str(field.type)
            message = f"column {field.name} is nested ({kind[:80]}). Save the file with one value in each cell."
            raise source.error(message, column=field.name, value=kind)
    if size > reader.MAX_BYTES:
        raise reader.too_large(source, "unpacked")
    if metadata.num_rows > _MOST_ROWS:
        message = f"{metadata.num_rows:,} rows, too many for daily bars. Make the bars daily first."
        raise source.error(message, value=metadata.num_rows)

    batches = _frames(source, file, rows_at_once=max(1, _CELLS_AT_ONCE // max(1, len(schema))))
    first = next(batches)
    head, options = frame_rows(first, source=source, options=options)

    def later() -> Iterator[Row]:
        start = len(first)
        for frame in batches:
            rows, _ = frame_rows(frame, source=source, options=options)
            yield from ((start + number, row) for number, row in rows if number >= 0)
            start += len(frame)

    return Contents(source=source, options=options, rows=bounded(source, chain(head, later())))


def _frames(source: Source, file: Any, *, rows_at_once: int) -> Iterator[Any]:
    """Yield DataFrames of some rows each, at least one, with the index that pandas stored."""
    import pyarrow as pa

    batches = chain(file.iter_batches(batch_size=rows_at_once, use_threads=False), [file.schema_arrow.empty_table()])
    while True:
        try:
            if (batch := next(batches, None)) is None:
                return
            table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
            frame = table.to_pandas(integer_object_nulls=True)
        except Exception as error:  # as above
            raise _damaged(source, error) from error
        yield frame


def _damaged(source: Source, error: Exception) -> DataError:
    reason = " ".join(str(error).split())[:200].removesuffix(".") or type(error).__name__
    return source.error(f"a damaged Parquet file ({reason}). Download it again.")
