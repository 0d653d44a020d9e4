"""A page of sentences and tables, without drawings or script."""

from collections.abc import Mapping
from dataclasses import dataclass

from stockcast.reports.template import asset, render


@dataclass(frozen=True)
class PageTable:
    """A table of a page.

    Attributes:
        title: above it.
        headers: of the columns.
        rows: texts, as many as headers.
        caption: below it; empty for none.
        names: how many of the first columns hold names, which are aligned left.
    """

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    names: int = 1


@dataclass(frozen=True)
class TablesPage:
    """A page.

    Attributes:
        title: of the page.
        created: its time, UTC, to the minute.
        summary: sentences that stand first.
        details: further sentences, which are folded up.
        tables: in order.
        facts: what it was made of, by what they are of.
    """

    title: str
    created: str
    summary: tuple[str, ...]
    details: tuple[str, ...]
    tables: tuple[PageTable, ...]
    facts: Mapping[str, str]

    def html(self) -> str:
        """Return the page; StockcastError if jinja2 is not installed."""
        return render("tables.html", page=self, style=asset("style.css"))
