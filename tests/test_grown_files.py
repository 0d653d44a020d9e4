"""Time goes on: a price file that has grown is the same series, and only rows that were changed are refused."""

import hashlib
import io
import json
import shutil
from datetime import date
from pathlib import Path

import commands
import numpy as np
import pandas as pd
import pytest
from made import QUICK, make_bars

import stockcast as sc
from stockcast.config.load import load_config
from stockcast.errors import DataError, NotEnoughDays, RunError
from stockcast.forecasting.stored_closes import stored_closes
from stockcast.runs import RunDirectory

pytestmark = pytest.mark.slow

DAYS = 400
BARS = make_bars(DAYS + 60)
NEW = BARS["Date"][DAYS]  # the first day that came after the training


def write(path: Path, days: int, **changes: float) -> Path:
    """Write the first days of the series, some closes of which are others."""
    bars = BARS.iloc[:days].copy()
    for day, close in changes.items():
        bars.loc[bars["Date"] == day, ["Open", "High", "Low", "Close", "Adj Close"]] = close
    path.parent.mkdir(exist_ok=True)
    bars.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("grown")
    write(home / "prices.csv", DAYS)
    (home / "quick.yaml").write_text(QUICK)
    commands.train(load_config(home / "quick.yaml"), runs=home / "runs", name="mine")
    return home


@pytest.fixture
def home(trained: Path) -> Path:
    """The run and its price file as training left them."""
    write(trained / "prices.csv", DAYS)
    for folder in (*(trained / "runs" / "mine").glob("evaluation*"), trained / "runs" / "mine" / "predictions"):
        shutil.rmtree(folder, ignore_errors=True)
    return trained


@pytest.fixture
def run(home: Path) -> RunDirectory:
    return RunDirectory.find(home / "runs", "mine")


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_file_that_has_grown_is_scored_on_the_run_s_own_test_days_as_before(home: Path, run: RunDirectory) -> None:
    before = commands.evaluate(run)
    write(home / "prices.csv", DAYS + 30)
    messages: list[str] = []
    for source in (None, home / "prices.csv"):
        after = commands.evaluate(run, data=source, say=messages.append)
        assert after.metrics["horizons"] == before.metrics["horizons"]
        assert after.folder == before.folder == run.path / "evaluation"
    last = BARS["Date"][DAYS + 29]
    expected = f"has grown since mine was trained: 30 days, {NEW} to {last}, are not among its test days. --from {NEW}"
    assert any(expected in message for message in messages), messages


def test_new_days_are_scored_in_a_folder_of_their_period_and_the_run_s_own_scores_stay(
    home: Path, run: RunDirectory
) -> None:
    own = commands.evaluate(run).folder
    before = contents(own)
    folders = []
    for days in (DAYS + 30, DAYS + 60):
        write(home / "prices.csv", days)
        found = commands.evaluate(run, start=date.fromisoformat(NEW))
        last = BARS["Date"][days - 1]
        assert found.folder.name == f"evaluation-test-from-{NEW}-to-{last}"
        assert (found.metrics["split"]["first_origin"], found.metrics["split"]["last_target"]) == (
            BARS["Date"][DAYS - 1],
            last,
        )
        folders.append(found.folder)
    assert folders[0].is_dir()
    assert contents(own) == before


def test_a_file_that_has_grown_is_forecast_and_explained_as_the_series_of_the_training(
    home: Path, run: RunDirectory
) -> None:
    write(home / "prices.csv", DAYS + 30)
    messages: list[str] = []
    found = commands.predict(run, say=messages.append)
    assert str(found.forecast.origin_dates[0]) == BARS["Date"][DAYS + 29]
    assert not [message for message in messages if "trained" in message]
    explained = commands.explain(run, say=messages.append)
    assert str(explained.dates[-1]) == BARS["Date"][DAYS + 29]
    copy = write(home / "moved" / "newer.csv", DAYS + 30)
    same = commands.predict(run, data=copy)
    np.testing.assert_array_equal(same.forecast.quantiles, found.forecast.quantiles)
    scored = commands.evaluate(run, data=copy)
    assert scored.metrics["split"]["last_target"] == BARS["Date"][DAYS - 1]


def test_changed_rows_are_refused_with_their_dates_and_both_prices(home: Path, run: RunDirectory) -> None:
    early, late = BARS["Date"][100], BARS["Date"][DAYS - 3]
    write(home / "prices.csv", DAYS + 30, **{early: 50.0, late: 60.0})
    with pytest.raises(RunError) as refused:
        commands.evaluate(run)
    then = {day: f"{BARS.loc[BARS['Date'] == day, 'Close'].item():,.2f}" for day in (early, late)}
    assert refused.value.value == [f"{early} was {then[early]} and is 50.00", f"{late} was {then[late]} and is 60.00"]
    assert refused.value.file == str(home / "prices.csv")
    messages: list[str] = []
    commands.predict(run, say=messages.append)  # as another series
    assert any(f"{early} was {then[early]} and is 50.00" in message for message in messages)


