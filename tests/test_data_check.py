"""`stockcast data check` as a user meets it."""

import json
from collections.abc import Callable
from pathlib import Path

import commands
import numpy as np
import pandas as pd
import pytest
from commands import check
from made import QUICK, REPOSITORY, make_bars
from program import stockcast
from test_architecture import loaded_by

from stockcast.config.load import load_config
from stockcast.config.starter import starter_config
from stockcast.data.calendar import sessions_after
from stockcast.data.split import PARTS, split_days
from stockcast.errors import ConfigError, DataError
from stockcast.forecasting.reading import files_in, read_to_forecast
from stockcast.forecasting.training_data import read_training_prices


def session_bars(days: int = 700) -> pd.DataFrame:
    """Made-up bars on New York's sessions from 2010-01-04 on."""
    dates = sessions_after(np.datetime64("2010-01-03"), days, calendar="XNYS")
    return make_bars(days).assign(Date=dates.astype(str))


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(bars: pd.DataFrame, name: str = "prices.csv") -> Path:
        bars.to_csv(tmp_path / name, index=False)
        return tmp_path / name

    return write


@pytest.fixture
def odd(write: Callable[..., Path]) -> Path:
    """A file with a session missing (2010-01-11) and a day without volume."""
    bars = session_bars().drop(index=5)
    bars.loc[7, "Volume"] = 0
    return write(bars, "odd.csv")


def test_a_start_long_before_the_file_is_one_of_its_warnings(write: Callable[..., Path]) -> None:
    found = check(write(session_bars()), overrides=["data.start=2000-01-03"])
    assert "- the first day is 2010-01-04, 10 years after data.start 2000-01-03" in found.summary()
    assert found.warnings == check(write(session_bars())).warnings + 1


def test_a_file_of_a_thousand_days_in_order_is_fit_to_train_on_and_one_of_fewer_is_called_short(write):
    long = check(write(session_bars(1000)))
    assert (long.summary()[-1], long.advised) == ("Fit to train on.", None)
    short = check(write(session_bars(999)))
    assert "999 days are enough for a window of 50 and a horizon of 10" in short.summary()[-1]
    assert (short.to_json()["advised"], short.warnings) == (1000, 0)


def test_a_file_in_order_can_be_trained_on(write):
    done = stockcast("data", "check", "prices.csv", cwd=write(session_bars()).parent)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "prices.csv: 700 days, 2010-01-04 to 2012-10-10",
        "Columns: Open, High, Low, Close, Adj Close, Volume",
        "Can be trained on, but is short: 700 days are enough for a window of 50 and a horizon of 10, and a good start "
        "is 1000 days or more.",
    ]


def test_what_was_repaired_and_what_is_suspicious_is_reported_and_counted(odd):
    done = stockcast("data", "check", "odd.csv", cwd=odd.parent)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[2:] == [
        "While reading:",
        "- 1 row with Volume of zero or less, counted as missing",
        "Looks odd:",
        "- 1 session of XNYS is missing: 2010-01-11",
        "Can be trained on, with 2 warnings, but is short: 699 days are enough for a window of 50 and a horizon of 10, "
        "and a good start is 1000 days or more.",
    ]


@pytest.mark.parametrize("calendar", ["XTAE", "ASEX", "XBEL", "XBSE", "XCYS"])
def test_a_file_is_checked_against_calendars_of_jewish_and_orthodox_holidays(write, calendar):
    done = check(write(session_bars()), overrides=[f"data.calendar={calendar}"])
    assert any(f"not {calendar} trading sessions" in sentence for sentence in done.summary())


def test_json_is_one_document_with_every_finding(odd):
    done = stockcast("data", "check", "odd.csv", "--json", cwd=odd.parent)
    report = json.loads(done.stdout)

    assert done.returncode == 0
    assert (report["usable"], report["rows"], report["warnings"], report["problems"]) == (True, 699, 2, [])
    assert report["findings"] == [
        {
            "kind": "sessions_missing",
            "count": 1,
            "days": ["2010-01-11"],
            "sentence": "1 session of XNYS is missing: 2010-01-11",
            "factors": [],
            "is_damage": False,
        }
    ]


