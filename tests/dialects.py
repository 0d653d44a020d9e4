"""Price files of a known series in random dialects: how dates, numbers, headers and cells are written.

The writer knows the truth, and which reading of a setting gives it. It draws from what vendors do, also in combinations
that no vendor has. One combination is left out, as nothing in such a file shows it: thousands with points, no price
with decimals, no volume or change with a decimal comma, and cells not separated by semicolons. 114.984 is then the
price of a yen as well as the points of an index, and is read as decimals by design.
"""

import csv
import io
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def _strftime(text: str) -> Callable[[date], str]:
    """Write dates by a format, with English months in any locale; `%-d` and `%-m` have no leading zero."""

    def write(day: date) -> str:
        month = _MONTHS[day.month - 1]
        parts = {"%-d": str(day.day), "%-m": str(day.month), "%b": month[:3], "%B": month}
        parts |= {"%d": f"{day.day:02}", "%m": f"{day.month:02}", "%Y": str(day.year), "%y": f"{day.year % 100:02}"}
        return re.sub("%-?[a-zA-Z]", lambda found: parts[found[0]], text)

    return write


def _epoch(per_second: int, hours: float = 0) -> Callable[[date], str]:
    def write(day: date) -> str:
        seconds = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() + 3600 * hours
        return str(int(seconds) * per_second)

    return write


TOKYO = "seconds of midnight in Tokyo"
DATE_FORMATS: dict[str, Callable[[date], str]] = {
    text: _strftime(text)
    for text in (
        *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%y-%m-%d", "%Y-%b-%d"),
        *("%Y-%m-%d 00:00:00", "%Y-%m-%dT00:00:00.000Z", "%Y-%m-%d 00:00:00-05:00", "%Y-%m-%d 16:00"),
        *("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y", "%-d/%-m/%Y", "%-d.%-m.%Y"),
        *("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y", "%-m/%-d/%Y", "%-m/%-d/%y"),
        *("%m/%d/%Y 16:00:00", "%d.%m.%Y 00:00:00.000", "%d/%m/%Y 17:35"),
        *("%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%d%b%Y", "%b %d, %Y", "%B %-d, %Y"),
        *("%Y年%m月%d日", "%Y년 %m월 %d일", "%Y- %m- %d", "%Y. %m. %d"),
    )
} | {
    "seconds": _epoch(1),
    "milliseconds": _epoch(10**3),
    "microseconds": _epoch(10**6),
    "nanoseconds": _epoch(10**9),
    "seconds of the opening": _epoch(1, hours=14.5),
    TOKYO: _epoch(1, hours=-9),
}


class Mark(NamedTuple):
    """How numbers are written."""

    decimal: str
    thousands: str
    indian: bool = False


MARKS = (
    *(Mark(".", ""), Mark(",", ""), Mark(".", ","), Mark(",", "."), Mark(".", ",", indian=True)),
    *(Mark(decimal, space) for decimal in ".," for space in (" ", "'", "\u2019", "\u00a0", "\u2009", "\u202f")),
)