def test_a_volume_that_was_changed_is_a_changed_row_too(home: Path, run: RunDirectory) -> None:
    bars = BARS.iloc[: DAYS + 30].copy()
    bars.loc[250, "Volume"] += 1
    bars.to_csv(home / "prices.csv", index=False)
    with pytest.raises(RunError) as refused:
        commands.evaluate(run)
    assert refused.value.value == [f"{BARS['Date'][250]} has the same close, and another price or volume"]


def test_rows_that_are_gone_or_new_between_the_others_are_refused(home: Path, run: RunDirectory) -> None:
    bars = BARS.iloc[: DAYS + 30].drop(index=[200])
    saturday = "2010-06-05"
    extra = bars.iloc[[50]].assign(Date=saturday)
    pd.concat([bars, extra]).sort_values("Date").to_csv(home / "prices.csv", index=False)
    with pytest.raises(RunError) as refused:
        commands.evaluate(run)
    assert refused.value.value == [f"{saturday} was not there", f"{BARS['Date'][200]} is no longer there"]


def test_a_run_that_stores_no_closes_takes_only_the_very_file(home: Path, run: RunDirectory, tmp_path: Path) -> None:
    older = RunDirectory(Path(shutil.copytree(run.path, tmp_path / "older")))
    (older.path / "closes.npz").unlink()
    manifest = json.loads((older.path / "run.json").read_text())
    del manifest["files"]["closes.npz"]
    (older.path / "run.json").write_text(json.dumps(manifest))
    assert commands.evaluate(older).metrics["horizons"] == commands.evaluate(run).metrics["horizons"]
    write(home / "prices.csv", DAYS + 30)
    with pytest.raises(RunError, match="has changed since older was trained"):
        commands.evaluate(older)


def with_closes(run: RunDirectory, copy: Path, content: bytes) -> RunDirectory:
    """A copy of the run whose closes.npz is this, and whose run.json knows it."""
    changed = RunDirectory(Path(shutil.copytree(run.path, copy)))
    (changed.path / "closes.npz").write_bytes(content)
    manifest = json.loads((changed.path / "run.json").read_text())
    manifest["files"]["closes.npz"] = hashlib.sha256(content).hexdigest()
    (changed.path / "run.json").write_text(json.dumps(manifest))
    return changed


def test_stored_closes_that_anybody_may_have_made_are_damaged_and_no_traceback(
    run: RunDirectory, tmp_path: Path
) -> None:
    prices = sc.read_prices(Path(run.trained_on()[0].path))
    (stored,) = stored_closes(run) or ()
    assert stored.changes(prices) == ()
    day = {"dates": stored.dates[:1], "closes": stored.closes[:1], "checksums": stored.checksums[:1]}
    of_days = [np.array([2]), np.array([[1]]), np.array([0, 1]), np.array([-1, 2]), np.array([2**62])]
    contents = [
        b"",
        b"PK",
        *map(lambda days: packed(days=days, **day), of_days),
        packed(days=np.array([1]), dates=day["dates"]),
    ]
    for number, content in enumerate(contents):
        with pytest.raises(RunError, match="damaged"):
            stored_closes(with_closes(run, tmp_path / str(number), content))


