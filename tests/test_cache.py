"""What a run computes once and keeps: forecasts are the same as without, and only new windows are asked about."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import commands
import numpy as np
import pytest
from made import QUICK, make_bars
from test_architecture import loaded_by

import stockcast as sc
from stockcast.config.load import load_config
from stockcast.data import calendar
from stockcast.data.calendar import Sessions, sessions_around
from stockcast.errors import DataError, RunError
from stockcast.forecasting import loading, predictor
from stockcast.forecasting.cache import CachedOutputs, cached_outputs
from stockcast.forecasting.dataset import SeriesDataset
from stockcast.forecasting.predictor import Predictor
from stockcast.models.onnx.session import load_onnx
from stockcast.runs import RunDirectory
from stockcast.runs.safe_io import sha256
from stockcast.typing import Floats

DAYS = 700


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a price file, a longer one, one with another past, and a run of the first."""
    folder = tmp_path_factory.mktemp("home")
    bars = make_bars(DAYS + 40)
    bars[:DAYS].to_csv(folder / "prices.csv", index=False)
    (folder / "later").mkdir()
    bars.to_csv(folder / "later" / "prices.csv", index=False)
    (folder / "other").mkdir()
    columns = ["Open", "High", "Low", "Close", "Adj Close"]
    bars.loc[DAYS - 30, columns] *= 1.01
    bars[:DAYS].to_csv(folder / "other" / "prices.csv", index=False)
    (folder / "earlier").mkdir()
    bars[:60].to_csv(folder / "earlier" / "prices.csv", index=False)
    (folder / "tiny.yaml").write_text(QUICK)
    commands.train(load_config(folder / "tiny.yaml"), runs=folder / "runs", name="tiny")
    return folder