ORDER = ("Date", "Close", "Open", "High", "Low", "Volume")
HEADERS = (
    "Date, Close, Open, High, Low, Volume",
    "date, close, open, high, low, volume",
    "timestamp, close, open, high, low, volume",
    "<DATE>, <CLOSE>, <OPEN>, <HIGH>, <LOW>, <VOL>",
    "Date, PX_LAST, PX_OPEN, PX_HIGH, PX_LOW, PX_VOLUME",
    "Date, Close/Last, Open, High, Low, Volume",
    "time, close, open, high, low, Volume",
    "Open time, Close, Open, High, Low, Volume",
    "Exchange Date, Close, Open, High, Low, Volume",
    "Date, Price, Open, High, Low, Vol.",
    "Datum, Zuletzt, Eröffn., Hoch, Tief, Vol.",
    "Datum, Schluss, Eröffnung, Tageshoch, Tagestief, Volumen",
    "Date, Dernier, Ouv., Plus Haut, Plus Bas, Vol.",
    "Date, Clôture, Ouverture, Haut, Bas, Volume",
    "Fecha, Último, Apertura, Máximo, Mínimo, Vol.",
    "Data, Ultimo, Apertura, Massimo, Minimo, Vol.",
    "Data, Último, Abertura, Máxima, Mínima, Vol.",
    "Datum, Laatste, Open, Hoog, Laag, Vol.",
    "Data, Ostatnio, Otwarcie, Max., Min., Wol.",
    "Data, Zamkniecie, Otwarcie, Najwyzszy, Najnizszy, Wolumen",
    "Дата, Цена, Откр., Макс., Мин., Объём",
    "Tarih, Şimdi, Açılış, Yüksek, Düşük, Hac.",  # noqa: RUF001
    "日付け, 終値, 始値, 高値, 安値, 出来高",
    "날짜, 종가, 시가, 고가, 저가, 거래량",
    "日期, 收盘, 开盘, 高, 低, 交易量",
    "日期, 收市, 開市, 高, 低, 成交量",
    "Datum, Senaste, Öppen, Högst, Lägst, Vol.",
    "Päivämäärä, Viimeisin, Avaus, Ylin, Alin, Vol.",
    "Ημερομηνία, Τελευταία, Άνοιγμα, Υψηλό, Χαμηλό, Όγκος",
    "Ngày, Lần cuối, Mở, Cao, Thấp, KL",
    "Tanggal, Terakhir, Pembukaan, Tertinggi, Terendah, Vol.",
    "תאריך, שער, פתיחה, גבוה, נמוך, נפח",
    "التاريخ, الأخير, الفتح, مرتفع, منخفض, الحجم",
)
UNKNOWN_HEADERS = (
    "Tag, Kurs, Anfang, Gipfel, Boden, Umsatz",
    "jour, cours, début, sommet, fond, titres",
    "d, c, o, h, l, v",
    "when, settle, begin, top, bottom, lots",
    "Handelstag, Endkurs, Startkurs, Max-Kurs, Min-Kurs, Gehandelt",
)
_ENCODINGS = ("cp1252", "cp1250", "cp1251", "cp932", "gb18030", "cp949", "cp1254", "utf-16", "utf-16-le", "utf-16-be")
_TITLES = ("ACME Historical Data", "Start,12/28/2018", "Kurse der ACME AG", "Macro Data Download", "")
_REMARKS = (
    "Downloaded from a vendor's site as of 01-03-2019 05:02pm CST",
    "Quelle: Börse, alle Angaben ohne Gewähr",
    "この資料の無断転載はできません。",
)


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """A file, and what it holds.

    Attributes:
        raw: the bytes.
        text: without its encoding.
        days: oldest first.
        bars: by standard name, oldest first; those columns that the header names.
        date_format: a key of DATE_FORMATS.
        mark: of the numbers.
        header: name in the file -> standard name, or the place from 1 where the file has no header.
        names: known, unknown or none.
        separator: of the cells.
        cells: of dates and numbers, as written.
    """

    raw: bytes
    text: str
    days: tuple[date, ...]
    bars: dict[str, list[float]]
    date_format: str
    mark: Mark
    header: dict[str | int, str]
    names: str
    separator: str
    cells: dict[str, list[str]] = field(repr=False)


