"""A file of covariates: read as price files are, joined by date, never a bar."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stockcast.data.covariates import check_present, join_all, read_covariates
from stockcast.data.csv.options import CsvOptions, OwnColumn
from stockcast.data.features import make_features
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