def test_a_file_that_cannot_be_used_is_refused_with_line_and_exit_code(tmp_path):
    (tmp_path / "bad.csv").write_text("Date,Close\n2018-01-02,10\n2018-01-03,$12\n")

    done = stockcast("data", "check", "bad.csv", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert "bad.csv, line 3, Close '$12'" in done.stderr
    assert "Traceback" not in done.stderr


def test_json_says_why_a_file_is_refused_and_still_exits_with_one(tmp_path):
    (tmp_path / "bad.csv").write_text("Date,Close\n2018-01-02,-10\n2018-01-03,$12\n2018-01-04,x\n")

    done = stockcast("data", "check", "bad.csv", "--json", cwd=tmp_path)
    report = json.loads(done.stdout)

    assert done.returncode == 1
    assert report["usable"] is False
    assert [problem.partition(":")[0] for problem in report["problems"]] == [
        "bad.csv, line 2, Close '-10.0'", "bad.csv, line 3, Close '$12'", "bad.csv, line 4, Close 'x'",
    ]  # fmt: skip


def test_the_exchange_and_the_reading_keys_can_be_given(tmp_path):
    rows = "\n".join(f"{day:02}/03/2018,{day + 10}" for day in range(1, 31))  # every day of March
    (tmp_path / "every.csv").write_text(f"Date,Close\n{rows}\n")
    given = ["--set", "data.date_format='%d/%m/%Y'", "--json"]

    around_the_clock = stockcast("data", "check", "every.csv", "--calendar", "24/7", *given, cwd=tmp_path)
    new_york = stockcast("data", "check", "every.csv", "--calendar", "XNYS", *given, cwd=tmp_path)

    assert json.loads(around_the_clock.stdout)["findings"] == []
    (finding,) = json.loads(new_york.stdout)["findings"]
    assert (finding["kind"], finding["count"]) == ("no_session", 9)  # eight days of weekends and Good Friday


def test_an_unknown_exchange_is_refused_with_the_nearest(write):
    done = stockcast("data", "check", "prices.csv", "--calendar", "NYSEE", cwd=write(session_bars()).parent)

    assert done.returncode == 1
    assert "NYSE" in done.stderr


def test_another_file_cannot_be_slipped_in(write):
    with pytest.raises(ConfigError) as error:
        check(write(session_bars()), overrides=["data.path=other.csv"])
    assert "data.path" in str(error.value)


def test_a_check_loads_neither_deep_learning_nor_pictures(write):
    loaded = loaded_by("data", "check", str(write(session_bars())))

    assert loaded.isdisjoint({"tensorflow", "keras", "torch", "jax", "sklearn", "matplotlib", "onnxruntime"})


def test_a_file_is_too_short_just_where_the_config_made_for_it_has_no_room(write, tmp_path):
    # calibration takes a tenth and needs 10 days for the first forecast and one more for each of the others
    shortage = check(write(session_bars(100), "short.csv")).shortage
    assert shortage is not None
    days, needed = (int(word) for word in shortage.replace(";", "").split() if word.isdigit() and int(word) > 99)
    assert (days, shortage.split(";")[0]) == (100, "100 days")

    assert check(write(session_bars(needed - 1), "still.csv")).shortage is not None
    enough = write(session_bars(needed), "enough.csv")
    assert check(enough).shortage is None

    (tmp_path / "made.yaml").write_text(starter_config(enough, folder=tmp_path))
    config = load_config(tmp_path / "made.yaml")
    split = split_days(np.arange(needed).astype("datetime64[D]"), **dict(config.split))
    for part in PARTS:
        assert len(split.origins(part, window=config.window, horizon=config.horizon))


def test_a_short_file_can_be_read_and_the_report_says_what_it_lacks(write):
    done = stockcast("data", "check", "short.csv", cwd=write(session_bars(100), "short.csv").parent)

    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("Can be read, but is too short to train on: 100 days; at least ")


def test_a_training_tells_what_looks_odd_once_and_keeps_it_in_the_run(odd):
    (odd.parent / "tiny.yaml").write_text(QUICK.replace("prices.csv", "odd.csv"))
    said: list[str] = []

    trained = commands.train(load_config(odd.parent / "tiny.yaml"), runs=odd.parent / "runs", say=said.append)

    notes = ["1 row with Volume of zero or less, counted as missing", "1 session of XNYS is missing: 2010-01-11"]
    assert said == [f"odd.csv: {note}." for note in notes]
    assert trained.run.manifest()["data"]["notes"] == notes
    again: list[str] = []
    commands.predict(trained.run, say=again.append)
    assert not any("session of XNYS" in sentence for sentence in again)


def test_dates_far_off_new_york_choose_the_calendar_unless_one_is_given(write: Callable[..., Path]) -> None:
    every_day = pd.date_range("2015-01-01", periods=700).astype(str)
    path = write(make_bars(700).assign(Date=every_day))
    found = check(path)
    assert found.quality.findings == ()
    assert "Calendar: 24/7, chosen by the dates: 200 of the last 700 dates are Saturdays and Sundays" in found.summary()
    assert found.to_json()["calendar"] == "24/7"
    given = check(path, overrides=["data.calendar=XNYS"])
    assert [finding.kind for finding in given.quality.findings] == ["no_session"]


@pytest.mark.parametrize(("step", "frequency"), [("W-FRI", "weekly"), ("BMS", "monthly")])
def test_bars_of_weeks_and_months_are_judged_as_such_and_do_not_pass_as_days(
    step: str, frequency: str, write: Callable[..., Path]
) -> None:
    dates = pd.date_range("1990-01-05", periods=400, freq=step)
    path = write(make_bars(400).assign(Date=dates.astype(str)))
    assert check(path).prices.frequency.name == frequency
    with pytest.raises(DataError) as error:
        check(path, overrides=["data.frequency=daily"])
    assert (error.value.column, error.value.key, error.value.value) == ("Date", "data.frequency", frequency)


@pytest.fixture
def spiked(write: Callable[..., Path]) -> Path:
    """A file whose closes are a hundred times too high on 2010-05-27 (row 100) alone."""
    bars = session_bars()
    bars.loc[100, ["Open", "High", "Low", "Close", "Adj Close"]] *= 100
    return write(bars, "spiked.csv")


def test_a_damaged_file_is_not_fit_to_train_on(spiked: Path) -> None:
    checked = check(spiked)
    assert "looks damaged" in checked.summary()[-1]
    assert "--accept-damage" in checked.summary()[-1]
    report = checked.to_json()
    assert (report["damaged"], report["findings"][0]["days"]) == (True, ["2010-05-27"])
    assert report["findings"][0]["factors"] == pytest.approx([100], rel=0.1)


def test_a_training_refuses_damage_by_file_day_and_way_out_and_writes_nothing(spiked: Path) -> None:
    (spiked.parent / "tiny.yaml").write_text(QUICK.replace("prices.csv", "spiked.csv"))

    done = stockcast("train", "tiny.yaml", cwd=spiked.parent)

    assert done.returncode == 1
    for word in ("spiked.csv", "2010-05-27", "100 times", "--accept-damage"):
        assert word in done.stderr
    assert not (spiked.parent / "runs").exists()


def test_a_training_takes_damage_that_is_accepted_and_the_run_records_it(spiked: Path) -> None:
    (spiked.parent / "tiny.yaml").write_text(QUICK.replace("prices.csv", "spiked.csv"))
    done = stockcast("train", "tiny.yaml", "--accept-damage", "--name", "kept", cwd=spiked.parent)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((spiked.parent / "runs/kept/run.json").read_text())
    assert load_config(spiked.parent / "runs/kept/config.yaml").data.accept_damage
    assert any("2010-05-27" in note for note in manifest["data"]["notes"])


def test_damage_outside_the_chosen_days_is_none(spiked: Path) -> None:
    assert not check(spiked, overrides=["data.start=2010-06-01"]).is_damaged
    assert not check(spiked, overrides=["data.end=2010-05-26"]).is_damaged


def test_a_hidden_file_of_a_folder_is_not_read(write: Callable[..., Path], tmp_path: Path) -> None:
    write(session_bars(), "GOOD.csv")
    (tmp_path / ".partial-7-TORN.csv").write_text("Date,Cl")  # as a killed download leaves it
    assert files_in(tmp_path, key="--data") == [tmp_path / "GOOD.csv"]


def test_the_bad_files_of_a_folder_are_named_together(spiked: Path, odd: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.csv").write_text("Date,Close\n2018-01-02,10\n2018-01-03,$12\n")
    (tmp_path / "many.yaml").write_text(QUICK.replace("prices.csv", "."))
    config = load_config(tmp_path / "many.yaml", ["model.head=student_t", "features=[log_return]"])
    with pytest.raises(DataError) as error:
        read_training_prices(config, lambda _: None)
    first, *others, advice = str(error.value).splitlines()
    assert first == "2 of 3 price files cannot be used:"
    assert "data.refuse_at_most" in advice
    assert [("broken.csv, line 3" in line, "spiked.csv" in line) for line in others] == [(True, False), (False, True)]
    assert (Path(error.value.file or "").name, error.value.line) == ("broken.csv", 3)


def test_a_single_day_is_nothing_to_train_on_or_forecast_from(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("Date,Close\n2018-01-02,10\n")
    done = stockcast("data", "check", "one.csv", "--json", cwd=tmp_path)
    assert (done.returncode, json.loads(done.stdout)["usable"]) == (1, False)
    assert "2018-01-02" in done.stderr


def test_a_report_is_readable_on_forty_columns(odd):
    done = stockcast("data", "check", "odd.csv", cwd=odd.parent, COLUMNS="40", TERM="dumb")

    assert done.returncode == 0
    assert "- 1 session of XNYS is missing: 2010-01-11" in done.stdout


def test_the_shipped_sp500_is_fit_without_a_warning():
    assert check(REPOSITORY / "data" / "SP500.csv").warnings == 0


def test_of_several_files_each_has_a_line_and_a_bad_one_its_reason(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    make_bars(1200).to_csv(tmp_path / "folder" / "GOOD.csv", index=False)
    make_bars(300).to_csv(tmp_path / "folder" / "SHORT.csv", index=False)
    (tmp_path / "bad.csv").write_text("Date,Close\n2018-01-02,twelve\n")
    done = stockcast("data", "check", "folder", "bad.csv", cwd=tmp_path)
    assert done.returncode == 1
    good, short, bad = done.stdout.splitlines()
    assert good.startswith("GOOD.csv: 1200 days, 2010-01-04 to ")
    assert short.startswith("SHORT.csv: 300 days, ")
    assert bad.startswith("bad.csv: cannot be used. ")
    assert "1 of 3 files cannot be used." in done.stderr
    document = json.loads(stockcast("data", "check", "folder", "bad.csv", "--json", cwd=tmp_path).stdout)
    assert [file["usable"] for file in document["files"]] == [True, True, False]


def test_a_forecast_repeats_three_notes_on_a_file_and_counts_the_others(write):
    bars = session_bars(300)
    bars.loc[10, "Volume"] = 0
    bars.loc[20, "Close"] = 1.01 * bars.loc[20, "High"]
    bars.loc[30, "Open"] = 0
    bars.loc[40, "Close"] = None
    path = write(pd.concat([bars, bars.iloc[[50]]]))
    notes = check(path).prices.notes
    assert len(notes) == 6
    messages: list[str] = []
    config = load_config("quick", [f"data.path={path}", "data.start=null"])
    read_to_forecast(config, path, on_message=messages.append)
    more = "3 more notes on how it was read, which `stockcast data check` lists"
    assert messages == [f"{path.name}: {note}." for note in (*notes[:3], more)]