def write_dialect(rng: random.Random) -> Dialect:
    """Return a series in a random dialect."""
    while True:
        days, ticks, decimals, volumes = _series(rng)
        mark = rng.choice(MARKS)
        trimmed = decimals and rng.random() < 0.2
        columns = [
            "Date",
            "Close",
            *rng.choice(([], ["Open", "High", "Low"], ["Open", "High", "Low"], ["High", "Low"])),
        ]
        sign = rng.choice(("$", "€", " €", "£")) if rng.random() < 0.06 else ""
        cells = {
            name: [_sign(_number(tick, decimals, mark, trim=bool(trimmed)), sign) for tick in ticks[name]]
            for name in columns[1:]
        }
        date_format = rng.choice(list(DATE_FORMATS))
        if date_format == TOKYO and len(days) < 40:
            continue  # a few days, perhaps none of them a Monday, do not show that all are those before
        cells["Date"] = [DATE_FORMATS[date_format](day) for day in days]
        bars = {name: [float(f"{tick}e-{decimals}") for tick in ticks[name]] for name in columns[1:]}
        if rng.random() < 0.7:
            columns.append("Volume")
            cells["Volume"], bars["Volume"] = _volumes(rng, volumes, mark)
        others = _other_columns(rng, ticks["Close"], mark)
        cells |= others
        columns += others
        separator = rng.choice(",,;\t|")
        if separator == ";" or not _is_beyond_seeing(cells, mark):
            break
    return _lay_out(rng, days, cells, columns, bars, date_format, (mark, separator))


def _series(rng: random.Random) -> tuple[tuple[date, ...], dict[str, list[int]], int, list[int]]:
    """Days, prices in units of the last decimal, the decimals, and volumes."""
    length = rng.randint(40, 120) if rng.random() < 0.85 else rng.randint(5, 12)
    day = date(1996, 1, 1) + timedelta(days=rng.randrange(28 * 365))
    days: list[date] = []
    while len(days) < length:
        if day.weekday() < 5 and rng.random() < 0.97:
            days.append(day)
        day += timedelta(days=1)
    level = 10 ** rng.uniform(-3.3, 5.1)
    least = 6 if level < 0.01 else 4 if level < 0.2 else 2 if level < 20 else 0  # enough to tell days apart
    decimals = max(least, rng.choice((0, 1, 2, 2, 2, 3, 4)))
    unit = 10**decimals
    ticks: dict[str, list[int]] = {name: [] for name in ("Open", "High", "Low", "Close")}
    close = level
    for _ in days:
        opened = close * (1 + rng.gauss(0, 0.002))
        close = opened * (1 + rng.gauss(0, 0.015))
        prices = [round(opened * unit), round(close * unit)]
        high = max(*prices, round(max(opened, close) * (1 + abs(rng.gauss(0, 0.006))) * unit))
        low = min(*prices, round(min(opened, close) * (1 - abs(rng.gauss(0, 0.006))) * unit))
        for name, tick in zip(ticks, (prices[0], high, low, prices[1]), strict=True):
            ticks[name].append(tick)
    scale = 10 ** rng.uniform(2, 7.5)
    return tuple(days), ticks, decimals, [max(1, round(scale * rng.lognormvariate(0, 0.5))) for _ in days]


def _number(ticks: int, decimals: int, mark: Mark, *, trim: bool = False) -> str:
    """Write a number given in units of its last decimal."""
    sign, digits = "-" * (ticks < 0), f"{abs(ticks):0{decimals + 1}}"
    whole, part = (digits[:-decimals], digits[-decimals:]) if decimals else (digits, "")
    if trim:
        part = part.rstrip("0")
    groups = [whole[-3:]]
    rest, size = whole[:-3], 2 if mark.indian else 3
    while rest:
        groups.insert(0, rest[-size:])
        rest = rest[:-size]
    return sign + mark.thousands.join(groups if mark.thousands else ["".join(groups)]) + (part and mark.decimal + part)


def _sign(number: str, sign: str) -> str:
    """Write a currency before a number, a euro behind it."""
    return number + sign if "€" in sign else sign + number


def _volumes(rng: random.Random, volumes: Sequence[int], mark: Mark) -> tuple[list[str], list[float]]:
    """Volumes as written, plain, grouped or in thousands and millions, and what they are."""
    style = rng.choice(("plain", "plain", "grouped", "short"))
    if style == "plain":
        return list(map(str, volumes)), list(map(float, volumes))
    if style == "grouped":
        return [_number(volume, 0, mark) for volume in volumes], list(map(float, volumes))
    letter, size = rng.choice((("K", 3), ("M", 6), ("B", 9)))
    hundredths = [max(1, round(volume / 10 ** (size - 2))) for volume in volumes]
    ungrouped = mark._replace(thousands="")
    written = [_number(hundredth, 2, ungrouped) + letter for hundredth in hundredths]
    return written, [float(f"{hundredth}e{size - 2}") for hundredth in hundredths]


