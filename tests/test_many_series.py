"""One network for several series, and series that it has never seen."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import commands
import numpy as np
import pandas as pd
import pytest
from made import make_bars

from stockcast.config.load import load_config
from stockcast.errors import ConfigError, DataError, NotEnoughDays, RunError
from stockcast.forecasting.training_data import read_training_prices
from stockcast.runs import RunDirectory

POOL = """\
name: pool
data: {path: [first.csv, others]}
features: [return_in_volatility, volatility_ratio_33, momentum_20]
target: {scale: volatility}
window: 5
horizon: 3
model: {cell: last_day, layers: [4, 3], skip_connection: true, output_l2: 0.001}
training: {epochs: 2, batch_size: 64}
ensemble: {members: 2}
"""


def write_pool(folder: Path) -> Path:
    """Three series of different lengths; first.csv ends before the others, beta.csv begins after them."""
    (folder / "others").mkdir(parents=True)
    make_bars(700, seed=1)[:650].to_csv(folder / "first.csv", index=False)
    make_bars(700, seed=2).to_csv(folder / "others" / "alpha.csv", index=False)
    make_bars(700, seed=3)[200:].to_csv(folder / "others" / "beta.csv", index=False)
    (folder / "others" / "notes.txt").write_text("not a price file")
    (folder / "pool.yaml").write_text(POOL)
    return folder / "pool.yaml"


def train(config: Path, runs: Path, *overrides: str) -> RunDirectory:
    return commands.train(load_config(config, overrides), runs=runs).run


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    folder = tmp_path_factory.mktemp("pool")
    return train(write_pool(folder), folder / "runs")


def unseen(folder: Path, *, days: int = 700, seed: int = 9) -> Path:
    folder.mkdir(exist_ok=True)
    make_bars(days, seed=seed).to_csv(folder / "gamma.csv", index=False)
    return folder / "gamma.csv"


def quantiles(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "forecasts.npz") as arrays:
        return dict(arrays)


def told_of(config: Path, *overrides: str) -> list[str]:
    """What is said while the prices are read."""
    said: list[str] = []
    read_training_prices(load_config(config, overrides), said.append)
    return said


def test_a_series_listed_late_is_no_news_but_a_start_before_all_of_them_is_told_once(tmp_path: Path) -> None:
    config = write_pool(tmp_path)  # beta.csv begins in October, first.csv ends ten weeks before the others
    inside = told_of(config, "data.start=2010-01-01", "data.end=2012-09-30")
    assert not [one for one in inside if "data." in one]
    outside = [one for one in told_of(config, "data.start=2006-01-04", "data.end=2030-01-01") if "data." in one]
    assert outside == [
        "3 series: the first day is 2010-01-04, 4 years after data.start 2006-01-04.",
        "3 series: the last day is 2012-09-07, 17 years before data.end 2030-01-01.",
    ]


def test_a_file_that_joins_the_folder_later_is_not_taken_for_the_one_that_was_learnt_from(tmp_path: Path) -> None:
    config = write_pool(tmp_path)
    run = train(
        config, tmp_path / "runs", f"data.path={tmp_path / 'others'}", "ensemble.members=1", "training.epochs=1"
    )
    make_bars(700, seed=7).to_csv(tmp_path / "others" / "aardvark.csv", index=False)
    assert commands.evaluate(run).metrics["data"]["name"] == "alpha.csv"
    last = pd.read_csv(tmp_path / "others" / "alpha.csv")["Close"].iloc[-1]
    assert commands.predict(run).forecast.last_close[0] == pytest.approx(last)


def test_a_list_of_files_and_folders_trains_one_network_on_every_csv_in_it(pool: RunDirectory) -> None:
    manifest = pool.manifest()
    assert [series["name"] for series in manifest["series"]] == ["first.csv", "alpha.csv", "beta.csv"]
    # Borders are shares of the 700 days of all: training ends after day 420. Origins run from day 5 of each series to
    # the fourth before the border: 413 of the first two, and 200 fewer of the one that begins 200 days later.
    assert manifest["training"]["windows"] == 413 + 413 + 213


def test_all_series_are_divided_at_the_same_dates(pool: RunDirectory, tmp_path: Path) -> None:
    dates = make_bars()["Date"]
    split = load_config(pool.config_path()).split
    assert [str(day) for day in (split.validation, split.calibration, split.test)] == list(dates[[420, 490, 560]])
    first = commands.evaluate(pool).metrics["split"]
    assert (first["first_origin"], first["last_target"]) == (dates[559], dates[649])


def test_each_member_is_in_the_history_and_their_answers_are_one(pool: RunDirectory) -> None:
    history = pd.read_csv(pool.path / "history.csv")
    assert set(history["member"]) == {1, 2}
    assert (history.groupby("member")["epoch"].max() <= 2).all()


def test_run_json_and_history_agree_on_the_best_epoch_and_on_the_epochs_of_each_member(pool: RunDirectory) -> None:
    history, stated = pd.read_csv(pool.path / "history.csv"), pool.manifest()["training"]
    best = history.loc[history["val_loss"].idxmin()]
    assert (stated["best_member"], stated["best_epoch"]) == (best["member"], best["epoch"])
    assert stated["best_val_loss"] == pytest.approx(best["val_loss"])
    assert stated["epochs_by_member"] == [(history["member"] == member).sum() for member in (1, 2)]
    assert stated["epochs"] == len(history) == sum(stated["epochs_by_member"])


def test_a_series_never_seen_is_scored_from_the_test_days_on_beside_rivals_of_its_own_past(
    pool: RunDirectory, tmp_path: Path
) -> None:
    found = commands.evaluate(pool, data=unseen(tmp_path / "new"))
    assert found.metrics["data"]["name"] == "gamma.csv"
    assert found.metrics["split"]["first_origin"] == make_bars()["Date"][559]
    assert set(found.metrics["horizons"]["1"]["baselines"]) >= {"random_walk", "ewma", "garch_t"}
    assert json.loads((found.folder / "metrics.json").read_text())["data"]["name"] == "gamma.csv"
    assert found.folder != commands.evaluate(pool).folder


def test_days_that_come_later_change_no_earlier_forecast_of_a_series_never_seen(
    pool: RunDirectory, tmp_path: Path
) -> None:
    whole = quantiles(commands.evaluate(pool, data=unseen(tmp_path / "whole")).folder)
    bars = make_bars(700, seed=9)
    prices = ["Open", "High", "Low", "Close", "Adj Close"]
    bars.loc[631:, prices] *= 1000.0
    (tmp_path / "wild").mkdir()
    bars.to_csv(tmp_path / "wild" / "gamma.csv", index=False)
    wild = quantiles(commands.evaluate(pool, data=tmp_path / "wild" / "gamma.csv").folder)
    known = wild["origin_dates"] <= np.datetime64(bars["Date"][630])
    assert 0 < known.sum() < len(known)
    np.testing.assert_array_equal(whole["quantiles"][known], wild["quantiles"][known])


def test_a_start_before_the_end_of_what_was_learnt_is_refused_unless_insisted_on(
    pool: RunDirectory, tmp_path: Path
) -> None:
    path, early = unseen(tmp_path / "new"), date(2012, 1, 2)
    with pytest.raises(RunError, match="--insist") as refused:
        commands.evaluate(pool, data=path, start=early)
    assert (refused.value.key, refused.value.value) == ("--from", early)
    told: list[str] = []
    found = commands.evaluate(pool, data=path, start=early, insist=True, say=told.append)
    assert found.metrics["split"]["first_origin"] == "2011-12-30"
    assert any("too good" in sentence for sentence in told)
    assert found.folder.name == f"evaluation-test-gamma-from-{early}-insisted"
    own = commands.evaluate(pool).folder
    before = (own / "metrics.json").read_bytes()
    assert commands.evaluate(pool, start=early, insist=True).folder != own
    assert (own / "metrics.json").read_bytes() == before


def test_a_later_start_scores_fewer_days(pool: RunDirectory, tmp_path: Path) -> None:
    start = make_bars()["Date"][600]
    found = commands.evaluate(pool, data=unseen(tmp_path / "new"), start=date.fromisoformat(start))
    assert found.metrics["split"]["origins"] == 700 - 600 + 1 - 3


def test_a_series_without_a_past_is_refused_with_what_it_needs(pool: RunDirectory, tmp_path: Path) -> None:
    bars = make_bars(700, seed=9)[558:]
    bars.to_csv(tmp_path / "young.csv", index=False)
    with pytest.raises(NotEnoughDays, match="later --from") as refused:
        commands.evaluate(pool, data=tmp_path / "young.csv")
    assert (refused.value.file, refused.value.value) == (str(tmp_path / "young.csv"), 2)


def test_a_series_that_ends_before_the_test_days_is_refused_by_its_name(pool: RunDirectory, tmp_path: Path) -> None:
    path = unseen(tmp_path / "new", days=400)
    with pytest.raises(NotEnoughDays) as refused:
        commands.evaluate(pool, data=path)
    assert refused.value.file == str(path)


def test_a_series_never_seen_is_forecast_in_its_own_unit(pool: RunDirectory, tmp_path: Path) -> None:
    told: list[str] = []
    path = unseen(tmp_path / "new")
    plain = commands.predict(pool, data=path, output=tmp_path / "out", say=told.append)
    assert any("trained on 3 series" in sentence and "gamma.csv" in sentence for sentence in told)
    dear = make_bars(700, seed=9)
    prices = ["Open", "High", "Low", "Close", "Adj Close"]
    dear[prices] *= 64.0
    dear.to_csv(tmp_path / "dear.csv", index=False)
    dearer = commands.predict(pool, data=tmp_path / "dear.csv", output=tmp_path / "out2")
    np.testing.assert_allclose(dearer.forecast.quantiles, 64 * plain.forecast.quantiles, rtol=1e-5)


@pytest.mark.slow
def test_a_network_of_one_series_scales_another_by_that_series_own_past(
    write_tiny: Callable[..., Path], tmp_path: Path
) -> None:
    run = train(write_tiny(), tmp_path / "runs")
    wild = make_bars(700, seed=9)
    logs = np.log(wild["Close"] / wild["Close"][0])
    for column in ("Open", "High", "Low", "Close", "Adj Close"):
        wild[column] *= np.exp(4 * logs)  # five times the volatility of what the run learnt from
    wild.to_csv(tmp_path / "wild.csv", index=False)
    own = commands.evaluate(run).metrics["overall"]["model"]
    other = commands.evaluate(run, data=tmp_path / "wild.csv").metrics["overall"]["model"]
    assert other["coverage_90"] > 0.75  # bands of the first series' width would cover about a quarter
    assert other["mape"] > 2 * own["mape"]


def test_several_series_without_a_common_scale_are_refused_in_a_sentence(tmp_path: Path) -> None:
    config = write_pool(tmp_path)
    with pytest.raises(ConfigError, match=r"no scale in common: set target\.scale to volatility"):
        load_config(config, ["target.scale=training"])


def test_a_folder_without_prices_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError) as refused:
        train(write_pool(tmp_path), tmp_path / "runs", f"data.path={tmp_path / 'empty'}")
    assert (refused.value.file, refused.value.key) == (str(tmp_path / "empty"), "data.path")


def test_a_series_that_begins_after_the_training_days_is_refused_by_its_name(tmp_path: Path) -> None:
    config = write_pool(tmp_path)
    make_bars(700)[450:].to_csv(tmp_path / "others" / "late.csv", index=False)
    with pytest.raises(DataError, match="late") as refused:
        train(config, tmp_path / "runs")
    assert (refused.value.file, refused.value.key) == (str(tmp_path / "others" / "late.csv"), "data.path")


def test_a_second_evaluation_takes_the_costly_rivals_from_the_first(
    pool: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = commands.evaluate(pool)
    monkeypatch.setattr(
        "stockcast.evaluation.baselines.garch._estimate", lambda *_, **__: pytest.fail("estimated again")
    )
    assert commands.evaluate(pool).metrics == first.metrics


def test_a_point_head_cannot_take_its_bands_from_several_series_and_says_what_can(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="student_t, skewed_t") as refused:
        train(write_pool(tmp_path), tmp_path / "runs", "model.head=point")
    assert (refused.value.key, refused.value.value) == ("model.head", "point")
    assert not (tmp_path / "runs").exists()


def test_a_direction_is_learnt_from_several_series(tmp_path: Path) -> None:
    run = train(write_pool(tmp_path), tmp_path / "runs", "model.head=direction", "ensemble.members=1")
    found = commands.evaluate(run, data=tmp_path / "others" / "beta.csv")
    assert found.metrics["score"] == "brier"
