import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from stockcast.cli.commands.config import config_init
from stockcast.config.load import load_config
from stockcast.config.schema import Config
from stockcast.config.starter import config_name, starter_config
from stockcast.data.csv.options import CsvOptions
from stockcast.data.features import FEATURES, make_features
from stockcast.data.prices import read_prices
from stockcast.data.split import PARTS, split_days
from stockcast.errors import DataError, StockcastError

REPO = Path(__file__).resolve().parents[1]
SHARED = (REPO.parent / "shared" / "data").resolve()


def started(data: Path, folder: Path, **options: CsvOptions) -> Config:
    """The config that is made for a price file, read from the file it is written to."""
    folder.mkdir(exist_ok=True)
    path = folder / "made.yaml"
    path.write_text(starter_config(data, folder=folder, **options), encoding="utf-8")
    return load_config(path)


def price_file(path: Path, *, days: int = 2) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{2000 + day // 336}-{day // 28 % 12 + 1:02}-{day % 28 + 1:02},{10 + day % 7}" for day in range(days)]
    path.write_text("\n".join(["Date,Close", *rows]) + "\n")
    return path


def test_a_file_of_closes_gets_a_config_that_names_only_inputs_from_closes(tmp_path):
    config = started(REPO / "data" / "GE.csv", tmp_path)

    assert config.name == "GE"
    assert config.data.path == (REPO / "data" / "GE.csv",)
    assert {FEATURES[name].needs for name in config.features} == {("Close",)}


def test_a_full_file_gets_a_config_with_inputs_from_all_its_columns(tmp_path):
    if not SHARED.is_dir():
        pytest.skip(f"the real stock files are not beside this checkout ({SHARED})")
    config = started(SHARED / "GE.csv", tmp_path)

    assert config.data.path == (SHARED / "GE.csv",)
    assert {column for name in config.features for column in FEATURES[name].needs} == {"Open", "Close", "Volume"}


@pytest.mark.parametrize("data", [REPO / "data" / "GE.csv", REPO / "data" / "SP500.csv", SHARED / "GE.csv"])
def test_a_made_config_fits_its_data_in_every_part(tmp_path, data):
    if not data.is_file():
        pytest.skip(f"{data} is not beside this checkout")
    config, prices = started(data, tmp_path), read_prices(data)

    features = make_features(prices, config.features)
    split = split_days(prices.dates, **dict(config.split))

    assert features.shape == (len(prices.dates), len(config.features))
    for part in PARTS:
        assert len(split.origins(part, window=config.window, horizon=config.horizon)) > 100


@pytest.mark.parametrize("days", [250, 999, 1000])
def test_a_short_file_gets_a_horizon_that_fits_into_every_part(tmp_path, days):
    data = price_file(tmp_path / "short.csv", days=days)
    config, prices = started(data, tmp_path), read_prices(data)

    split = split_days(prices.dates, **dict(config.split))

    assert len(prices.dates) == days
    assert [len(split.origins(part, window=config.window, horizon=config.horizon)) > 0 for part in PARTS] == [True] * 4


def test_a_made_config_says_what_the_file_holds():
    text = starter_config(REPO / "data" / "GE.csv", folder=REPO / "configs")

    assert "GE.csv: 8313 trading days, 1990-01-02 to 2022-12-28" in text
    assert "path: ../data/GE.csv" in text


def test_a_made_config_finds_its_data_from_any_folder(tmp_path):
    data = price_file(tmp_path / "prices" / "ge.csv")

    assert started(data, tmp_path / "configs").data.path == (data.resolve(),)
    assert started(data, tmp_path / "prices").data.path == (data.resolve(),)


@pytest.mark.parametrize(
    "name",
    [
        "my prices: GE #1.csv",
        "ünï cödé.csv",
        "日本.csv",
        "😀.csv",
        "-lead.csv",
        'it\'s "quoted".csv',
        "{braces}.csv",
        "{0}.csv",
        "%s.csv",
        "back\\slash.csv",
        "*.csv",
        "&anchor.csv",
        "!tag.csv",
        "NO.csv",
        "000660.csv",
        "null.csv",
        "2018-01-01.csv",
        "1_000.csv",
        ".hidden",
        "no ending",
        "tab\there.csv",
        " .csv",
        "x" * 200 + ".csv",
        "folder: a/[b] #c/d.csv",
    ],
)
def test_a_file_of_any_name_gets_a_config_that_loads_and_finds_it(tmp_path, name):
    data = price_file(tmp_path / "data" / name)

    config = started(data, tmp_path / "configs")

    assert config.data.path == (data.resolve(),)
    assert {FEATURES[name].needs for name in config.features} == {("Close",)}


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("GE.csv", "GE"),
        ("my prices (GE).csv", "my-prices-GE"),
        ("BRK.B.csv", "BRK.B"),
        ("-x-.csv", "x"),
        ("日本.csv", "prices"),
        ("...csv", "prices"),
        ("x" * 80 + ".csv", "x" * 64),
    ],
)
def test_a_config_is_named_after_its_file_as_far_as_a_name_may_go(file, name):
    assert config_name(Path("anywhere") / file) == name


