"""Forecasts in a ledger: recorded once and in time, held against newer files whatever their prices were divided by."""

import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made import QUICK, make_bars
from program import stockcast

import stockcast as sc
from stockcast.config.load import load_config
from stockcast.data.calendar import sessions_around
from stockcast.errors import LedgerError
from stockcast.evaluation.baselines.registry import BASELINES
from stockcast.ledger.chain import read_chain
from stockcast.ledger.entries import Ledger, RecordedForecast
from stockcast.models.callbacks import Callbacks
from stockcast.pipeline.ledger_outcomes import find_outcome, read_newer
from stockcast.pipeline.ledger_record import Recording, record, record_pool
from stockcast.pipeline.ledger_score import LedgerScores, score

AFTER = datetime(2020, 10, 1, 23, tzinfo=UTC)
"""After the close of 2020-10-01 in New York, 20:00 UTC, and before that of the next day."""


def bars(last: str = "2020-12-11", *, seed: int = 1) -> pd.DataFrame:
    """Made-up bars on the sessions of New York from 2018 on; each day has the same whatever the last is."""
    days = sessions_around(np.datetime64("2018-01-02"), np.datetime64("2020-12-11"), calendar="XNYS")
    dates = days.between(np.datetime64("2018-01-02"), np.datetime64("2020-12-11")).astype(str)
    table = make_bars(len(dates), seed=seed).assign(Date=dates)
    return table[table["Date"] <= last].round(2)


def write(folder: Path, name: str, table: pd.DataFrame) -> Path:
    folder.mkdir(exist_ok=True)
    table.to_csv(folder / f"{name}.csv", index=False)
    return folder / f"{name}.csv"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, which was trained on other days."""
    home = tmp_path_factory.mktemp("ledger")
    make_bars().to_csv(home / "prices.csv", index=False)
    features = QUICK.replace("[log_return, log_range]", "[return_in_volatility, volatility_ratio_5]")
    (home / "tiny.yaml").write_text(f"{features}target: {{scale: volatility}}\n")
    return sc.train(load_config(home / "tiny.yaml"), runs=home / "runs", name="tiny").path


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Two files up to 2020-10-01."""
    for seed, name in enumerate(("AA", "BB"), 1):
        write(tmp_path / "old", name, bars("2020-10-01", seed=seed))
    return tmp_path / "old"


def recorded(run: Path, old: Path, moment: datetime = AFTER) -> Recording:
    return record(old.parent / "ledger.jsonl", run, [old], clock=lambda: moment)


def ledger_of(old: Path) -> Ledger:
    return ledger_at(old.parent / "ledger.jsonl")


def test_a_record_has_the_forecast_when_it_was_made_and_what_it_was_made_of(run: Path, old: Path) -> None:
    done = recorded(run, old)
    first, second = ledger_of(old).forecasts
    assert [each.series for each in done.recorded] == [first.series, second.series] == ["AA", "BB"]
    assert [each.line for each in done.recorded] == [2, 3]
    assert (str(first.cutoff), first.recorded) == ("2020-10-01", "2020-10-01T23:00:00+00:00")
    prediction = sc.predict(run, old / "AA.csv")
    np.testing.assert_allclose(first.forecast.quantiles, prediction.forecast.quantiles, rtol=1e-7)
    assert first.forecast.target_dates.tolist() == prediction.forecast.target_dates.tolist()
    assert first.last_close == bars("2020-10-01")["Close"].iloc[-1]
    files = {
        "prices": old / "AA.csv",
        "run": run / "run.json",
        "config": run / "config.yaml",
        "model": run / "model.onnx",
    }
    assert first.hashes == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    assert first.simulated
    assert done.head == read_chain(old.parent / "ledger.jsonl").head


@pytest.mark.parametrize(
    ("moment", "is_late"),
    [
        (datetime(2020, 10, 1, 20, tzinfo=UTC), False),
        (datetime(2020, 10, 2, 19, 59, 59, tzinfo=UTC), False),
        (datetime(2020, 10, 2, 20, tzinfo=UTC), True),  # New York closes at 20:00 UTC in summer
        (datetime(2020, 11, 2, tzinfo=UTC), True),
    ],
)
def test_a_forecast_is_late_once_its_first_session_has_closed(
    run: Path, old: Path, moment: datetime, is_late: bool
) -> None:
    assert [each.is_late for each in recorded(run, old, moment).recorded] == [is_late, is_late]
    assert [each.is_late for each in ledger_of(old).forecasts] == [is_late, is_late]