@pytest.fixture
def asked(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many windows the network is asked about, call by call."""
    counts: list[int] = []
    network = load_onnx(home / "runs" / "tiny" / "model.onnx")

    def counting(inputs: Floats) -> Floats:
        counts.append(len(inputs))
        return network(inputs)

    monkeypatch.setattr(loading, "load_onnx", lambda *_, **__: counting)
    return counts


def predicted(home: Path, folder: str = ".", *, horizon: int | None = None) -> tuple[Floats, list[str]]:
    run = RunDirectory.find(home / "runs", "tiny")
    said = commands.predict(run, data=home / folder / "prices.csv", horizon=horizon, output=home / "out").forecast
    return said.quantiles, said.target_dates[0].astype(str).tolist()  # type: ignore[union-attr]


def test_the_network_is_asked_about_the_newest_day_alone(home: Path, asked: list[int]) -> None:
    predicted(home)
    assert asked == [1]


def test_of_a_newer_file_it_is_asked_about_the_days_that_are_new(home: Path, asked: list[int]) -> None:
    predicted(home, "later")
    assert asked == [41]  # the last row of the old file is among them


def test_where_a_past_price_has_changed_it_is_asked_again_from_there_on(home: Path, asked: list[int]) -> None:
    predicted(home, "other")
    assert asked == [30]  # the return of the day that changed is the first input that is another


def test_a_shorter_horizon_is_the_beginning_of_the_whole_one(home: Path, asked: list[int]) -> None:
    whole, _ = predicted(home)
    short, _ = predicted(home, horizon=2)
    np.testing.assert_array_equal(short, whole[:, :2])
    assert asked == [1, 1]


@pytest.mark.parametrize("folder", [".", "later", "other", "earlier"])
def test_the_forecast_is_the_one_without(folder: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quantiles, dates = predicted(home, folder)
    monkeypatch.setattr(predictor, "cached_outputs", lambda *_: None)
    monkeypatch.setattr(RunDirectory, "sessions", lambda _: None)
    monkeypatch.setattr("stockcast.data.calendar._KNOWN", {})
    expected, days = predicted(home, folder)
    np.testing.assert_allclose(quantiles, expected, rtol=1e-6)  # windows come in other batches
    assert dates == days


def test_a_forecast_needs_no_calendar_to_be_built(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    monkeypatch.delenv("STOCKCAST_RUNS", raising=False)
    loaded = loaded_by("predict", "tiny", "--no-plot", "--json", "-q")
    assert loaded.isdisjoint({"exchange_calendars", "matplotlib", "rich", "sklearn", "arch", "keras", "tensorflow"})


def copied(home: Path, folder: Path, *, days: list[str] | None) -> RunDirectory:
    """The run again, as somebody may hand it on: with these days in its sessions.json, or, for None, without any."""
    run = RunDirectory(shutil.copytree(home / "runs" / "tiny", folder))
    manifest = json.loads((run.path / "run.json").read_text())
    stored = run.path / "sessions.json"
    if days is None:
        stored.unlink()
        del manifest["files"]["sessions.json"]
    else:
        stored.write_text(json.dumps({**json.loads(stored.read_text()), "days": days}))
        manifest["files"]["sessions.json"] = sha256(stored)
    (run.path / "run.json").write_text(json.dumps(manifest))
    return run


@pytest.mark.parametrize("keeps", [True, False], ids=["with sessions of its own", "without"])
def test_doctored_sessions_of_one_run_change_nothing_that_another_forecasts(
    keeps: bool, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stockcast.data.calendar._KNOWN", {})  # as in a process that has asked for no day yet
    days = json.loads((home / "runs" / "tiny" / "sessions.json").read_text())["days"]
    last = days.index("2012-09-07")
    assert days[last + 1 : last + 5] == ["2012-09-10", "2012-09-11", "2012-09-12", "2012-09-13"]
    doctored = copied(home, tmp_path / "doctored", days=[*days[: last - 60], days[last], *days[last + 2 :]])
    other = copied(home, tmp_path / "other", days=days if keeps else None)

    def forecast(run: RunDirectory) -> tuple[list[str], list[str], Floats]:
        told: list[str] = []
        said = commands.predict(run, say=told.append)
        misfits = [sentence for sentence in told if "are not XNYS trading sessions" in sentence]
        return said.forecast.target_dates[0].astype(str).tolist(), misfits, said.forecast.quantiles  # type: ignore[union-attr]

    dates, misfits, _ = forecast(doctored)
    assert dates == ["2012-09-11", "2012-09-12", "2012-09-13"]  # its own forecast follows what it stores
    assert misfits
    dates, misfits, quantiles = forecast(other)
    assert dates == ["2012-09-10", "2012-09-11", "2012-09-12"]
    assert not misfits
    np.testing.assert_array_equal(quantiles, forecast(RunDirectory.find(home / "runs", "tiny"))[2])
    first, end = np.datetime64("2012-06-01"), np.datetime64("2012-09-13")
    whole = sessions_around(first, end, calendar="XNYS").between(first, end).astype(str).tolist()
    assert whole == [day for day in days if str(first) <= day <= str(end)]


def test_sessions_of_another_version_of_the_library_are_worked_out_anew(home: Path) -> None:
    sessions = sessions_around(np.datetime64("2018-01-01"), np.datetime64("2018-12-31"), calendar="XNYS")
    stored = sessions.to_json()
    assert Sessions.from_json({**stored, "exchange_calendars": "0.1"}) is None


def test_sessions_come_back_from_plain_text_as_they_were() -> None:
    sessions = sessions_around(np.datetime64("2018-01-01"), np.datetime64("2018-12-31"), calendar="XNYS")
    back = Sessions.from_json(sessions.to_json())
    assert back is not None
    np.testing.assert_array_equal(back.days, sessions.days)
    assert replace(back, days=0) == replace(sessions, days=0)  # type: ignore[arg-type]


def test_days_beyond_those_that_a_run_keeps_are_the_librarys() -> None:
    first, last = np.datetime64("2018-12-01"), np.datetime64("2019-01-31")
    whole = sessions_around(first, last, calendar="XNYS")
    days = whole.days[(whole.days >= first) & (whole.days <= np.datetime64("2018-12-20"))]
    known = replace(whole, first=first, last=np.datetime64("2018-12-20"), days=days)
    # 3 December 2018 was a Monday. A day of mourning, Christmas, New Year and Martin Luther King's day are no sessions.
    day = np.datetime64("2018-12-03")
    assert len(sessions_around(day, last, calendar="XNYS", known=known).between(day, last)) == 19 + 21


def test_answers_of_windows_that_are_longer_ago_than_what_is_kept_are_asked_for(home: Path) -> None:
    run = RunDirectory.find(home / "runs", "tiny")
    cached = cached_outputs(run, load_config(run.config_path()))
    assert cached is not None
    counts: list[int] = []

    def network(inputs: Floats) -> Floats:
        counts.append(len(inputs))
        return np.zeros((len(inputs), 3, 3), dtype=np.float32)

    days = len(cached.dates)
    early = np.datetime64("2010-01-01") + np.arange(50)
    dates = np.concatenate([early, cached.dates])
    scaled = np.concatenate([np.zeros((50, 2), dtype=np.float32), cached.inputs])
    dataset = replace(_dataset(home), scaled=scaled, target_prices=np.ones(len(scaled)))
    found = cached.complete(network, dataset, dates, np.arange(20, 50 + days), steps=3)
    assert counts == [30 + days]
    assert not found.any()


def test_answers_to_fewer_steps_than_are_asked_for_do_not_do(home: Path) -> None:
    run = RunDirectory.find(home / "runs", "tiny")
    cached = cached_outputs(run, load_config(run.config_path()))
    assert cached is not None
    short = CachedOutputs(cached.dates, cached.inputs, cached.outputs[:, :2])
    dataset = replace(_dataset(home), scaled=cached.inputs, target_prices=np.ones(len(cached.dates)))
    asked: list[int] = []

    def network(inputs: Floats) -> Floats:
        asked.append(len(inputs))
        return np.zeros((len(inputs), 3, 3), dtype=np.float32)

    short.complete(network, dataset, cached.dates, np.arange(4, len(cached.dates)), steps=3)
    assert asked == [len(cached.dates) - 4]


def _dataset(home: Path) -> SeriesDataset:
    loaded = Predictor.load(RunDirectory.find(home / "runs", "tiny"))
    return loaded.dataset(loaded.read_as_trained())


def test_a_calendar_that_begins_after_the_prices_is_told_by_predict(tmp_path: Path) -> None:
    bars = make_bars(DAYS)  # 2010 to 2012; the exchange of Riyadh is known from 2021 on
    bars.to_csv(tmp_path / "prices.csv", index=False)
    (tmp_path / "tiny.yaml").write_text(QUICK.replace("prices.csv", "prices.csv, calendar: XSAU"))
    run = commands.train(load_config(tmp_path / "tiny.yaml"), runs=tmp_path / "runs", name="early").run
    assert not (run.path / "sessions.json").exists()
    with pytest.raises(DataError, match="is known from 2021-01-01"):
        commands.predict(run)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"days": ["2018-01-02", "x"]}, "damaged"),
        ({"first": None}, "damaged"),
        ({"days": ["2018-01-03", "2018-01-03"]}, "must rise"),
        ({"first": "2018-01-01", "days": ["1999-01-04"]}, "must rise"),
    ],
)
def test_sessions_that_are_none_are_refused(change: dict[str, object], words: str) -> None:
    stored = sessions_around(np.datetime64("2018-01-01"), np.datetime64("2018-12-31"), calendar="XNYS").to_json()
    with pytest.raises(RunError, match=words):
        Sessions.from_json({**stored, **change})


def test_stored_sessions_do_not_depend_on_what_the_process_has_looked_up_before(
    write_tiny: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_config(write_tiny(config=QUICK))
    monkeypatch.setattr(calendar, "_KNOWN", {})
    fresh = sc.train(config, runs=tmp_path, name="fresh")
    monkeypatch.setattr(calendar, "_KNOWN", {})
    sessions_around(np.datetime64("1995-01-01"), np.datetime64("2019-06-01"), calendar="XNYS")
    later = sc.train(config, runs=tmp_path, name="later")
    assert (later.path / "sessions.json").read_bytes() == (fresh.path / "sessions.json").read_bytes()
