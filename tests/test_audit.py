"""The leak audit: silent on the pipeline as it is, loud on one with a leak planted in it.

A pipeline without a leak shows its network the same windows in every rerun, so a network is kept by its windows and
not trained twenty times over. Where leaks are planted, training is stood in for: see `stand_in`. The command line is
tested in a process of its own, where nothing is kept or stood in for.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import commands
import numpy as np
import pandas as pd
import pytest
from made import TINY, make_bars
from program import environment
from test_pipeline import RECURSIVE
from test_several_columns import DIRECT as BARS
from test_several_columns import RECURSIVE as ROLLED_BARS

from stockcast import cli
from stockcast.config.load import load_config
from stockcast.data import features
from stockcast.data.market import Market
from stockcast.data.split import Split, split_at
from stockcast.errors import RunError
from stockcast.evaluation.calibration.adaptive import adapted_factors
from stockcast.execution import members
from stockcast.forecast import Forecast
from stockcast.forecasting import tasks, training_data
from stockcast.forecasting.dataset import SeriesDataset
from stockcast.models.callbacks import SILENT, Callbacks, EpochLog, TrainingState
from stockcast.pipeline import train
from stockcast.pipeline.audit import AuditReport, Check
from stockcast.pipeline.perturbations import PERTURBATIONS
from stockcast.runs import RunDirectory
from stockcast.runs.layout import ONNX, WEIGHTS

WriteTiny = Callable[..., Path]
Plant = Callable[[pytest.MonkeyPatch], None]

TRAVELLING = TINY.replace(
    "features: [log_return, log_range]",
    "features: [return_in_volatility, volatility_ratio_5, volatility_ratio_all, momentum_20, drawdown, "
    "gap_in_volatility, volume_trend, volatility_of_volatility]\n"
    "target: {scale: volatility}\ncalibration: adaptive",
)
FITTED: dict[str, Any] = {}
WRITTEN: dict[str, Any] = {}


def digest(*arrays: np.ndarray) -> str:
    return hashlib.sha256(b"".join(str(one.shape).encode() + one.tobytes() for one in arrays)).hexdigest()


def finished(network: Any, history: list[EpochLog]) -> TrainingState:
    """The checkpoint of a member whose training is over, as far as anything looks at it."""
    return TrainingState(tuple(history), network=(), optimizer=(), best=tuple(network.get_weights()))


@pytest.fixture(autouse=True)
def _keep_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train and export once for the same windows, settings and first weights; draw no pictures."""
    fit, write = members.fit, RunDirectory.write_network

    def kept_fit(network: Any, *windows: Any, state: Any, callbacks: Callbacks, **settings: Any) -> Any:
        shown = [values for one in windows for values in one.batch(slice(None))]
        key = digest(*shown, *network.get_weights()) + repr(settings)
        if key not in FITTED:
            told = Callbacks(on_epoch_end=callbacks.on_epoch_end)
            FITTED[key] = (fit(network, *windows, callbacks=told, **settings), network.get_weights())
        history, weights = FITTED[key]
        network.set_weights(weights)
        callbacks.on_checkpoint(finished(network, history))
        return history

    def kept_write(run: RunDirectory, *, save_weights: Any, export: Any, room: int) -> None:
        key = digest(*save_weights.__self__.get_weights())
        if key not in WRITTEN:
            write(run, save_weights=save_weights, export=export, room=room)
            WRITTEN[key] = {name: (run.path / name).read_bytes() for name in (WEIGHTS, ONNX)}
        for name, content in WRITTEN[key].items():
            (run.path / name).write_bytes(content)

    monkeypatch.setattr(members, "fit", kept_fit)
    monkeypatch.setattr(RunDirectory, "write_network", kept_write)
    monkeypatch.setattr(RunDirectory, "write_plot", lambda *_, **__: None)


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, _keep_networks: None) -> None:
    """Draw weights and losses from a hash of all windows instead of training: any bit of them changes all weights."""

    def drawn(network: Any, *windows: Any, callbacks: Callbacks, **settings: Any) -> list[EpochLog]:
        shown = digest(*(values(slice(None)) for one in windows for values in (one.inputs, one.targets)))
        random = np.random.default_rng(int(shown[:16], 16))
        for weights in network.trainable_variables:
            weights.assign(0.1 * random.standard_normal(weights.shape))
        history = [EpochLog(1, random.random(), random.random(), seconds=0.0)]
        callbacks.on_checkpoint(finished(network, history))
        return history

    monkeypatch.setattr(members, "fit", drawn)