def test_over_a_week_end_there_is_time_until_monday_evening(run: Path, tmp_path: Path) -> None:
    write(tmp_path / "old", "AA", bars("2020-11-06"))  # a Friday; the clocks in New York went back before
    for moment, is_late in (
        (datetime(2020, 11, 9, 20, 59, tzinfo=UTC), False),
        (datetime(2020, 11, 9, 21, tzinfo=UTC), True),
    ):
        (tmp_path / "ledger.jsonl").unlink(missing_ok=True)
        (only,) = recorded(run, tmp_path / "old", moment).recorded
        assert (only.due, only.is_late) == ("2020-11-09T21:00:00+00:00", is_late)


def test_a_last_row_of_a_session_still_open_is_not_recorded(run: Path, old: Path) -> None:
    write(old, "BB", bars("2020-10-02"))
    done = recorded(run, old, datetime(2020, 10, 2, 19, tzinfo=UTC))
    assert [each.series for each in done.recorded] == ["AA"]
    assert list(done.failures) == ["BB"]
    assert "2020-10-02T20:00:00+00:00" in done.failures["BB"]


def test_recording_twice_writes_once_and_the_first_record_stands(run: Path, old: Path) -> None:
    first = recorded(run, old)
    before = (old.parent / "ledger.jsonl").read_bytes()
    write(old, "BB", bars("2020-10-01", seed=2).assign(Volume=5))  # downloaded again, with another volume
    again = recorded(run, old, datetime(2020, 10, 2, 12, tzinfo=UTC))
    assert (old.parent / "ledger.jsonl").read_bytes() == before
    assert again.recorded == ()
    assert [(each.series, each.recorded) for each in again.known] == [(e.series, e.recorded) for e in first.recorded]
    assert again.changed == ("BB",)
    assert again.head == first.head


def test_a_run_of_directions_is_refused(tmp_path: Path) -> None:
    make_bars().to_csv(tmp_path / "prices.csv", index=False)
    (tmp_path / "tiny.yaml").write_text(QUICK.replace("dropout: 0.1", "dropout: 0.1, head: direction"))
    made = sc.train(load_config(tmp_path / "tiny.yaml"), runs=tmp_path / "runs", name="ways")
    with pytest.raises(LedgerError, match="ways forecasts the direction"):
        record(tmp_path / "ledger.jsonl", made.path)
    assert not (tmp_path / "ledger.jsonl").exists()


def outcome(old: Path, table: pd.DataFrame, *, now: str = "2020-12-31T00:00:00+00:00") -> Any:
    """What a newer file of AA gives for the ledger."""
    newer = write(old.parent / "new", "AA", table)
    ledger = ledger_of(old)
    prices = read_newer(ledger, [newer]).prices["AA"]
    return find_outcome(ledger, "AA", prices, recorded=now)


def test_the_closes_that_came_begin_with_the_last_one_known(run: Path, old: Path) -> None:
    recorded(run, old)
    table = bars("2020-10-08")
    found, messages = outcome(old, table)
    assert messages == []
    assert found.days.astype(str).tolist() == [
        "2020-10-01", "2020-10-02", "2020-10-05", "2020-10-06", "2020-10-07", "2020-10-08",
    ]  # fmt: skip
    assert found.closes.tolist() == table["Close"].tolist()[-6:]
    assert found.ratio == 1
    assert found.prices == hashlib.sha256((old.parent / "new" / "AA.csv").read_bytes()).hexdigest()


def test_a_session_that_is_still_open_has_not_come(run: Path, old: Path) -> None:
    recorded(run, old)
    found, _ = outcome(old, bars("2020-10-08"), now="2020-10-08T19:00:00+00:00")
    assert str(found.days[-1]) == "2020-10-07"
    assert outcome(old, bars("2020-10-02"), now="2020-10-02T19:00:00+00:00") == (None, [])
    assert outcome(old, bars("2020-10-01")) == (None, [])


@pytest.mark.parametrize(
    ("factor", "ratio", "words"),
    [(0.5, 0.5, "divided by 2"), (8, 8, "8 times as high"), (1.5, 1.5, "1.5 times as high")],
)
def test_a_split_is_told_with_its_ratio(run: Path, old: Path, factor: float, ratio: float, words: str) -> None:
    recorded(run, old)
    table = bars("2020-10-08")
    prices = ["Open", "High", "Low", "Close", "Adj Close"]
    found, (message,) = outcome(old, table.assign(**{name: factor * table[name] for name in prices}))
    assert found.ratio == ratio
    assert message.startswith("AA: 1 of 1 close")
    assert words in message
    assert "2020-10-01" in message