def _other_columns(rng: random.Random, closes: Sequence[int], mark: Mark) -> dict[str, list[str]]:
    """Columns that no forecast needs: change in percent, the stock, its currency."""
    others = {}
    if rng.random() < 0.4:
        before = [closes[0], *closes[:-1]]
        changes = [round(10_000 * (b - a) / a) if a else 0 for a, b in zip(before, closes, strict=True)]
        others["Change %"] = [_number(change, 2, mark) + "%" for change in changes]
    if rng.random() < 0.15:
        others[rng.choice(("Ticker", "Symbol"))] = ["ACME"] * len(closes)
    if rng.random() < 0.1:
        others["Currency"] = ["EUR"] * len(closes)
    return others


def _is_beyond_seeing(cells: dict[str, list[str]], mark: Mark) -> bool:
    """Whether points stand for thousands, and no comma for decimals anywhere, so that nothing shows what they are."""
    numbers = [cell for name, column in cells.items() if name != "Date" for cell in column]
    prices = [cell for name in ("Open", "High", "Low", "Close") for cell in cells.get(name, ())]
    shown = any("," in cell or cell.count(".") > 1 for cell in numbers)  # 1.234.567 has no decimals
    shown |= len({"." in cell for cell in prices}) == 2  # 998 and 1.002
    return mark.thousands == "." and any("." in cell for cell in prices) and not shown


def _lay_out(
    rng: random.Random,
    days: tuple[date, ...],
    cells: dict[str, list[str]],
    columns: list[str],
    bars: dict[str, list[float]],
    date_format: str,
    style: tuple[Mark, str],
) -> Dialect:
    """Put the cells in an order, under a header, between lines of text, and encode them."""
    mark, separator = style
    if rng.random() < 0.5:
        rng.shuffle(columns)
    drawn = rng.random()
    names = "known" if drawn < 0.85 else "unknown" if drawn < 0.95 else "none"
    words = dict(zip(ORDER, rng.choice(UNKNOWN_HEADERS if names == "unknown" else HEADERS).split(", "), strict=True))
    header = [words.get(name, name) for name in columns]
    rows = list(zip(*(cells[name] for name in columns), strict=True))
    if rng.random() < 0.5:
        rows.reverse()

    stream = io.StringIO()
    quoting = csv.QUOTE_ALL if rng.random() < 0.4 else csv.QUOTE_MINIMAL
    end = rng.choice(("\n", "\n", "\r\n"))
    writer = csv.writer(stream, delimiter=separator, quoting=quoting, lineterminator=end)
    has_text = names != "none"
    if has_text and rng.random() < 0.25:
        stream.writelines(rng.choice(_TITLES) + end for _ in range(rng.randint(1, 4)))
    if names != "none":
        writer.writerow(header)
    writer.writerows(rows)
    if has_text and rng.random() < 0.15:
        writer.writerow([rng.choice(_REMARKS)])
    text = stream.getvalue()
    if rng.random() < 0.1:
        text = text.rstrip("\r\n")

    encoding = "utf-8-sig" if rng.random() < 0.15 else rng.choice(_ENCODINGS) if rng.random() < 0.15 else "utf-8"
    raw = text.encode(encoding, "replace")
    if raw.decode(encoding) != text:
        raw = text.encode()
    places = {name: place for place, name in enumerate(columns, 1) if name in ORDER}
    return Dialect(
        raw=raw,
        text=text,
        days=days,
        bars=bars,
        date_format=date_format,
        mark=mark,
        header={(place if names == "none" else words[name]): name for name, place in places.items()},
        names=names,
        separator=separator,
        cells={name: cells[name] for name in places},
    )
