"""The rows below a header as they are drawn: the cells of each series, and which rows are wrong."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter

import pandas as pd

from stockcast.data.csv.dates import MONTHS, is_date
from stockcast.data.csv.header import Layout
from stockcast.data.csv.problems import Problem, Row, Source
from stockcast.text import plural

MOST_TICKERS = 100_000

_CORRECT = "Correct it, or empty it."
_OTHER_ROWS, _OTHER_COLUMNS = 500, 20  # enough to see how numbers are written


class SeriesRows:
    """The cells of one series.

    Attributes:
        lines: number of each row.
        other_cells: of columns that are not known, in the first rows: they may show which decimal mark the file uses.
    """

    def __init__(self, layout: Layout, *, is_one_of_many: bool = False) -> None:
        """Take the layout; `is_one_of_many` series of a file is kept in a quarter of the memory, and takes longer."""
        self.lines: list[int] = []
        self.other_cells: list[str] = []
        self._names, places = list(layout.places), list(layout.places.values())
        self._known = itemgetter(*places) if len(places) > 1 else lambda row: (row[places[0]],)
        self._others = [place for place in range(layout.width) if place not in places][:_OTHER_COLUMNS]
        self._is_one_of_many = is_one_of_many
        self._rows: list[Sequence[str] | str] = []  # the cells of each, or their text, one a line

    def add(self, line: int, row: list[str]) -> None:
        """Keep the cells of a row."""
        if self._others and len(self.lines) < _OTHER_ROWS:
            self.other_cells += [row[place].strip() for place in self._others]
        self.lines.append(line)
        cells = self._known(row)
        if self._is_one_of_many and (text := "\n".join(cells)).count("\n") < len(cells):
            self._rows.append(text)
        else:
            self._rows.append(cells)

    def cells(self) -> tuple[pd.DataFrame, list[Problem]]:
        """Return the cells of the known columns, stripped text, indexed by line; and those of several lines.

        The rows of the latter are left out.
        """
        rows = [row.split("\n") if isinstance(row, str) else row for row in self._rows]
        columns = {name: _stripped(map(itemgetter(place), rows)) for place, name in enumerate(self._names)}
        problems = [
            Problem(line=line, column=name, value=cell, why="a cell of several lines", advice=_CORRECT)
            for name, column in columns.items()
            if _has_breaks("".join(column))
            for line, cell in zip(self.lines, column, strict=True)
            if _has_breaks(cell)
        ]
        cells = pd.DataFrame(columns, index=self.lines, dtype="str")
        return cells.drop(index=[problem.line for problem in problems]) if problems else cells, problems


def _stripped(column: Iterable[str]) -> list[str]:
    """Return cells without the spaces around them, which few files have."""
    cells = list(column)
    text = "".join(cells)
    return cells if " " not in text and text.isprintable() else [cell.strip() for cell in cells]


def _has_breaks(text: str) -> bool:
    return "\n" in text or "\r" in text


class FileRows:
    """The rows of a file, by series.

    Attributes:
        series: of each, its rows: by ticker where all series are taken, else those that are wanted as one, under "".
        problems: rows of too many or too few cells, or without the name of a series; they are not kept.
        remarks: rows since the last row of cells that look like a vendor's remark.
        tickers: the names of all series that occur, in order.
        of_ticker: where one series is taken, the name that each row of it has.
    """

    def __init__(
        self, source: Source, layouts: Mapping[str, Layout], *, wanted: tuple[str, ...], takes_all: bool
    ) -> None:
        """Take the layout of each series that the header names, or one under ""; `wanted` tickers, or all of them."""
        self._layout = next(iter(layouts.values()))
        self._by_row = takes_all and self._layout.ticker is not None
        named = {} if self._by_row else layouts
        self.series = {ticker: SeriesRows(layout, is_one_of_many=takes_all) for ticker, layout in named.items()}
        self.problems: list[Problem] = []
        self.remarks: list[Problem] = []
        self.tickers: dict[str, None] = {}
        self.of_ticker: list[str] = []
        self._wanted = frozenset(wanted)
        self._header = f"{source.unit} {self._layout.line} has {plural(self._layout.width, 'column')}"

    def fill(self, rows: Iterable[Row], *, most: int) -> None:
        """Keep the rows of the wanted series, and note what is wrong with others; stop after `most` of a series."""
        width, ticker = self._layout.width, self._layout.ticker
        several = list(self.series.values())
        for line, row in rows:
            if len(row) != width:
                self._refuse(line, row)
                longest = len(self.problems)
            else:
                if self.remarks:  # a remark is at the end; between rows of cells it may be a damaged day
                    self.problems += [replace(problem, value=1) for problem in self.remarks]
                    self.remarks.clear()
                if ticker is not None:
                    name = row[ticker].strip()
                    if name and len(self.tickers) < MOST_TICKERS:
                        self.tickers[name] = None
                    if self._by_row:
                        several = self._rows_of(name, line)
                    elif self._wanted and name not in self._wanted and name:
                        continue
                    else:
                        self.of_ticker.append(name)
                for series in several:
                    series.add(line, row)
                longest = len(several[0].lines) if several else 0
            if longest + len(self.problems) > most:
                return

    def _rows_of(self, ticker: str, line: int) -> list[SeriesRows]:
        """Return the rows of a series; none for a row that names no series, which is noted."""
        if not ticker:
            advice = "Name its series, or remove it."
            self.problems.append(Problem(line=line, column="Ticker", value="", why="no series", advice=advice))
            return []
        if ticker not in self.series:
            self.series[ticker] = SeriesRows(self._layout, is_one_of_many=True)
        return [self.series[ticker]]

    def _refuse(self, line: int, row: list[str]) -> None:
        """Note a row of too many or too few cells."""
        why = f"{plural(len(row), 'cell')}, but {self._header}. It is damaged, or this is not a CSV of prices"
        problem = Problem(line=line, value=len(row), why=why, advice="Correct the line, or remove it.")
        if _is_remark(row):
            self.remarks.append(replace(problem, value=row[0].strip()))
        else:
            self.problems.append(problem)


def _is_remark(row: list[str]) -> bool:
    """Whether a row is a vendor's remark at the end, and not the beginning of a day that was cut off."""
    text = row[0].strip() if len(row) == 1 else ""
    letters = sum(map(str.isalpha, text))
    begins_a_day = not text or text[0].isdigit() or text[:3].lower() in MONTHS
    return (len(text.split()) > 2 or letters > 4) and letters > 0 and not begins_a_day and not is_date(text)