def test_a_split_that_the_file_does_not_adjust_for_is_told(run: Path, old: Path) -> None:
    recorded(run, old)
    table = bars("2020-10-30").drop(columns="Adj Close")
    after = table["Date"] >= "2020-10-06"
    raw = table.assign(
        **{name: table[name].where(~after, table[name] / 8) for name in ("Open", "High", "Low", "Close")}
    )
    found, (message,) = outcome(old, raw)
    assert found.ratio == 1
    assert "split" in message
    assert "2020-10-06" in message
    assert "as they stand" in message


def test_a_dividend_changes_adjusted_closes_alone_and_is_not_told(run: Path, old: Path) -> None:
    recorded(run, old)
    table = bars("2020-10-08")
    before = table["Date"] < "2020-10-05"
    table["Adj Close"] = np.where(before, 0.97 * table["Close"], table["Close"])
    found, messages = outcome(old, table)
    assert (found.ratio, messages) == (1, [])
    assert found.closes[0] == table["Close"].iloc[-6]
    assert found.adjusted[0] == pytest.approx(0.97 * table["Close"].iloc[-6])
    assert found.adjusted[-1] == table["Close"].iloc[-1]


def test_a_file_that_lacks_the_last_known_day_is_refused_by_that_day(run: Path, old: Path) -> None:
    recorded(run, old)
    table = bars("2020-10-08")
    for lacking in (table[table["Date"] != "2020-10-01"], bars("2020-09-01")):
        with pytest.raises(LedgerError, match="2020-10-01"):
            outcome(old, lacking)


def test_two_files_of_one_series_are_refused(run: Path, old: Path) -> None:
    recorded(run, old)
    write(old.parent / "new", "AA", bars())
    with pytest.raises(LedgerError, match="Two price files are of AA"):
        read_newer(ledger_of(old), [old, old.parent / "new"])


def daily(run: Path, folder: Path, first: str, last: str) -> Path:
    """A ledger of a forecast on each session from first to last, an hour after its close; return its file."""
    path = folder / "ledger.jsonl"
    predictor = sc.Predictor.load(run)
    days = bars(last)["Date"]
    for day in days[days >= first]:
        prices = write(folder / "daily", "AA", bars(day))
        record_pool(path, predictor, [prices], clock=lambda day=day: datetime.fromisoformat(f"{day}T22:00:00+00:00"))
    return path