@pytest.mark.parametrize(("date_format", "written"), [("%d/%m/%Y", "30/09/2013"), ("%Y%m%d", "20130930")])
def test_a_made_config_keeps_the_date_format_it_was_made_with(tmp_path, date_format, written):
    data = tmp_path / "dates.csv"
    data.write_text(f"Date,Close\n{written},10\n")

    config = started(data, tmp_path, options=CsvOptions(date_format=date_format))

    assert config.data.date_format == date_format
    assert str(read_prices(config.data.path[0], options=config.data.csv_options).dates[0]) == "2013-09-30"


def test_what_is_no_price_file_gets_no_config(tmp_path):
    data = tmp_path / "prices.csv"
    data.write_text("Day,Price\n2018-01-02,10\n")

    with pytest.raises(DataError, match="no column Date"):
        starter_config(data, folder=tmp_path)


GERMAN = "Datum;Schluss\n03.04.2018;1.010,5\n04.04.2018;1.011,5\n"
SAID = ["data.separator=;", "data.decimal=,", "data.date_format=%d.%m.%Y"]


def test_a_made_config_keeps_all_that_was_said_about_reading(tmp_path):
    data = tmp_path / "german.csv"
    data.write_bytes(GERMAN.encode("utf-16"))
    columns = (("Date", "Datum"), ("Close", "Schluss"))
    said = CsvOptions(separator=";", decimal=",", date_format="%d.%m.%Y", encoding="utf-16", columns=columns)

    config = started(data, tmp_path, options=said)

    assert config.data.csv_options == said
    assert read_prices(data, options=config.data.csv_options).quoted.tolist() == [1010.5, 1011.5]


def test_a_tab_survives_the_config_it_is_written_to(tmp_path):
    data = tmp_path / "tabs.csv"
    data.write_text("Date\tClose\n2018-01-02\t10\n")
    assert started(data, tmp_path, options=CsvOptions(separator="\t")).data.csv_options.separator == "\t"


def test_a_csv_in_place_of_a_config_is_read_as_the_overrides_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("german.csv").write_text(GERMAN)
    config = load_config("german.csv", [*SAID, "training.epochs=3"])
    assert config.data.csv_options == CsvOptions(separator=";", decimal=",", date_format="%d.%m.%Y")
    assert config.training.epochs == 3