def trained(config: Path, *overrides: str) -> RunDirectory:
    settings = load_config(config, ["training.epochs=1", *overrides])
    return commands.train(settings, runs=config.parent / "runs", name="audited").run


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(TINY, id="density"),
        pytest.param(TRAVELLING, id="travelling", marks=pytest.mark.slow),
        pytest.param(RECURSIVE, id="recursive", marks=pytest.mark.slow),
    ],
)
def test_no_cut_off_of_two_shows_a_leak(config: str, write_tiny: WriteTiny) -> None:
    found = commands.audit(trained(write_tiny(config=config)), cuts=2, seed=1)
    assert found.failure() is None
    assert {check.result for check in found.checks} == {"identical"}


@pytest.mark.slow
@pytest.mark.parametrize("config", [TINY, TRAVELLING, RECURSIVE], ids=["density", "travelling", "recursive"])
def test_no_cut_off_of_eight_shows_a_leak(config: str, write_tiny: WriteTiny) -> None:
    run = trained(write_tiny(config=config))
    files = sorted(run.path.parent.rglob("*"))
    found = commands.audit(run, cuts=8, seed=1)
    assert found.failure() is None
    assert {check.result for check in found.checks} == {"identical"}
    assert len({check.cut for check in found.checks}) >= 7  # drawn at random, so two may be one
    assert {check.perturbation for check in found.checks} == set(PERTURBATIONS)
    # three of every rerun; then calibration.json and forecasts in the test part, raw forecasts before it
    assert len(found.checks) == 8 * 3 + 4 * 2 + 4
    assert sorted(run.path.parent.rglob("*")) == files


@pytest.mark.slow
@pytest.mark.usefixtures("stand_in")
def test_several_series_of_one_name_are_audited_together(write_tiny: WriteTiny, tmp_path: Path) -> None:
    config = write_tiny(config=TRAVELLING.replace("path: prices.csv", "path: [prices.csv, other/prices.csv]"))
    write_tiny(make_bars(seed=1), folder="made/other")
    assert commands.audit(trained(config), cuts=5).passed


MARKET = "features: [return_in_volatility, market_volatility_ratio_5, market_momentum_20, "