def packed(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def test_days_after_data_end_are_scored_where_a_first_day_among_them_is_chosen(home: Path, tmp_path: Path) -> None:
    write(home / "prices.csv", DAYS + 60)
    config = load_config(home / "quick.yaml", [f"data.end={BARS['Date'][DAYS - 1]}"])
    run = commands.train(config, runs=tmp_path / "runs", name="ended").run
    assert commands.evaluate(run).metrics["split"]["last_target"] == BARS["Date"][DAYS - 1]
    found = commands.evaluate(run, start=date.fromisoformat(NEW))
    assert found.metrics["split"]["last_target"] == BARS["Date"][DAYS + 59]


def test_a_first_day_without_a_session_is_the_next_session(home: Path, run: RunDirectory) -> None:
    own = commands.evaluate(run)
    border = date.fromisoformat(own.metrics["split"]["first_origin"])  # the day before the first test day
    test = BARS["Date"][BARS["Date"].tolist().index(str(border)) + 1]
    assert commands.evaluate(run, start=date.fromisoformat(test)).folder == own.folder
    friday = next(day for day in map(date.fromisoformat, BARS["Date"][330:]) if day.weekday() == 4)
    assert str(friday) > test
    names = {
        commands.evaluate(run, start=date.fromordinal(friday.toordinal() + days)).folder.name for days in (1, 2, 3)
    }
    assert names == {f"evaluation-test-from-{date.fromordinal(friday.toordinal() + 3)}"}


def test_a_weekend_before_the_test_days_is_not_refused_where_they_begin_on_monday(home: Path, tmp_path: Path) -> None:
    monday = next(day for day in map(date.fromisoformat, BARS["Date"][330:]) if day.weekday() == 0)
    config = load_config(home / "quick.yaml", [f"split.test={monday}"])
    run = commands.train(config, runs=tmp_path / "runs", name="monday").run
    own = commands.evaluate(run)
    sunday, friday = (date.fromordinal(monday.toordinal() - days) for days in (1, 3))
    assert commands.evaluate(run, start=sunday).folder == own.folder
    with pytest.raises(RunError) as refused:
        commands.evaluate(run, start=friday)
    assert f"up to {friday}, and its test days begin on {monday}" in str(refused.value)
    assert f"--from {monday}" in str(refused.value)


def test_a_first_day_beyond_the_data_is_answered_with_their_last_day(run: RunDirectory) -> None:
    with pytest.raises(
        NotEnoughDays, match=f"--from 2031-01-02 is after the last .* of prices.csv, {BARS['Date'][DAYS - 1]}"
    ):
        commands.evaluate(run, start=date(2031, 1, 2))


def test_a_day_to_explain_that_is_none_is_answered_with_those_on_either_side(run: RunDirectory) -> None:
    with pytest.raises(DataError, match="on either side are 2010-06-04 and 2010-06-07"):
        commands.explain(run, day=date(2010, 6, 5))


def test_files_of_one_name_with_other_content_have_evaluations_of_their_own(home: Path, run: RunDirectory) -> None:
    bars = {folder: make_bars(DAYS + 20, seed=seed) for folder, seed in (("one", 5), ("two", 6))}
    files = {folder: home / folder / "LOW.csv" for folder in bars}
    for folder, file in files.items():
        file.parent.mkdir(exist_ok=True)
        bars[folder][:DAYS].to_csv(file, index=False)
    first = commands.evaluate(run, data=files["one"]).folder
    before = contents(first)
    second = commands.evaluate(run, data=files["two"])
    assert first.name == "evaluation-test-LOW"
    assert second.folder.name == f"evaluation-test-LOW-{second.metrics['data']['sha256'][:8]}"
    assert contents(first) == before
    assert commands.evaluate(run, data=files["two"]).folder == second.folder
    assert commands.evaluate(run, data=files["one"]).folder == first
    same = home / "three" / "LOW.csv"  # other bytes, the same content
    same.parent.mkdir(exist_ok=True)
    same.write_text(files["one"].read_text().replace("\n", "\r\n"))
    assert commands.evaluate(run, data=same).folder == first
    bars["one"].to_csv(files["one"], index=False)
    last = bars["one"]["Date"].iloc[-1]
    assert commands.evaluate(run, data=files["one"]).folder.name == f"evaluation-test-LOW-to-{last}"


def test_results_of_other_content_never_share_a_folder(home: Path, run: RunDirectory) -> None:
    first = run.folder_for("predictions/LOW-2020-01-02", "a" * 64)
    assert first == run.path / "predictions" / "LOW-2020-01-02"
    second = run.folder_for("predictions/LOW-2020-01-02", "b" * 64)
    assert second.name == "LOW-2020-01-02-bbbbbbbb"
    assert run.folder_for("predictions/LOW-2020-01-02", "a" * 64) == first
    assert run.folder_for("predictions/LOW-2020-01-02", "b" * 64) == second
    assert len(list((run.path / "predictions").iterdir())) == 2


def test_a_forecast_of_another_horizon_or_calendar_is_known_by_its_variant(home: Path, run: RunDirectory) -> None:
    own = sc.predict(run, home / "prices.csv")
    assert (own.variant, len(own.content)) == ("", 64)
    assert sc.predict(run, home / "prices.csv", horizon=2).variant == "2-days"
    assert sc.predict(run, home / "prices.csv", horizon=1, overrides=["data.calendar=FX"]).variant == "1-day-24-5"
    excel = pd.read_csv(home / "prices.csv")
    excel.to_parquet(home / "prices.parquet")
    assert sc.predict(run, home / "prices.parquet").content == own.content
    write(home / "other" / "prices.csv", DAYS, **{BARS["Date"][100]: 50.0})
    assert sc.predict(run, home / "other" / "prices.csv").content != own.content