def test_init_writes_a_config_that_reads_as_the_overrides_say(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("german.csv").write_text(GERMAN)
    config_init([Path("german.csv")], None, None, SAID)
    assert load_config(Path("german.yaml")).data.csv_options == CsvOptions(
        separator=";", decimal=",", date_format="%d.%m.%Y"
    )
    with pytest.raises(StockcastError, match="date_format") as refused:
        config_init([Path("german.csv")], Path("other.yaml"), None, ["training.epochs=3"])
    assert refused.value.key == "training.epochs"


def file_of(path: Path, dates: np.ndarray) -> Path:
    path.write_text("\n".join(["Date,Close", *(f"{day},{10 + index % 7}" for index, day in enumerate(dates))]) + "\n")
    return path


EVERY_DAY = np.arange("2022-01-01", "2023-01-01", dtype="datetime64[D]")


def test_init_writes_the_calendar_that_the_dates_follow_and_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    config_init([file_of(Path("coin.csv"), EVERY_DAY)], None, None, None)
    assert load_config(Path("coin.yaml")).data.calendar == "24/7"
    said = capsys.readouterr().err
    assert "coin.csv: data.calendar is 24/7" in said
    assert "--calendar" in said


@pytest.mark.parametrize("given", [{"calendar": "XTAE"}, {"overrides": ["data.calendar=XTAE"]}])
def test_init_takes_a_calendar_in_place_of_the_one_of_the_dates(tmp_path, monkeypatch, capsys, given):
    monkeypatch.chdir(tmp_path)
    config_init([file_of(Path("coin.csv"), EVERY_DAY)], **given)
    assert load_config(Path("coin.yaml")).data.calendar == "XTAE"
    assert "data.calendar" not in capsys.readouterr().err


def test_init_refuses_a_calendar_that_does_not_exist_and_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as refused:
        config_init([file_of(Path("coin.csv"), EVERY_DAY)], calendar="XTAX")
    assert (refused.value.key, refused.value.value) == ("data.calendar", "XTAX")
    assert not Path("coin.yaml").exists()


def test_a_csv_in_place_of_a_config_gets_the_calendar_of_its_dates_or_of_the_overrides(tmp_path):
    data, said = file_of(tmp_path / "coin.csv", EVERY_DAY), []
    assert load_config(data, on_message=said.append).data.calendar == "24/7"
    assert [text.partition(",")[0] for text in said] == ["coin.csv: data.calendar is 24/7"]
    for overrides in (["data.calendar=XLON"], {"data.calendar": "XLON"}):
        assert load_config(data, overrides, on_message=said.append).data.calendar == "XLON"
    assert len(said) == 1


def test_the_options_that_refusals_name_lead_to_a_file_that_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("german.csv").write_text(GERMAN)
    with pytest.raises(DataError) as refused:  # the separator can only be one; the order of day and month cannot
        load_config("german.csv")
    named = [shlex.split(one)[0] for one in re.findall(r"--set ('[^']*'|[^\s)]+)", str(refused.value))]
    assert named == ["data.date_format=%m.%d.%Y", "data.date_format=%d.%m.%Y"]
    config = load_config("german.csv", named[1:])
    prices = read_prices(Path("german.csv"), options=config.data.csv_options)
    assert prices.quoted.tolist() == [1010.5, 1011.5]


def test_many_files_get_one_config_with_what_all_of_them_have(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "my stocks"
    price_file(folder / "short.csv", days=40)
    (folder / "broken.csv").write_text("Day,Price\n2018-01-02,10\n")
    messages: list[str] = []

    text = starter_config([folder, REPO / "data" / "GE.csv"], folder=tmp_path, on_message=messages.append)
    (tmp_path / "made.yaml").write_text(text)
    config = load_config(tmp_path / "made.yaml")

    assert config.data.path == (folder, REPO / "data" / "GE.csv")
    assert "2 series in 3 files; the longest: 8313 trading days, 1990-01-02 to 2022-12-28" in text
    assert {FEATURES[name].needs for name in config.features} == {("Close",)}
    assert config.name == "my-stocks"
    assert len(messages) == 2
    assert "broken.csv" in messages[0]
    assert "GE.csv" in messages[1]


def test_a_folder_in_place_of_a_config_is_trained_on_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    price_file(tmp_path / "quick" / "a.csv", days=40)
    price_file(tmp_path / "mine.2020" / "a.csv", days=40)

    assert load_config("mine.2020").data.path == (tmp_path / "mine.2020",)
    assert load_config("mine.2020").name == "mine.2020"
    assert load_config("quick").name == "quick"
    assert load_config("quick").data.path != (tmp_path / "quick",)
    assert load_config("./quick").data.path == (tmp_path / "quick",)


def test_of_many_files_that_cannot_be_read_there_is_no_config(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("Day,Price\n2018-01-02,10\n")

    with pytest.raises(DataError, match="None of 2 files"):
        starter_config(tmp_path, folder=tmp_path)