@pytest.mark.slow
@pytest.mark.usefixtures("stand_in")
def test_a_market_of_several_series_shows_no_leak_and_tomorrows_market_does(
    write_tiny: WriteTiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = TRAVELLING.replace("path: prices.csv", "path: [prices.csv, other/prices.csv]")
    path = write_tiny(config=config.replace("features: [return_in_volatility, ", MARKET))
    write_tiny(make_bars(seed=1), folder="made/other")
    run = trained(path)
    assert commands.audit(run, cuts=5).passed

    honest = Market.on
    monkeypatch.setattr(Market, "on", lambda market, dates, name: honest(market, dates + 1, name))
    found = commands.audit(run, cuts=2)
    assert {check.what for check in found.leaks} == {"forecasts"}


@pytest.mark.slow
@pytest.mark.usefixtures("stand_in")
def test_an_audit_is_the_same_again_with_its_seed_and_another_with_another(write_tiny: WriteTiny) -> None:
    run = trained(write_tiny())
    first, again, other = (commands.audit(run, cuts=1, seed=seed) for seed in (3, 3, 4))
    assert first == again
    assert [check.cut for check in first.checks] != [check.cut for check in other.checks]


@pytest.mark.slow
@pytest.mark.usefixtures("stand_in")
def test_rows_up_to_the_cut_off_keep_their_text_and_later_ones_change(
    write_tiny: WriteTiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(write_tiny())
    module = sys.modules["stockcast.pipeline.rerunner"]
    train, copies = module.train, []

    def seen(config: Any, **settings: Any) -> Any:
        copies.append(pd.read_csv(config.data.path[0], dtype=str, keep_default_na=False).set_index("Date"))
        return train(config, **settings)

    monkeypatch.setattr(module, "train", seen)
    found = commands.audit(run, cuts=8)
    original, *altered = copies
    cuts = dict.fromkeys((check.cut, check.perturbation) for check in found.checks)
    for (cut, perturbation), copy in zip(cuts, altered, strict=True):
        pd.testing.assert_frame_equal(copy[: str(cut)], original[: str(cut)])
        before, after = (one.loc[one.index > str(cut)] for one in (original, copy))
        if perturbation == "deleted":
            assert len(after) < len(before)
        elif perturbation == "missing":
            assert (after["Volume"] == "").any()
            assert (after["Close"] == "").any()
        else:
            assert (after["Close"] != before["Close"]).all()


# Leaks planted in the pipeline.


def scale_by_all_days(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = training_data.fit_scalers
    monkeypatch.setattr(
        training_data,
        "fit_scalers",
        lambda config, many, market, *, days: fit(
            config, many, market, days=[[slice(0, len(prices.dates))] for prices in many]
        ),
    )


def scale_by_calibration_days(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = training_data.fit_scalers

    def leaky(config: Any, many: Any, market: Any, *, days: Any) -> Any:
        splits = [split_at(one.dates, **dict(config.split)) for one in many]
        return fit(config, many, market, days=[[slice(0, split.days[3])] for split in splits])

    monkeypatch.setattr(training_data, "fit_scalers", leaky)


def plant_feature(change: Callable[[pd.Series], pd.Series]) -> Plant:
    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        honest = features.FEATURES["log_range"]
        leaky = replace(honest, compute=lambda bars: change(honest.compute(bars)))
        monkeypatch.setitem(features.FEATURES, "log_range", leaky)

    return plant


def draw_origins(part: str, choose: Callable[[Split, np.ndarray, int], np.ndarray]) -> Plant:
    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        origins = Split.origins

        def leaky(split: Split, asked: Any, *, window: int, horizon: int, required: bool = True) -> np.ndarray:
            honest = origins(split, asked, window=window, horizon=horizon, required=required)
            return choose(split, honest, horizon) if asked == part else honest

        monkeypatch.setattr(Split, "origins", leaky)

    return plant


def from_all_days(split: Split, honest: np.ndarray, horizon: int) -> np.ndarray:
    days = np.random.default_rng(0).permutation(np.arange(honest[0], split.days[-1] - horizon))
    return np.sort(days[: len(honest)])


def train_on_all_days(monkeypatch: pytest.MonkeyPatch) -> None:
    draw_origins("training", from_all_days)(monkeypatch)
    monkeypatch.setattr(training_data, "_trained_days", lambda split: split.days[-1])  # else there are no later days


def up_to_the_last_day(split: Split, honest: np.ndarray, horizon: int) -> np.ndarray:
    return np.arange(honest[0], split.days[-1] - horizon)


def adapt_a_day_early(monkeypatch: pytest.MonkeyPatch) -> None:
    def leaky(forecast: Forecast, actual: np.ndarray) -> np.ndarray:
        factors = adapted_factors(forecast, actual)
        return np.concatenate([factors[1:], factors[-1:]])

    monkeypatch.setattr(tasks, "adapted_factors", leaky)


FILLED_FROM_LATER = plant_feature(lambda column: column.bfill())
WHOLE = {"scaler.json", "history.csv", "model.weights.h5", "calibration.json", "forecasts"}


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize(
    ("plant", "cuts", "leaking"),
    [
        pytest.param(scale_by_all_days, 1, WHOLE, id="the scaler is fitted on all days"),
        pytest.param(
            scale_by_calibration_days,
            5,
            {"scaler.json", "history.csv", "model.weights.h5", "forecasts before calibration"},
            id="the scaler is fitted on calibration days too",
            marks=pytest.mark.slow,
        ),
        pytest.param(plant_feature(lambda column: column.shift(-1)), 2, {"forecasts"}, id="a feature is of tomorrow"),
        pytest.param(FILLED_FROM_LATER, 4, {"forecasts"}, id="gaps are filled from later", marks=pytest.mark.slow),
        pytest.param(
            plant_feature(lambda column: column.rolling(5, center=True, min_periods=1).mean()),
            2,
            {"forecasts"},
            id="a rolling window is centred",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            train_on_all_days,
            1,
            WHOLE - {"scaler.json"},
            id="training rows are drawn from all days",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            draw_origins("calibration", up_to_the_last_day),
            4,
            {"calibration.json", "forecasts"},
            id="bands are calibrated on test days",
        ),
        pytest.param(
            adapt_a_day_early, 4, {"forecasts"}, id="bands adapt to an outcome a day early", marks=pytest.mark.slow
        ),
    ],
)
def test_a_planted_leak_is_caught_by_name(
    plant: Plant, cuts: int, leaking: set[str], write_tiny: WriteTiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars = make_bars()
    if plant is FILLED_FROM_LATER:
        bars.loc[bars.index % 30 >= 5, "High"] = np.nan  # gaps of 25 days
    run = trained(write_tiny(bars))
    plant(monkeypatch)
    found = commands.audit(run, cuts=cuts)
    assert not found.passed
    assert {check.what for check in found.leaks} == leaking
    for what in leaking:
        assert f"{what} changed when rows after" in (found.failure() or "")


# What an audit says when it can tell nothing.


@pytest.mark.slow
@pytest.mark.usefixtures("stand_in")
def test_a_rerun_without_the_days_to_train_on_is_told_and_not_passed(write_tiny: WriteTiny) -> None:
    run = trained(write_tiny(), "horizon=30", "split.test=0.05")  # 35 test days, of which half are deleted
    found = commands.audit(run, cuts=4)
    (skipped,) = [check for check in found.checks if check.perturbation == "deleted"]
    assert (skipped.what, skipped.result) == ("training", "not applicable")
    assert any("training not applicable when rows after" in line for line in found.summary())
    assert found.passed
    assert not replace(found, checks=(skipped,)).passed
    assert "nothing was checked" in (replace(found, checks=(skipped,)).failure() or "")


@pytest.mark.usefixtures("stand_in")
def test_a_training_that_fails_only_on_altered_rows_is_a_leak(
    write_tiny: WriteTiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(write_tiny())
    fit = training_data.fit_scalers

    def refuse(config: Any, many: Any, market: Any, *, days: Any) -> Any:
        if many[0].column("Close").max() > 10_000:  # looks at all days
            raise RunError("too high.")
        return fit(config, many, market, days=days)

    monkeypatch.setattr(training_data, "fit_scalers", refuse)
    found = commands.audit(run, cuts=2)
    assert [(check.perturbation, check.what) for check in found.leaks] == [("times_1000", "training")]
    assert (found.failure() or "").endswith("were multiplied by 1000: it failed with: too high.")


@pytest.mark.slow
@pytest.mark.usefixtures("stand_in")
def test_a_training_that_is_never_the_same_twice_is_no_leak_but_an_error(
    write_tiny: WriteTiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(write_tiny())
    fit, chance = members.fit, np.random.default_rng(0)

    def shaky(network: Any, *windows: Any, callbacks: Callbacks, **settings: Any) -> Any:
        history = fit(network, *windows, callbacks=SILENT, **settings)
        network.set_weights([weights + np.float32(1e-6) * chance.random() for weights in network.get_weights()])
        callbacks.on_checkpoint(finished(network, history))
        return history

    monkeypatch.setattr(members, "fit", shaky)
    with pytest.raises(RunError, match="on this machine") as refused:
        commands.audit(run, cuts=1)
    assert refused.value.value in {"history.csv", "model.weights.h5", "calibration.json"}


@pytest.mark.usefixtures("stand_in")
def test_an_interrupted_audit_leaves_nothing_behind(
    write_tiny: WriteTiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(write_tiny())
    files = sorted(run.path.parent.rglob("*"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))

    def stop(*_: object, **__: object) -> None:
        assert len(list(scratch.iterdir())) == 1
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "train_to_end", stop)
    with pytest.raises(KeyboardInterrupt):
        commands.audit(run, cuts=1)
    assert not list(scratch.iterdir())
    assert sorted(run.path.parent.rglob("*")) == files


# The command line.


@pytest.mark.slow
def test_the_command_trains_anew_says_what_held_and_ends_with_0(write_tiny: WriteTiny) -> None:
    run = trained(write_tiny())
    done = subprocess.run(
        [sys.executable, "-m", "stockcast", "audit", "audited", "--cuts", "1"],
        cwd=run.path.parents[1],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "trained for 1 epoch only, seed 0" in done.stdout
    assert "model.weights.h5: 1 of 1 identical" in done.stdout
    assert "No leak found" in done.stdout
    assert len(done.stderr.splitlines()) == 2  # a line a rerun, and no chatter
    assert [path.name for path in run.path.parent.iterdir()] == ["audited"]


def run_command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command in this process, so that a leak can be planted in it; return its exit code."""
    monkeypatch.setattr(sys, "argv", ["stockcast", "audit", *arguments])
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)  # pytest's own stay
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code or 0  # type: ignore[return-value]


@pytest.mark.usefixtures("stand_in")
def test_json_is_one_document_whether_or_not_something_leaks(
    write_tiny: WriteTiny, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained(write_tiny())
    arguments = [str(run.path), "--cuts", "1", "--seed", "5", "--json", "--quiet"]
    assert run_command(monkeypatch, *arguments) == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert (document["passed"], document["epochs"], document["seed"], document["reruns"]) == (True, 1, 5, 1)
    assert set(document["checks"][0]) == {"cut", "alteration", "what", "result", "detail"}
    assert said.err == ""

    plant_feature(lambda column: column.shift(-1))(monkeypatch)
    assert run_command(monkeypatch, *arguments) == 1
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["passed"] is False
    (leak,) = [check for check in document["checks"] if check["result"] == "changed"]
    assert leak["what"] == "forecasts"
    assert f"forecasts changed when rows after {leak['cut']} were multiplied by random factors" in said.err
    assert "Traceback" not in said.err


def test_a_leak_is_told_in_one_sentence_with_the_first_difference() -> None:
    leak = Check(date(2015, 3, 4), "times_1000", "scaler.json", "changed", "features.center[0] was 0.1 and became 0.2")
    assert leak.sentence() == (
        "scaler.json changed when rows after 2015-03-04 were multiplied by 1000: "
        "features.center[0] was 0.1 and became 0.2."
    )
    found = AuditReport(run="mine", epochs=1, seed=0, reruns=1, checks=(leak,))
    assert found.leaks == (leak,)
    assert "No leak" not in "\n".join(found.summary())


# Several columns.


@pytest.mark.parametrize("config", [BARS, ROLLED_BARS], ids=["direct", "recursive"])
@pytest.mark.slow
@pytest.mark.usefixtures("stand_in")
def test_no_cut_off_shows_a_leak_in_any_of_several_columns(config: str, write_tiny: WriteTiny) -> None:
    assert commands.audit(trained(write_tiny(config=config)), cuts=5).passed


@pytest.mark.usefixtures("stand_in")
def test_a_leak_into_the_forecast_of_one_column_is_caught_by_its_name(
    write_tiny: WriteTiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(write_tiny(config=BARS))
    honest = SeriesDataset.other_columns

    def leaky(dataset: SeriesDataset, outputs: np.ndarray, origins: np.ndarray, closes: np.ndarray) -> dict[str, Any]:
        tomorrow = dataset.target_prices[np.minimum(origins + 1, len(dataset.target_prices) - 1), 2]
        others = honest(dataset, outputs, origins, closes)
        return {**others, "Low": np.minimum(others["Low"], tomorrow[:, None])}

    monkeypatch.setattr(SeriesDataset, "other_columns", leaky)
    found = commands.audit(run, cuts=2)
    assert {check.what for check in found.leaks} == {"forecasts"}
    assert all(", Low," in (check.detail or "") for check in found.leaks)
