"""A column of dates in a vendor's format: one format for the whole column, or a refusal."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache

import numpy as np
import pandas as pd

from stockcast.data.csv.problems import Problem
from stockcast.frequency import DAILY, MONTHLY, Frequency

_NUMERIC = [
    f"{first}{mark}{second}{mark}{year}"
    for mark in "/-."
    for year in ("%Y", "%y")
    for first, second in (("%d", "%m"), ("%m", "%d"))
]
_FORMATS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"),
    *_NUMERIC,
    "%y-%m-%d",  # 18-12-31 is a shortened ISO date as well as it is the 18th of a December
    *("%d-%b-%Y", "%d-%b-%y", "%d-%B-%Y", "%d %b %Y", "%d %b %y", "%d %B %Y", "%d/%b/%Y", "%d.%b.%Y", "%d%b%Y"),
    *("%Y年%m月%d日", "%Y년 %m월 %d일", "%Y- %m- %d", "%Y. %m. %d"),  # Japan, China, Korea
    *("%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y", "%b-%d-%Y", "%Y-%b-%d"),
)
_YEAR_FIRST = frozenset(
    name for name in _FORMATS if name.startswith("%Y") and "%b" not in name
)  # has one meaning everywhere, and is not worth a note
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
MONTHS = {month[:length]: float(number) for number, month in enumerate(_MONTHS, 1) for length in (3, None)}
"""English name of a month, or its first three letters -> its number; month names are English everywhere."""
_TIME = (
    r"(?:[T ]\s*[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?:\s*[AaPp]\.?[Mm]\.?)?"
    r"(?:\s*(?:Z|[A-Z]{3,4}|[+-][0-9]{2}:?[0-9]{2}))?|Z|[+-][0-9]{2}:[0-9]{2})$"
)
# Unit -> fewest and most digits from 1973 to 2286, and how many make a second.
_EPOCHS = {
    "seconds": (9, 10, 1),
    "milliseconds": (12, 13, 10**3),
    "microseconds": (15, 16, 10**6),
    "nanoseconds": (18, 19, 10**9),
}
_UTC = r"(?:Z|UTC|GMT|[+-]00:?00)$"
_PIVOT = 69  # strptime's: 68 is 2068, 69 is 1969
_FIRST_YEAR = 1600  # no stock was traded before: 0018-12-31 is a slip
_SAMPLED = 24
_ISO_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])"
_ISO_COLUMN = re.compile(r"(?>[0-9]{4}-[0-9]{2}-[0-9]{2}\n)*+")
_CORRECT = "Correct it, or remove the row."
_KEY = "data.date_format"


@dataclass(frozen=True, kw_only=True)
class DateColumn:
    """Dates of all rows.

    Attributes:
        dates: datetime64, the exchange's own day, indexed by line; NaT where it cannot be read.
        problems: cells that are not a date, lie in the future, or may be two dates.
        note: how they were read, where that is not plain.
    """

    dates: pd.Series
    problems: list[Problem]
    note: str | None = None


def read_dates(text: pd.Series, date_format: str | None = None, *, frequency: Frequency = DAILY) -> DateColumn:
    """Read a column of dates in one format.

    A time of day and a time zone after the date are left out. Plausibility (weekends, order) never decides between
    two readings: what can be read in two ways is a problem.

    Args:
        text: stripped cells, indexed by line.
        date_format: strptime format; None for the one known format that reads every cell.
        frequency: of the bars: one of a week or month may be dated up to its last day while it is running.
    """
    places, distinct = pd.factorize(text, use_na_sentinel=False)
    cells = pd.Series(distinct, dtype="str")  # each date once, also where a day has hundreds of rows
    parsed, read_as, doubt = _infer(cells) if date_format is None else (_declared(cells, date_format), None, None)
    expected = repr(date_format) if date_format else f"{read_as}, as in other rows" if read_as else "such as 2018-12-31"
    dates = pd.Series(parsed.to_numpy()[places], index=text.index, dtype="datetime64[s]")

    if doubt:
        cell, readings = doubt
        line = int(text.index[text == cell][0])
        unknown = pd.Series(pd.NaT, index=text.index, dtype="datetime64[s]")
        return DateColumn(
            dates=unknown, problems=[Problem(line=line, column="Date", value=cell, key=_KEY, readings=readings)]
        )
    if date_format is None and _is_shifted(text, dates, read_as):
        why = "a time in UTC; by these, sessions are on Sundays and none on Fridays, so the exchange's own days differ"
        line = int(text.index[0])
        advice = f"Write the exchange's days, or set {_KEY} to take those that are written."
        wrong = Problem(line=line, column="Date", value=text[line], why=why, advice=advice, key=_KEY)
        return DateColumn(dates=dates, problems=[wrong])
    unread = dates.isna()
    shaped = _without_time(text).str.match(_pattern(read_as)) if read_as and "%" in read_as and unread.any() else False
    impossible = unread & shaped  # 30 February
    today = np.datetime64(date.today())
    future, this_month = dates > pd.Timestamp(frequency.span(today)[1]), dates <= pd.Timestamp(MONTHLY.span(today)[1])
    running = future & this_month & (frequency is DAILY)
    problems = [
        Problem(line=line, column="Date", value=text[line], why=why, advice=what_to_do, key=key)
        for wrong, why, what_to_do, key in (
            (unread & ~impossible, f"not a date; expected {expected}", f"Correct it, or set {_KEY}.", _KEY),
            (impossible, f"not a day of the calendar ({read_as})", _CORRECT, None),
            (future & ~running, "lies in the future", _CORRECT, None),
            (running, "lies in the future", f"{_CORRECT} Of a running week or month, set data.frequency.", None),
        )
        for line in text.index[wrong]
    ]
    return DateColumn(dates=dates, problems=problems, note=_note(cells, parsed, read_as))


def times_of_day(text: pd.Series) -> pd.Series | None:
    """Return the seconds since midnight that stand behind dates, or in times since 1970; None where a cell has none."""
    if (epochs := _read_epochs(text.drop_duplicates())) is not None:
        return text.astype("int64") // _EPOCHS[epochs[1]][2] % 86_400
    parts = text.str.extract(r"[T ]\s*([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}(?:[.,][0-9]+)?))?\s*([AaPp])?")
    if parts[0].isna().any() or parts[1].isna().any():
        return None
    hours, minutes = parts[0].astype(int), parts[1].astype(int)
    half = parts[3].str.lower()
    hours = (hours % 12).where(half.notna(), hours) + 12 * half.eq("p")
    return 3600 * hours + 60 * minutes + parts[2].str.replace(",", ".").astype(float).fillna(0)


def utc_offsets(text: pd.Series) -> pd.Series | None:
    """Return how many seconds times are ahead of UTC, 0 of times since 1970; None where a cell does not state it."""
    if _read_epochs(text.drop_duplicates()) is not None:
        return pd.Series(0, index=text.index)
    parts = text.str.extract(r"[0-9](?:\s*(Z|UTC|GMT)|\s*([+-])([0-9]{2}):?([0-9]{2}))$")
    is_utc = parts[0].notna()
    if not (is_utc | parts[1].notna()).all():
        return None
    ahead = 3600 * parts[2].astype(float) + 60 * parts[3].astype(float)
    return ahead.where(parts[1].eq("+"), -ahead).where(~is_utc, 0.0)


def _is_shifted(text: pd.Series, dates: pd.Series, read_as: str | None) -> bool:
    """Whether times in UTC put sessions on the day before: on Sundays, where none is on a Friday or a Saturday."""
    if not (read_as in _EPOCHS or any(re.search(_UTC, cell) for cell in text.iloc[:1])):
        return False
    weekdays = set(dates.dropna().dt.day_of_week)
    return 6 in weekdays and len(weekdays) > 3 and not {4, 5} & weekdays


@lru_cache(maxsize=1000)
def is_date(cell: str) -> bool:
    """Whether a cell can be read as a date in any format."""
    if cell.isascii() and cell.isdigit() and len(cell) >= 9:
        return any(fewest <= len(cell) <= most for fewest, most, _ in _EPOCHS.values())
    bare = re.sub(_TIME, "", cell)
    return any(_is_day(bare, name) for name in _FORMATS)


def _is_day(cell: str, date_format: str) -> bool:
    """Whether `_parse` reads a cell, which is quick for a single one."""
    if not (parts := re.match(_pattern(date_format), cell)):
        return False
    year, month = int(parts["year"]), MONTHS.get(parts["month"].lower(), parts["month"])
    if "%y" in date_format:
        year += 2000 if year < _PIVOT else 1900
    try:
        return year >= _FIRST_YEAR and bool(date(year, int(month), int(parts["day"])))
    except ValueError:  # 30 February
        return False


def _infer(cells: pd.Series) -> tuple[pd.Series, str | None, tuple[str, dict[str, str]] | None]:
    """Dates of distinct cells, their format, and a cell that may be two dates with the format of each."""
    plain = _read_iso(cells)
    if plain is not None:
        return plain, "%Y-%m-%d", None
    if (epochs := _read_epochs(cells)) is not None:
        return *epochs, None
    bare = _without_time(cells)
    sample = bare.iloc[np.unique(np.linspace(0, len(bare) - 1, _SAMPLED).astype(int))] if len(bare) else bare
    likely = [name for name in _FORMATS if any(re.match(_pattern(name), cell) for cell in sample)] or list(_FORMATS)
    parsed = {name: _parse(bare, name) for name in likely}
    read_as = max(parsed, key=lambda name: int(parsed[name].notna().sum()))
    best = parsed[read_as]
    if not best.notna().any():
        return best, None, None
    # Another format is a second reading if it reads the very same cells, and some of them as other days.
    others = [name for name, dates in parsed.items() if dates.notna().equals(best.notna()) and not dates.equals(best)]
    if not others:
        return best, read_as, None
    # The cell that shows most of the readings: 11-03-11 hides that 11-03-10 may begin with the year or the day.
    differing = int(pd.DataFrame({name: parsed[name] for name in (*others, read_as)}).nunique(axis=1).argmax())
    formats = {parsed[name].iloc[differing]: name for name in (*others, read_as)}
    readings = {f"{day.day} {_MONTHS[day.month - 1].title()} {day.year}": name for day, name in sorted(formats.items())}
    return best, read_as, (cells.iloc[differing], readings)


def _read_iso(cells: pd.Series) -> pd.Series | None:
    """Dates of cells that are all written 2018-12-31, as in nearly all files; None where any is not, or is no day."""
    text: list[str] = cells.tolist()
    if not text or not _ISO_COLUMN.fullmatch("\n".join([*text, ""])):
        return None
    try:
        days = np.array(text, dtype="datetime64[D]")
    except ValueError:  # 30 February
        return None
    return pd.Series(days, dtype="datetime64[s]") if days.min() >= np.datetime64(f"{_FIRST_YEAR}-01-01") else None


def _read_epochs(cells: pd.Series) -> tuple[pd.Series, str] | None:
    """Dates of cells that all count seconds, or parts of seconds, since 1970 in UTC, and the unit; None if they do not.

    The digits tell the unit: today's seconds have ten, and eight digits are a date such as 20181231.
    """
    text: list[str] = cells.tolist()
    if not text or not all(cell.isascii() and cell.isdigit() for cell in text):
        return None
    units = {name for cell in text for name, (fewest, most, _) in _EPOCHS.items() if fewest <= len(cell) <= most}
    if len(units) != 1 or any(len(cell) < 9 for cell in text):
        return None
    (unit,) = units
    seconds = cells.astype("int64") // _EPOCHS[unit][2]
    return pd.Series(seconds.to_numpy().astype("datetime64[s]").astype("datetime64[D]"), dtype="datetime64[s]"), unit


def _parse(cells: pd.Series, date_format: str) -> pd.Series:
    """Dates of the cells that the format reads whole, NaT for the others."""
    parts = cells.str.extract(_pattern(date_format))
    month = parts["month"].str.lower().map(MONTHS) if re.search("%[bB]", date_format) else parts["month"]
    numbers = pd.DataFrame({"year": parts["year"], "month": month, "day": parts["day"]}).astype(np.float64)
    if "%y" in date_format:
        numbers["year"] += np.where(numbers["year"] < _PIVOT, 2000, 1900)
    numbers["year"] = numbers["year"].where(numbers["year"] >= _FIRST_YEAR)
    return pd.Series(pd.to_datetime(numbers, errors="coerce"), dtype="datetime64[s]")


@cache
def _pattern(date_format: str) -> str:
    """The regular expression that matches what strptime would."""
    digits = "{2}" if date_format == "%Y%m%d" else "{1,2}"  # 2018111 would be two dates
    groups = {"%Y": "(?P<year>[0-9]{4})", "%y": "(?P<year>[0-9]{2})", "%m": f"(?P<month>[0-9]{digits})"}
    groups |= {"%d": f"(?P<day>[0-9]{digits})", "%b": "(?P<month>[A-Za-z]{3})", "%B": "(?P<month>[A-Za-z]{3,9})"}
    pattern = re.escape(date_format).replace(r"\ ", r"\s+")
    for directive, group in groups.items():
        pattern = pattern.replace(directive, group)
    return f"^{pattern}$"


def _without_time(cells: pd.Series) -> pd.Series:
    """Cells without the time of day and the zone, where most have one; a cell that has none is then no date."""
    timed = cells.str.contains(_TIME)
    if timed.any() and (timed | (cells.str.len() == len("2018-12-31"))).all() and cells.str.match(_ISO_DAY).all():
        return cells.str.slice(0, len("2018-12-31"))  # with a time or without, it is one way to write a day
    if timed.sum() * 2 <= len(cells):
        return cells
    bare: pd.Series = cells.str.replace(_TIME, "", regex=True).where(timed, "")
    return bare


def _declared(cells: pd.Series, date_format: str) -> pd.Series:
    """Dates by a declared format, which may include the time of day or leave it out."""

    def parse(cell: str) -> datetime | None:
        try:  # on the exchange's own clock: a time zone (%z) is read and left out
            return datetime.strptime(cell, date_format).replace(tzinfo=None)
        except (ValueError, re.error):  # re.error: a format such as %d/%d
            return None

    bare = cells if re.search("%[HIMSpfzZXcT]", date_format) else _without_time(cells)
    return pd.Series(pd.Series(map(parse, bare), dtype="datetime64[s]").dt.normalize())


def _note(cells: pd.Series, dates: pd.Series, read_as: str | None) -> str | None:
    """Describe how dates were read, with an example, unless year, month and day stand in that order."""
    if read_as is None or read_as in _YEAR_FIRST:
        return None
    if read_as in _EPOCHS:
        return f"dates read as {read_as} since 1970, in UTC: {cells.iloc[0]} is {dates.iloc[0]:%Y-%m-%d}"
    order = {"d": "day", "m": "month", "b": "month", "B": "month", "Y": "year", "y": "year"}
    words = "/".join(order[letter] for letter in re.findall("%(.)", read_as))
    example = int(np.flatnonzero(dates.notna())[0])
    return f"dates read as {words}: {cells.iloc[example]} is {dates.iloc[example]:%Y-%m-%d}"
