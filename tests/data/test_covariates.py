"""A file of covariates: read as price files are, joined by date, never a bar."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stockcast.data.covariates import check_present, join_all, read_covariates
from stockcast.data.csv.options import CsvOptions, OwnColumn
from stockcast.data.features import make_features
from stockcast.data.known_columns import KnownColumns
from stockcast.data.known_days import find_upcoming
from stockcast.data.own_columns import check_varies
from stockcast.data.prices import Prices, read_prices
from stockcast.errors import DataError, MissingColumns

VIX = (OwnColumn("VIX", "level", 0),)
PRICES = "Date,Close\n2018-01-05,10\n2018-01-08,11\n2018-01-09,12\n"


def joined(text: str | bytes, tmp_path: Path, *, prices: str = PRICES, **options: object) -> Prices:
    (tmp_path / "prices.csv").write_text(prices)
    (tmp_path / "vix.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    how = CsvOptions(own=VIX, **options)  # type: ignore[arg-type]
    return read_covariates(tmp_path / "vix.csv", options=how).join(read_prices(tmp_path / "prices.csv", options=how))


def values(text: str | bytes, tmp_path: Path, **options: object) -> list[float]:
    return make_features(joined(text, tmp_path, **options), ("own:VIX",)).ravel().tolist()  # type: ignore[arg-type]


def refused(text: str | bytes, tmp_path: Path, **options: object) -> DataError:
    with pytest.raises(DataError) as error:
        joined(text, tmp_path, **options)
    assert error.value.file == str(tmp_path / "vix.csv")
    return error.value


@pytest.mark.parametrize(
    "text",
    [
        "Date,VIX\n2018-01-05,1.5\n2018-01-08,2\n2018-01-09,3\n",
        "date,vix,other\n2018-01-09,3,x\n2018-01-08,2,y\n2018-01-05,1.5,z\n",
        "observation_date;VIX\n05/01/2018;1.5\n08/01/2018;2\n09/01/2018;3\n31/01/2018;9\n",
        ",VIX\n2018-01-05,1.5\n2018-01-08,2\n2018-01-09,3\n",
        "Volatility by CBOE\nDate\tVIX\n2018-01-05\t1.5\n2018-01-08\t2\n2018-01-09\t3\n",
        "Date,Close,VIX\n2018-01-05,77,1.5\n2018-01-08,77,2\n2018-01-09,77,3\n",
        "Date,VIX\n2018-01-05,1.5\n2018-01-07,2\n2018-01-09,3\n",
        "Date,VIX\n2018-01-05,1.5\n2018-01-08,2\n2018-01-09,3\n2030-01-09,3\n",
    ],
    ids=["plain", "newest first", "semicolons", "an index", "a title and tabs", "a close", "a Sunday", "days to come"],
)
def test_a_file_of_covariates_is_read_as_price_files_are(text: str, tmp_path: Path) -> None:
    assert values(text, tmp_path) == [1.5, 2, 3]
    assert list(joined(text, tmp_path).bars["Close"]) == [10, 11, 12]


def test_the_keys_of_price_files_hold_and_iso_dates_are_read_whatever_the_format(tmp_path: Path) -> None:
    german = "Date;Close\n05.01.2018;10,5\n08.01.2018;11\n09.01.2018;12\n"
    how = {"separator": ";", "decimal": ",", "date_format": "%d.%m.%Y", "prices": german}
    assert values("Date;VIX\n05.01.2018;1,5\n08.01.2018;2\n09.01.2018;3\n", tmp_path, **how) == [1.5, 2, 3]
    assert values("Date;VIX\n2018-01-05;1,5\n2018-01-08;2\n2018-01-09;3\n", tmp_path, **how) == [1.5, 2, 3]


def test_a_workbook_and_a_parquet_file_are_files_of_covariates(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"Date": ["2018-01-05", "2018-01-08", "2018-01-09"], "VIX": [1.5, 2, 3]})
    frame.to_parquet(tmp_path / "made.parquet")
    assert values((tmp_path / "made.parquet").read_bytes(), tmp_path) == [1.5, 2, 3]
    pytest.importorskip("openpyxl")
    frame.to_excel(tmp_path / "made.xlsx", index=False)
    assert values((tmp_path / "made.xlsx").read_bytes(), tmp_path) == [1.5, 2, 3]


def test_a_close_of_the_file_of_covariates_can_be_an_own_column(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(PRICES)
    (tmp_path / "vix.csv").write_text("Date,Open,Close\n2018-01-05,9,20\n2018-01-08,9,21\n2018-01-09,9,22\n")
    how = CsvOptions(own=(OwnColumn("Close", "level", 0),))
    prices = read_covariates(tmp_path / "vix.csv", options=how).join(read_prices(tmp_path / "prices.csv", options=how))
    assert make_features(prices, ("own:Close", "Close")).T.tolist() == [[20, 21, 22], [10, 11, 12]]


def test_the_hash_and_the_path_of_the_file_are_kept(tmp_path: Path) -> None:
    import hashlib

    own = joined("Date,VIX\n2018-01-05,1\n", tmp_path).own
    assert own is not None
    assert own.sha256 == hashlib.sha256(b"Date,VIX\n2018-01-05,1\n").hexdigest()
    assert own.covariates == tmp_path / "vix.csv"


@pytest.mark.parametrize(
    ("text", "line", "column", "value"),
    [
        ("Date,VIX\n2018-01-05,1\n2018-01-08,calm\n", 3, "VIX", "calm"),
        ("Date,VIX\n2018-01-05,1\n2018-02-30,2\n", 3, "Date", "2018-02-30"),
        ("Date,VIX\n2018-01-05,1\n2018-01-05,2\n", 3, "VIX", 2),
        ("Date,VIX,vix\n2018-01-05,1,2\n", 1, "VIX", "2 and 3"),
        ("Date,datum,VIX\n2018-01-05,2018-01-05,2\n", None, None, None),
        ("Day,VIX\n2018-01-05,1\n", 1, "Date", "Day, VIX"),
        ("Date,VIX\n2018-01-05,1\n2018-01-08,1,2\n", 3, None, 3),
        ("<html><body>sign in</body></html>", None, None, None),
        ("", None, None, None),
    ],
)
def test_what_is_wrong_in_it_is_refused_by_line_column_and_value(
    text: str, line: int | None, column: str | None, value: object, tmp_path: Path
) -> None:
    if "datum" in text:
        assert values(text, tmp_path)[0] == 2  # a standard name wins over a vendor's
        return
    error = refused(text, tmp_path)
    assert (error.line, error.column, error.value) == (line, column, value)


def test_a_file_that_is_not_there_is_refused_by_its_own_key(tmp_path: Path) -> None:
    prices = joined("Date,VIX\n2018-01-05,1\n", tmp_path)
    gone = tmp_path / "gone.csv"
    for read in (
        lambda: read_covariates(gone, options=CsvOptions(own=VIX)),
        lambda: join_all(prices, prices.source, options=CsvOptions(), covariates=gone),
    ):
        with pytest.raises(DataError) as error:
            read()
        assert error.value.key == "data.covariates"


def test_a_column_of_both_files_is_refused_with_the_key(tmp_path: Path) -> None:
    prices = "Date,Close,VIX\n2018-01-05,10,1\n2018-01-08,11,1\n2018-01-09,12,1\n"
    error = refused("Date,vix\n2018-01-05,1\n", tmp_path, prices=prices)
    assert (error.column, error.key) == ("VIX", "data.covariates")


def test_a_column_that_neither_file_has_is_refused_with_what_there_is(tmp_path: Path) -> None:
    prices = joined("Date,Rate\n2018-01-05,1\n", tmp_path)
    assert values("Date,Rate\n2018-01-05,1\n", tmp_path) == pytest.approx([np.nan] * 3, nan_ok=True)
    with pytest.raises(MissingColumns) as error:
        check_present(prices)
    assert (error.value.file, error.value.column, error.value.key) == (str(tmp_path / "prices.csv"), "VIX", "features")
    check_present(joined("Date,VIX\n2018-01-05,1\n", tmp_path))


@pytest.mark.parametrize(
    "text",
    [
        "Price,Close,Close,VIX\nTicker,GE,KO,\nDate,,,\n2018-01-05,1,5,7\n2018-01-08,2,6,8\n",
        "Date,Close_GE,Open_GE,Close_KO,Open_KO,VIX\n2018-01-05,1,1,5,5,7\n2018-01-08,2,2,6,6,8\n",
    ],
)
def test_bars_of_another_series_beside_those_of_the_chosen_one_are_no_other_columns(text: str, tmp_path: Path) -> None:
    (tmp_path / "two.csv").write_text(text)
    options = CsvOptions(tickers=("KO",))
    prices = read_prices(tmp_path / "two.csv", options=options)
    listed, found = join_all(prices, prices.source, options=options)
    assert [column.name for column in listed][:1] == ["VIX"]
    assert found.own is not None
    assert found.own.values["VIX"].tolist() == [7, 8]


def test_every_column_that_is_no_bar_is_listed_with_its_days_or_why_it_is_no_input(tmp_path: Path) -> None:
    text = (
        "Date,Close,VIX,Note,Flat,Empty,Twice,twice\n"
        "2018-01-05,10,,up,7,,1,1\n2018-01-08,11,2,3,7,,1,1\n2018-01-09,12,3,down,7,,1,1\n"
    )
    (tmp_path / "prices.csv").write_text(text)
    (tmp_path / "rate.csv").write_text("Date,Rate\n2018-01-05,1\n2018-01-06,2\n2018-02-09,3\n")
    prices = read_prices(tmp_path / "prices.csv")
    listed, found = join_all(prices, prices.source, options=CsvOptions(), covariates=tmp_path / "rate.csv")
    names = {column.name: column for column in listed}
    assert list(names) == ["VIX", "Note", "Flat", "Empty", "Twice", "twice", "Rate"]
    vix, rate = names["VIX"], names["Rate"]
    assert (vix.first, vix.last, vix.missing, vix.why_not) == ("2018-01-08", "2018-01-09", pytest.approx(1 / 3), None)
    assert (rate.first, rate.last, rate.missing) == ("2018-01-05", "2018-01-08", pytest.approx(1 / 3))
    assert "line 2" in str(names["Note"].why_not)
    assert all(names[name].why_not for name in ("Flat", "Empty", "Twice", "twice"))
    assert found.own is not None
    assert list(found.own.values) == ["VIX", "Rate"]


# Columns that are known ahead.

CHRISTMAS = ("2018-12-19", "2018-12-20", "2018-12-21", "2018-12-24", "2018-12-26", "2018-12-27", "2018-12-28")
EARNINGS = (
    "Date,Earnings\n2018-12-21,\n2018-12-22,2\n2018-12-24,0\n2018-12-25,3\n2018-12-28,4\n2018-12-31,\n"  # to New Year
)
NAN = float("nan")


def columns_ahead(text: str, days: tuple[str, ...], tmp_path: Path) -> KnownColumns:
    (tmp_path / "dates.csv").write_text(text)
    covariates = read_covariates(tmp_path / "dates.csv", options=CsvOptions(known=("Earnings",)))
    upcoming = find_upcoming(np.array(days, dtype="datetime64[D]"), calendar="XNYS")
    return covariates.ahead(("Earnings",), upcoming)


def ahead(text: str, days: tuple[str, ...], tmp_path: Path) -> list[float]:
    return columns_ahead(text, days, tmp_path).feature("Earnings").tolist()


def same(found: list[float], expected: list[float]) -> bool:
    return found == pytest.approx(expected, nan_ok=True)


def test_a_day_knows_what_the_file_dates_on_the_next_session(tmp_path: Path) -> None:
    assert same(
        ahead(EARNINGS, CHRISTMAS, tmp_path),
        [
            NAN,  # the session of the 20th is before the first date
            0,  # the cell of the 21st is empty
            2,  # of a Saturday, which counts for Monday the 24th; its own zero does not unset it
            3,  # of Christmas, which counts for the 26th
            0,  # the 27th has no row
            4,  # of the 28th
            0,  # the cell of the 31st, the last date, is empty
        ],
    )


def test_the_last_day_knows_its_next_session_and_nothing_is_known_after_the_last_date(tmp_path: Path) -> None:
    assert same(ahead(EARNINGS, ("2018-12-26", "2018-12-27"), tmp_path), [0, 4])
    assert same(ahead(EARNINGS, ("2018-12-28", "2018-12-31", "2019-01-02"), tmp_path), [0, NAN, NAN])
    whole_weekend = EARNINGS + "2019-01-05,7\n"  # a Saturday, so Monday the 7th is the last that is known
    assert same(ahead(whole_weekend, ("2019-01-03", "2019-01-04", "2019-01-07"), tmp_path), [0, 7, NAN])


def test_a_row_of_the_prices_on_a_weekend_knows_the_monday_and_rows_in_any_order_are_the_same(tmp_path: Path) -> None:
    assert same(ahead(EARNINGS, ("2018-12-22", "2018-12-29"), tmp_path), [2, 0])
    header, *rows = EARNINGS.split()
    assert same(ahead("\n".join([header, *rows[::-1]]), CHRISTMAS, tmp_path), ahead(EARNINGS, CHRISTMAS, tmp_path))


def test_a_row_of_prices_that_is_missing_changes_no_other(tmp_path: Path) -> None:
    days = tuple(day for day in CHRISTMAS if day != "2018-12-24")
    assert same(ahead(EARNINGS, days, tmp_path), [NAN, 0, 2, 0, 4, 0])


def test_a_closing_without_notice_did_not_move_what_was_announced(tmp_path: Path) -> None:
    text = "Date,Earnings\n2001-09-01,\n2001-09-11,1\n2001-09-17,2\n2001-09-30,\n"
    assert same(ahead(text, ("2001-09-07", "2001-09-10", "2001-09-17"), tmp_path), [0, 1, 0])


def test_a_gap_is_explained_by_the_days_of_the_file_and_the_next_session(tmp_path: Path) -> None:
    columns = columns_ahead(EARNINGS, (*CHRISTMAS, "2018-12-31"), tmp_path)
    ended, before = columns.gaps(slice(None))
    assert (ended.sentence, ended.at_the_end) == (
        "known:Earnings has no value since 2018-12-31 (1 day), as dates.csv has days from 2018-12-21 to 2018-12-31, "
        "and the next session is 2019-01-02",
        True,
    )
    assert before.sentence == (
        "known:Earnings has no value on 1 of 8 days, the first 2018-12-19, as dates.csv has days from 2018-12-21 to "
        "2018-12-31"
    )
    assert list(columns.gaps(slice(1, 7))) == []
    (first,) = columns.with_rows(slice(1)).gaps(slice(None))
    assert (first.days, first.sentence.partition("and ")[2]) == (1, "the next session is 2018-12-20")


def test_a_file_without_a_row_knows_nothing(tmp_path: Path) -> None:
    columns = columns_ahead("Date,Earnings\n", CHRISTMAS, tmp_path)
    assert np.isnan(columns.feature("Earnings")).all()
    (gap,) = columns.gaps(slice(None))
    assert gap.sentence.endswith("as dates.csv has no row")


def test_one_column_can_be_known_at_its_days_end_and_ahead(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("Date,Close\n2018-12-26,10\n2018-12-27,11\n2018-12-28,12\n")
    (tmp_path / "dates.csv").write_text(EARNINGS)
    how = CsvOptions(own=(OwnColumn("Earnings", "level", 0),), known=("Earnings",))
    prices = read_prices(tmp_path / "prices.csv", options=how)
    covariates = read_covariates(tmp_path / "dates.csv", options=how)
    columns = covariates.ahead(how.known, find_upcoming(prices.dates, calendar="XNYS"))
    prices = replace(covariates.join(prices), known_columns=columns)
    values = make_features(prices, ("own:Earnings", "known:Earnings"))
    # At a day's end a row of Christmas counts for the 26th, and nothing is taken for a cell that is not there.
    assert same(values[:, 0].tolist(), [3, NAN, 4])
    assert values[:, 1].tolist() == [0, 4, 0]
    assert make_features(prices.until(pd.Timestamp("2018-12-27").date()), ("known:Earnings",)).tolist() == [[0], [4]]


def test_a_column_of_both_files_is_no_conflict_where_it_is_known_ahead(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("Date,Close,Earnings\n2018-12-26,10,5\n2018-12-27,11,5\n")
    (tmp_path / "dates.csv").write_text(EARNINGS)
    how = CsvOptions(known=("Earnings",))
    prices = read_covariates(tmp_path / "dates.csv", options=how).join(
        read_prices(tmp_path / "prices.csv", options=how)
    )
    assert prices.own is not None
    assert (list(prices.own.values), prices.own.covariates) == ([], tmp_path / "dates.csv")


@pytest.mark.parametrize(
    ("text", "line", "value", "words"),
    [
        ("Date,Earnings\n2018-12-21,soon\n", 2, "soon", "a column of text"),
        ("Date,Earnings\n2018-12-21,1\n2018-12-22,late\n", 3, "late", "not a number"),
        ("Date,Earnings\n2018-12-21,1\n2018-12-21,2\n", 3, 2, "another value in line 2"),
    ],
)
def test_what_is_wrong_in_a_column_that_is_known_ahead_is_refused_by_line_and_value(
    text: str, line: int, value: object, words: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=words) as error:
        columns_ahead(text, CHRISTMAS, tmp_path)
    assert (error.value.line, error.value.column, error.value.value) == (line, "Earnings", value)
    assert " own:" not in str(error.value)


def test_a_column_that_announces_nothing_on_the_training_days_is_refused_without_a_transform(tmp_path: Path) -> None:
    values = np.array([ahead("Date,Earnings\n2018-12-01,\n2018-12-31,\n", CHRISTMAS, tmp_path)]).T
    with pytest.raises(DataError, match="it is 0 on each") as error:
        check_varies(values, ("known:Earnings",))
    assert "transform" not in str(error.value)


def test_a_list_of_days_that_are_all_one_can_only_be_known_ahead(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("Date,Close\n2018-12-26,10\n2018-12-27,11\n2018-12-28,12\n")
    (tmp_path / "dates.csv").write_text("Date,Earnings,Note,Rate\n2018-12-27,1,a,3\n2018-12-31,1,b,4\n")
    prices = read_prices(tmp_path / "prices.csv")
    upcoming = find_upcoming(prices.dates, calendar="XNYS")
    how = {"options": CsvOptions(), "covariates": tmp_path / "dates.csv"}
    listed, found = join_all(prices, prices.source, upcoming=upcoming, **how)  # type: ignore[arg-type]
    assert {column.name: column.ahead for column in listed} == {"Earnings": True, "Note": False, "Rate": True}
    assert found.known_columns is not None
    assert found.known_columns.feature("Earnings").tolist() == [1, 0, 1]
    listed, found = join_all(prices, prices.source, **how)  # type: ignore[arg-type]
    assert not any(column.ahead for column in listed)  # as of weeks
    assert found.known_columns is None