@pytest.fixture(scope="module")
def forty(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of 40 daily forecasts of three days."""
    return daily(run, tmp_path_factory.mktemp("forty"), "2020-10-01", "2020-11-25")


@pytest.fixture
def ledger(forty: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copy(forty, tmp_path))


def at(day: str) -> Callable[[], datetime]:
    return lambda: datetime.fromisoformat(f"{day}T23:00:00+00:00")


def test_scores_are_those_of_the_recorded_quantiles_against_the_closes_that_came(ledger: Path, tmp_path: Path) -> None:
    table = bars()
    found = score(ledger, [write(tmp_path, "AA", table)], clock=at("2020-11-20"))
    (forecasts, closes) = ledger_at(ledger).forecasts, dict(zip(table["Date"], table["Close"], strict=True))
    assert (len(forecasts), len(found.scored)) == (40, 36)  # of the 20th itself and later no day has come
    losses = []
    for each in forecasts:
        day = str(each.forecast.target_dates[0, 0])
        if day <= "2020-11-20":
            returns = np.log(each.forecast.quantiles[0, 0] / each.last_close)
            error = np.log(closes[day] / each.last_close) - returns
            weights = np.where(error > 0, each.forecast.levels, each.forecast.levels - 1)
            levels = np.concatenate([[0], each.forecast.levels, [1]])
            widths = (levels[2:] - levels[:-2]) / 2
            losses.append(2 * np.sum(widths * weights * error))
    assert found.judgement is not None
    (model,) = found.judgement.models
    (series,) = model.series
    assert (model.name, series.name) == ("tiny", "AA")
    assert series.matched.known.sum(axis=0).tolist() == [36, 35, 34]  # those of days that had come, and no more
    report = series.report.horizons[1].model
    assert len(losses) == 36
    assert report.crps == pytest.approx(np.mean(losses), rel=0.02)  # tails are closed in another way
    lower, upper = (np.array([each.forecast.at(level)[0, 0] for each in forecasts[:36]]) for level in (0.05, 0.95))
    came = np.array([closes[str(each.forecast.target_dates[0, 0])] for each in forecasts[:36]])
    assert report.coverage_90 == np.mean((lower <= came) & (came <= upper))
    assert set(series.report.horizons[1].baselines) == set(BASELINES)


def test_a_split_since_the_record_leaves_every_score_as_it_was(ledger: Path, tmp_path: Path) -> None:
    other = Path(shutil.copy(ledger, tmp_path / "other.jsonl"))
    whole = score(ledger, [write(tmp_path, "AA", bars())], clock=at("2020-12-11"))
    messages: list[str] = []
    split = bars().assign(**{name: bars()[name] / 8 for name in ("Open", "High", "Low", "Close", "Adj Close")})
    halved = score(
        other,
        [write(tmp_path / "split", "AA", split)],
        clock=at("2020-12-11"),
        callbacks=Callbacks(on_message=messages.append),
    )
    assert whole.revised == ()
    assert "divided by 8" in halved.revised[0]
    assert halved.revised[0] in messages
    assert [each.ratio for each in ledger_at(other).outcomes] == [0.125]
    assert all_scores(halved) == pytest.approx(all_scores(whole), rel=1e-9)


def test_a_split_is_told_once_and_is_the_unit_from_then_on(ledger: Path, tmp_path: Path) -> None:
    score(ledger, [write(tmp_path, "AA", bars())], clock=at("2020-11-20"))
    split = bars().assign(**{name: bars()[name] / 8 for name in ("Open", "High", "Low", "Close", "Adj Close")})
    newer = write(tmp_path, "AA", split)
    first = score(ledger, [newer], clock=at("2020-11-24"))
    second = score(ledger, [newer], clock=at("2020-11-25"))
    assert ([each.ratio for each in first.outcomes], len(first.revised)) == ([0.125], 1)
    assert ([each.ratio for each in second.outcomes], second.revised) == ([1.0], ())


def test_a_close_that_was_corrected_is_told_and_the_newer_file_counts(ledger: Path, tmp_path: Path) -> None:
    table = bars()
    score(ledger, [write(tmp_path, "AA", table)], clock=at("2020-11-20"))
    wrong = table["Date"] == "2020-11-10"
    corrected = table.assign(**{name: table[name].where(~wrong, 1.02 * table[name]) for name in ("Close", "Adj Close")})
    (message,) = score(ledger, [write(tmp_path, "AA", corrected)], clock=at("2020-11-20")).revised
    assert message.startswith("AA: 1 of 40 closes that were recorded are others in AA.csv, 1.02 to 1.02 times")
    assert "2020-11-10" in message


def test_a_dividend_paid_after_all_days_changes_no_score(ledger: Path, tmp_path: Path) -> None:
    table = bars()
    before = table["Date"] < "2020-12-04"  # after all days forecast: nothing may change
    paid = table.assign(**{"Adj Close": np.where(before, 0.95 * table["Close"], table["Close"])})
    other = Path(shutil.copy(ledger, tmp_path / "other.jsonl"))
    whole = score(ledger, [write(tmp_path, "AA", table)], clock=at("2020-12-11"))
    adjusted = score(other, [write(tmp_path / "paid", "AA", paid)], clock=at("2020-12-11"))
    assert adjusted.revised == ()
    assert all_scores(adjusted) == pytest.approx(all_scores(whole), rel=1e-9)


def all_scores(found: LedgerScores) -> list[float]:
    """Scores of the model and of the baselines that are no estimates, which the digits of a file would change."""
    assert found.judgement is not None
    report = found.judgement.models[0].series[0].report
    return [
        value
        for at in report.horizons.values()
        for scores in (at.model, *(at.baselines[name] for name in ("random_walk", "drift", "volatility_20", "ewma")))
        for value in (scores.crps, scores.coverage_50, scores.coverage_90)
        if value is not None
    ]


def test_scoring_twice_records_each_close_once_and_gives_the_same(ledger: Path, tmp_path: Path) -> None:
    newer = write(tmp_path, "AA", bars())
    first = score(ledger, [newer], clock=at("2020-11-20"))
    content = ledger.read_bytes()
    again = score(ledger, [newer], clock=at("2020-11-20"))
    assert ledger.read_bytes() == content
    assert again.outcomes == ()
    assert again.verdict == first.verdict
    later = score(ledger, [newer], clock=at("2020-11-24"))
    assert [each.days.astype(str).tolist() for each in later.outcomes] == [["2020-11-20", "2020-11-23", "2020-11-24"]]
    days = [str(day) for each in ledger_at(ledger).outcomes for day in each.days[1:]]
    assert days == sorted(set(days))


def test_a_late_forecast_is_never_scored(run: Path, ledger: Path, tmp_path: Path) -> None:
    newer = write(tmp_path, "AA", bars())
    before = score(ledger, [newer], clock=at("2020-12-11"))
    cut = write(tmp_path / "cut", "AA", bars("2020-09-30"))
    (late,) = record(ledger, run, [cut], clock=at("2020-12-11")).recorded
    assert late.is_late
    after = score(ledger, [newer], clock=at("2020-12-11"))
    assert [each.line for each in after.scored] == [each.line for each in before.scored]
    assert all_scores(after) == all_scores(before)
    assert "1 were recorded late" in after.verdict[0]


def test_two_runs_in_one_ledger_are_scored_beside_each_other(run: Path, ledger: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "other")
    for day in bars("2020-11-06")["Date"].tail(20):
        record(ledger, tmp_path / "other", [write(tmp_path, "AA", bars(day))], clock=at(day))
    found = score(ledger, [write(tmp_path, "AA", bars())], clock=at("2020-12-11"))
    assert found.judgement is not None
    matched = {model.name: model.series[0].matched for model in found.judgement.models}
    assert {name: len(each.origins) for name, each in matched.items()} == {"tiny": 40, "other": 20}
    own, copied = matched["tiny"], matched["other"]
    shared = np.isin(own.origins, copied.origins)
    np.testing.assert_allclose(own.forecast.quantiles[shared], copied.forecast.quantiles)  # one network


def test_a_series_without_a_file_is_told_and_the_others_are_scored(run: Path, ledger: Path, tmp_path: Path) -> None:
    record(ledger, run, [write(tmp_path, "GONE", bars("2020-10-01", seed=9))], clock=at("2020-10-01"))
    found = score(ledger, [write(tmp_path, "AA", bars())], clock=at("2020-12-11"))
    assert found.missing == ("GONE",)
    assert "without a usable price file are 1: GONE" in found.verdict[0]
    assert len(found.scored) == 40


def test_before_any_day_has_come_nothing_is_scored_and_that_is_told(run: Path, old: Path) -> None:
    recorded(run, old)
    found = score(old.parent / "ledger.jsonl", [old], clock=lambda: AFTER)
    assert (found.judgement, found.scored, found.outcomes) == (None, (), ())
    assert found.verdict == ("0 of 2 recorded forecasts are scored; of 2 no day has come yet.",)


def test_the_command_scores_and_names_the_files_that_it_cannot_use(ledger: Path, tmp_path: Path) -> None:
    write(tmp_path, "AA", bars())
    done = stockcast("ledger", "score", "--data", "AA.csv", "-q", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("50 closes of 1 series that came, in ledger.jsonl. Head: 42 ")
    assert "40 of 40 recorded forecasts are scored" in done.stdout
    assert "In short: " in done.stdout
    assert "Not known: whether" not in stockcast("ledger", "score", "--data", "AA.csv", "-v", cwd=tmp_path).stdout
    document = json.loads(stockcast("ledger", "score", "--data", "AA.csv", "--json", cwd=tmp_path).stdout)
    assert (document["scored"], document["outcomes"], document["lines"]) == (40, [], 42)
    write(tmp_path, "AA", bars("2020-09-01"))
    old = stockcast("ledger", "score", "--data", "AA.csv", cwd=tmp_path)
    assert old.returncode == 1
    assert "1 of 1 series could not be scored" in old.stderr
    assert "ends on 2020-09-01" in old.stderr
    assert stockcast("ledger", "score", cwd=tmp_path).returncode == 1


def ledger_at(path: Path) -> Ledger:
    return Ledger.of(read_chain(path), path=path)


def current(name: str, folder: Path) -> Path:
    """A file that ends with the last session that has closed by the clock of this machine."""
    from stockcast.pipeline.ledger_record import closes_at

    now = datetime.now(UTC).isoformat(timespec="seconds")
    today = np.datetime64(now[:10])
    days = sessions_around(today - 500, today, calendar="XNYS").between(today - 500, today)
    closed = [*days[:-3], *(day for day in days[-3:] if closes_at(day, calendar="XNYS") <= now)]
    return write(folder, name, make_bars(len(closed)).assign(Date=np.array(closed).astype(str)))


def test_the_commands_tell_what_they_did_by_words_and_exit_codes(run: Path, tmp_path: Path) -> None:
    write(tmp_path / "old", "AA", bars("2020-10-01"))
    current("NEW", tmp_path)
    arguments = ("ledger", "record", str(run), "-q", "--data")
    done = stockcast(*arguments, "NEW.csv", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Recorded 1 forecast by tiny in ledger.jsonl, line 2." in done.stdout
    head = done.stdout.split()[-1]
    again = stockcast(*arguments, "NEW.csv", cwd=tmp_path)
    assert again.returncode == 0
    assert "Recorded before, so not again: 1 forecast (NEW)" in again.stdout
    late = stockcast(*arguments, "old", cwd=tmp_path)
    assert late.returncode == 4
    assert "Late: 1 forecast (AA)" in late.stdout
    shown = stockcast("ledger", "show", cwd=tmp_path)
    (line,) = [line for line in shown.stdout.splitlines() if line.startswith("3 ")]
    assert line.split()[1:4] == ["AA", "tiny", "2020-10-01"]
    assert line.endswith("late")
    printed = stockcast("ledger", "head", cwd=tmp_path).stdout.split()
    assert printed == ["3", read_chain(tmp_path / "ledger.jsonl").head]
    verified = stockcast("ledger", "verify", "--head", head, cwd=tmp_path)
    assert verified.returncode == 0
    assert "is that of line 2" in verified.stdout


def test_verify_ends_with_3_where_a_line_was_changed_or_the_end_was_cut(run: Path, old: Path) -> None:
    home, path = old.parent, old.parent / "ledger.jsonl"
    head = recorded(run, old).head
    content = path.read_bytes()
    path.write_bytes(b"".join(content.splitlines(keepends=True)[:2]))
    assert stockcast("ledger", "verify", cwd=home).returncode == 0
    cut = stockcast("ledger", "verify", "--head", head, cwd=home)
    assert (cut.returncode, cut.stdout) == (3, "")
    assert "cut off" in cut.stderr
    path.write_bytes(content.replace(b'"late":false', b'"late":true ', 1))
    for command in ("verify", "head", "show", "record"):
        done = stockcast("ledger", command, cwd=home)
        assert done.returncode == 3
        assert "ledger.jsonl, line 2:" in done.stderr
    path.write_bytes(content)
    assert stockcast("ledger", "verify", "--head", "12ab", cwd=home).returncode == 1


def test_a_line_that_another_program_wrote_with_a_right_hash_is_refused_by_its_number(run: Path, old: Path) -> None:
    from stockcast.ledger.append import appending

    recorded(run, old)
    good = ledger_of(old).forecasts[0].to_fields()
    path = old.parent / "ledger.jsonl"
    for wrong in ({"days": ["2020-10-02"]}, {"late": True}, {"quantiles": "x"}, {"frequency": "hourly"}, {"hashes": 1}):
        with appending(path, on_message=print) as appender:
            size = path.stat().st_size
            appender.append([{**good, **wrong}])
        with pytest.raises(LedgerError) as caught:
            ledger_of(old)
        assert caught.value.line == 4, wrong
        with path.open("rb+") as stream:
            stream.truncate(size)


def test_an_entry_is_read_back_as_it_was_written(run: Path, old: Path) -> None:
    recorded(run, old)
    line = read_chain(old.parent / "ledger.jsonl").lines[1]
    fields = line.fields()
    written = RecordedForecast.of(line).to_fields()
    assert json.dumps(written) == json.dumps({key: fields[key] for key in fields if key not in ("sha256", "previous")})


def test_the_page_has_verdict_scores_and_head_and_escapes_names(run: Path, ledger: Path, tmp_path: Path) -> None:
    record(ledger, run, [write(tmp_path, "<b>x", bars("2020-12-10"))], clock=at("2020-12-10"))
    write(tmp_path, "AA", bars())
    done = stockcast("ledger", "report", "--data", "AA.csv", "-q", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "ledger.html\n")
    page = (tmp_path / "ledger.html").read_text()
    assert "40 of 41 recorded forecasts are scored" in page
    assert read_chain(ledger).head in page
    assert "&lt;b&gt;x" in page
    assert "<b>x" not in page
    for baseline in BASELINES:
        assert f"<bdi>{baseline}</bdi>" in page
    assert "<script" not in page
    refused = stockcast("ledger", "report", "--data", "AA.csv", "--output", "page.pdf", cwd=tmp_path)
    assert refused.returncode == 1
    assert "page.html" in refused.stderr
