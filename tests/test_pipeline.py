"""The whole way from a CSV to a verdict, at tiny size."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import commands
import numpy as np
import pandas as pd
import pytest
from made import QUICK, REPOSITORY, TINY, make_bars
from replayed import anew

import stockcast as sc
from stockcast.config.bundled import bundled_configs
from stockcast.config.load import load_config
from stockcast.errors import DataError, MissingColumns, NotEnoughDays, RunError, StockcastError, TrainingError
from stockcast.evaluation.calibration.conformal import ConformalScaling, fit_scaling
from stockcast.forecast import Forecast
from stockcast.forecasting.tasks import PriceTask
from stockcast.forecasting.training_data import read_training_prices
from stockcast.models.onnx.session import load_onnx
from stockcast.runs import RunDirectory

pytestmark = pytest.mark.usefixtures("replay_trainings")
WriteTiny = Callable[..., Path]
RECURSIVE = """\
name: rolled
data: {path: prices.csv}
features: [Close]
target: {transform: price}
window: 5
horizon: 3
strategy: recursive
scaler: minmax
model: {layers: [4], head: point}
training: {epochs: 2}
"""


def quiet(*_: object) -> None:
    """Tells nobody."""


def train(config: Path, root: Path, *overrides: str, name: str | None = None) -> RunDirectory:
    return commands.train(load_config(config, overrides), runs=root, name=name, say=quiet, report=quiet).run


def trained_anew(config: Path, root: Path) -> RunDirectory:
    with anew():
        return train(config, root)


def stored(run: RunDirectory) -> dict[str, np.ndarray]:
    with np.load(run.path / "evaluation" / "forecasts.npz") as arrays:  # allow_pickle is off by default
        return dict(arrays)


def answers(run: RunDirectory, *, features: int) -> np.ndarray:
    """What the run's network answers to the same made-up windows: equal to the last bit only for equal weights."""
    windows = np.random.default_rng(0).normal(size=(50, 5, features)).astype(np.float32)
    return load_onnx(run.onnx_path())(windows)


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    folder = tmp_path_factory.mktemp("tiny")
    make_bars().to_csv(folder / "prices.csv", index=False)
    (folder / "tiny.yaml").write_text(TINY)
    run = train(folder / "tiny.yaml", folder / "runs")
    commands.evaluate(run, picture=True, say=quiet)
    return run


def test_training_leaves_every_file_that_the_design_promises(tiny_run: RunDirectory) -> None:
    names = {path.relative_to(tiny_run.path).as_posix() for path in tiny_run.path.rglob("*") if path.is_file()}
    assert {
        "run.json", "config.yaml", "scaler.json", "history.csv", "model.onnx", "model.weights.h5", "plots/loss.png",
        "evaluation/metrics.json", "evaluation/forecasts.npz", "evaluation/verdict.txt",
        "evaluation/plots/forecasts.png", "evaluation/plots/skill.png", "evaluation/plots/coverage.png",
        "evaluation/plots/pit.png", "evaluation/plots/levels.png", "calibration.json",
    } <= names  # fmt: skip
    assert list(pd.read_csv(tiny_run.path / "history.csv").columns) == [
        "epoch",
        "loss",
        "val_loss",
        "seconds",
        "member",
    ]


def test_the_stored_config_trains_the_same_network_again(tiny_run: RunDirectory, tmp_path: Path) -> None:
    with anew():
        again = train(tiny_run.path / "config.yaml", tmp_path)
    for name in ("config.yaml", "scaler.json"):
        assert (again.path / name).read_bytes() == (tiny_run.path / name).read_bytes()
    np.testing.assert_array_equal(answers(again, features=2), answers(tiny_run, features=2))


def test_stored_forecasts_have_the_shapes_and_the_prices_of_the_file(tiny_run: RunDirectory) -> None:
    arrays = stored(tiny_run)
    bars = make_bars()
    dates, closes = bars["Date"].to_numpy("datetime64[D]"), bars["Close"].to_numpy()
    # 700 days, the last 20 % are test days 560 to 699; origins 559 to 696 have three targets among them
    assert arrays["origin_dates"][0] == dates[559]
    assert arrays["target_dates"][-1, -1] == dates[699]
    assert arrays["quantiles"].shape == (138, 3, len(arrays["levels"]))
    np.testing.assert_allclose(arrays["actual"][10], closes[570:573], rtol=1e-12)
    np.testing.assert_allclose(arrays["last_close"][10], closes[569], rtol=1e-12)
    assert (np.diff(arrays["quantiles"], axis=2) >= 0).all()


def test_metrics_hold_what_the_design_promises_and_no_nan(tiny_run: RunDirectory) -> None:
    metrics = json.loads((tiny_run.path / "evaluation" / "metrics.json").read_text(), parse_constant=pytest.fail)
    assert {"data", "split", "horizons", "overall", "chances", "trend", "lag", "verdict"} <= set(metrics)
    for by_name in metrics["chances"].values():
        assert set(by_name) == {"model", "random_walk", "drift", "volatility_20", "ewma", "garch_t", "gjr_skewt"}
        for event in (event for chances in by_name.values() for event in chances.values()):
            assert len(event["levels"]) == 10
            assert event["promised"] == pytest.approx(np.mean([level["promised"] for level in event["levels"]]))
    for comparison in (*metrics["horizons"].values(), metrics["overall"]):
        assert {"model", "baselines", "skill", "tests"} <= set(comparison)
        assert set(comparison["baselines"]) == {"random_walk", "drift", "volatility_20", "ewma", "garch_t", "gjr_skewt"}
        for scores in (comparison["model"], *comparison["baselines"].values()):
            assert {
                "crps", "mae", "rmse", "mape", "coverage_50", "coverage_90", "width_90", "direction_accuracy",
            } <= set(scores)  # fmt: skip
    assert (tiny_run.path / "evaluation" / "verdict.txt").read_text().splitlines() == metrics["verdict"]


def test_a_file_that_ends_at_an_origin_gives_the_forecast_that_evaluate_made_there(
    tiny_run: RunDirectory, tmp_path: Path
) -> None:
    arrays = stored(tiny_run)
    for row in (0, 57, 137):
        known = make_bars()[: 559 + row + 1]
        known.to_csv(tmp_path / "prices.csv", index=False)  # by its closes, the series that the run was trained on
        prediction = commands.predict(tiny_run, data=tmp_path / "prices.csv", output=tmp_path, say=quiet)
        np.testing.assert_allclose(prediction.forecast.quantiles[0], arrays["quantiles"][row], rtol=1e-6)


@pytest.mark.parametrize(
    "config", [pytest.param(TINY, id="direct"), pytest.param(RECURSIVE, id="recursive", marks=pytest.mark.slow)]
)
def test_prices_after_the_origin_never_change_what_came_before(
    config: str, write_tiny: WriteTiny, tmp_path: Path
) -> None:
    bars = make_bars()
    nonsense = bars.copy()
    cut = 620  # in the test part, which begins at day 560
    random = np.random.default_rng(1)
    prices = ["Open", "High", "Low", "Close", "Adj Close"]
    wild = 1e4 * np.exp(random.standard_normal((len(bars) - cut - 1, 1)))
    nonsense.loc[cut + 1 :, prices] = np.repeat(wild, len(prices), axis=1)

    runs = [
        trained_anew(write_tiny(rows, folder=folder, config=config.replace("csv}", "csv, accept_damage: true}")), root)
        for rows, folder, root in ((bars, "true", tmp_path / "true"), (nonsense, "false", tmp_path / "false"))
    ]
    for run in runs:
        commands.evaluate(run, say=quiet)

    assert runs[0].scalers() == runs[1].scalers()
    features = len(load_config(runs[0].config_path()).features)
    np.testing.assert_array_equal(*(answers(run, features=features) for run in runs))  # same windows, same weights
    before, after = (stored(run) for run in runs)
    known = before["origin_dates"] <= np.datetime64(bars["Date"][cut])
    assert 0 < known.sum() < len(known)
    np.testing.assert_array_equal(before["quantiles"][known], after["quantiles"][known])
    assert not np.array_equal(before["actual"], after["actual"])


def test_calibrated_bands_of_a_point_forecast_are_around_it_and_stored(write_tiny: WriteTiny, tmp_path: Path) -> None:
    run = train(write_tiny(config=RECURSIVE), tmp_path / "runs")
    assert set(run.calibration()) == {"kind", "levels", "offsets", "origins"}
    commands.evaluate(run, say=quiet)
    arrays = stored(run)
    assert (arrays["quantiles"][:, :, 0] < arrays["quantiles"][:, :, -1]).all()


@pytest.mark.parametrize("config", [TINY, RECURSIVE])
def test_bands_are_fitted_on_every_few_days_where_there_are_very_many(
    config: str, write_tiny: WriteTiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_tiny(config=config)
    every = train(path, tmp_path / "every").calibration()["origins"]
    monkeypatch.setattr("stockcast.pipeline.train._MOST_CALIBRATED", every // 2 - 1)
    assert train(path, tmp_path / "some").calibration()["origins"] == -(-every // 3)


def test_of_very_many_forecasts_bands_are_fitted_on_other_days_of_each_series(
    write_tiny: WriteTiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = QUICK.replace("path: prices.csv", "path: [prices.csv, other.csv]") + "target: {scale: volatility}\n"
    several = several.replace("[log_return, log_range]", "[return_in_volatility]")
    path = write_tiny(config=several)
    make_bars(seed=8).to_csv(path.parent / "other.csv", index=False)
    days: list[set[np.datetime64]] = []

    def looked_at(pairs: Iterable[tuple[Forecast, np.ndarray]]) -> ConformalScaling:
        kept = list(pairs)
        days.extend(set(forecast.origin_dates) for forecast, _ in kept)
        return fit_scaling(kept)

    monkeypatch.setattr("stockcast.pipeline.train.fit_scaling", looked_at)
    every = train(path, tmp_path / "every").calibration()["origins"]
    monkeypatch.setattr("stockcast.pipeline.train._MOST_CALIBRATED", every - 1)
    train(path, tmp_path / "some")
    first, second, *thinned = days
    assert first == second
    assert thinned[0] & thinned[1] == set()
    assert thinned[0] | thinned[1] == first


def test_a_forecast_is_the_same_whatever_other_days_are_forecast_with_it(tiny_run: RunDirectory) -> None:
    predictor = sc.Predictor.load(tiny_run)
    (_, own), *_ = predictor.own_sources()
    dataset = predictor.dataset(predictor.read_own(own))
    assert isinstance(predictor.task, PriceTask)
    start = predictor.task.adaptation_start(dataset)
    assert start is not None
    dates, steps = dataset.prices.dates, predictor.config.horizon

    def quantiles(task: PriceTask, origins: range) -> np.ndarray:
        return task.forecast(predictor.network, dataset, dates, np.array(origins), steps=steps).quantiles

    late = range(start + 20, start + 60, 7)
    alone = quantiles(predictor.task, late)
    from_before = quantiles(predictor.task, range(start - 30, start + 60))
    np.testing.assert_allclose(from_before[50::7], alone, rtol=1e-12)
    # Before the first day that bands adapt to, they are as they were fitted.
    fixed = quantiles(replace(predictor.task, adapt_from=None), range(start - 30, start))
    np.testing.assert_allclose(from_before[:30], fixed, rtol=1e-12)
    assert not np.allclose(alone, quantiles(replace(predictor.task, adapt_from=None), late))


def test_a_recursive_network_forecasts_further_than_its_horizon_and_a_direct_one_refuses(
    tiny_run: RunDirectory, write_tiny: WriteTiny, tmp_path: Path
) -> None:
    run = train(write_tiny(config=RECURSIVE), tmp_path / "runs")
    prediction = commands.predict(run, horizon=8, say=quiet)
    assert len(prediction.rows) == 8
    widths = [row["upper_90"] - row["lower_90"] for row in prediction.rows]
    assert widths[7] > widths[2]
    with pytest.raises(StockcastError) as refused:
        commands.predict(tiny_run, horizon=8, say=quiet)
    assert (refused.value.key, refused.value.value) == ("--horizon", 8)


def test_a_forecast_is_dated_on_the_exchanges_sessions(tiny_run: RunDirectory, tmp_path: Path) -> None:
    bars = make_bars(60)
    bars["Date"] = pd.bdate_range(end="2018-12-31", periods=60).strftime("%Y-%m-%d")
    bars.to_csv(tmp_path / "newer.csv", index=False)
    prediction = commands.predict(
        tiny_run, data=tmp_path / "newer.csv", output=tmp_path / "out", picture=True, say=quiet
    )
    table = pd.read_csv(tmp_path / "out" / "forecast.csv")
    assert list(table.columns) == ["date", "step", "median", "lower_50", "upper_50", "lower_90", "upper_90", "series"]
    assert set(table["series"]) == {"newer"}
    assert list(table["date"]) == ["2019-01-02", "2019-01-03", "2019-01-04"]
    assert (prediction.table.parent / "forecast.png").read_bytes().startswith(b"\x89PNG")


def test_a_forecast_that_begins_before_the_files_last_row_says_so(write_tiny: WriteTiny, tmp_path: Path) -> None:
    run = train(write_tiny(config=QUICK), tmp_path / "runs", "data.end=2012-09-05")
    told: list[str] = []
    early = commands.predict(run, say=told.append)
    (file,) = (Path(one.path) for one in run.trained_on())
    said = f"prices.csv: 2 rows after data.end 2012-09-05 left out; --data {file} forecasts from its last row."
    assert said in told
    told.clear()
    last = commands.predict(run, data=file, say=told.append)
    assert not any("left out" in sentence for sentence in told)
    assert [str(one.forecast.origin_dates[0]) for one in (early, last)] == ["2012-09-05", "2012-09-07"]


def test_a_forecast_is_in_the_dollars_that_were_quoted_on_the_last_day(tiny_run: RunDirectory, tmp_path: Path) -> None:
    bars = make_bars(60)
    bars.to_csv(tmp_path / "plain.csv", index=False)
    bars["Adj Close"] = bars["Close"] / 2  # a dividend since: every adjusted price is half the quoted one
    bars.to_csv(tmp_path / "adjusted.csv", index=False)
    plain, adjusted = (
        commands.predict(tiny_run, data=tmp_path / name, output=tmp_path, say=quiet).rows
        for name in ("plain.csv", "adjusted.csv")
    )
    assert adjusted == plain


def test_data_that_do_not_fit_the_run_are_refused_in_plain_words(tiny_run: RunDirectory, tmp_path: Path) -> None:
    bars = make_bars(60)
    bars[["Date", "Close"]].to_csv(tmp_path / "closes.csv", index=False)
    bars[:4].to_csv(tmp_path / "short.csv", index=False)
    with pytest.raises(MissingColumns, match="High, Low") as refused:
        commands.predict(tiny_run, data=tmp_path / "closes.csv", say=quiet)
    assert refused.value.file == str(tmp_path / "closes.csv")
    with pytest.raises(NotEnoughDays) as short:
        commands.predict(tiny_run, data=tmp_path / "short.csv", say=quiet)
    assert (short.value.file, short.value.value) == (str(tmp_path / "short.csv"), 4)


def test_a_file_too_short_to_train_on_is_refused_before_anything_is_written(
    write_tiny: WriteTiny, tmp_path: Path
) -> None:
    with pytest.raises(NotEnoughDays, match="validation") as refused:
        train(write_tiny(make_bars(20)), tmp_path / "runs")
    assert Path(refused.value.file).name == "prices.csv"
    assert not (tmp_path / "runs").exists()


def test_one_day_ahead_works_from_training_to_forecast(write_tiny: WriteTiny, tmp_path: Path) -> None:
    run = train(write_tiny(config=QUICK), tmp_path / "runs", "horizon=1")
    assert set(commands.evaluate(run, say=quiet).metrics["horizons"]) == {"1"}
    assert len(commands.predict(run, say=quiet).rows) == 1


def test_the_inputs_scale_does_not_change_what_returns_are_answered_in(write_tiny: WriteTiny, tmp_path: Path) -> None:
    kinds = [
        train(write_tiny(config=QUICK), tmp_path / "runs", f"scaler={kind}").scalers()
        for kind in ("standard", "minmax")
    ]
    assert kinds[0]["target"] == kinds[1]["target"]
    assert kinds[0]["features"] != kinds[1]["features"]


def test_a_target_with_gaps_is_refused_before_training(write_tiny: WriteTiny, tmp_path: Path) -> None:
    bars = make_bars()
    bars.loc[3, "Open"] = 0.0
    with pytest.raises(DataError, match="1 day without Open, the first 2010-01-07"):
        train(write_tiny(bars), tmp_path / "runs", "target.column=Open")
    assert not (tmp_path / "runs").exists()


def test_a_price_file_that_changes_during_training_is_found_out(write_tiny: WriteTiny, tmp_path: Path) -> None:
    config = write_tiny(config=QUICK)

    def swap(_: object) -> None:
        write_tiny(make_bars(seed=1))

    run = commands.train(load_config(config), runs=tmp_path / "runs", say=quiet, report=swap).run
    with pytest.raises(RunError) as refused:
        commands.evaluate(run, say=quiet)
    assert refused.value.file == str(config.parent / "prices.csv")


def test_bars_that_are_not_the_exchanges_days_are_told(write_tiny: WriteTiny, tmp_path: Path) -> None:
    bars = make_bars()
    bars["Date"] = pd.date_range("2010-01-03", periods=len(bars), freq="D").strftime("%Y-%m-%d")
    told: list[str] = []
    commands.train(load_config(write_tiny(bars, config=QUICK)), runs=tmp_path / "runs", say=told.append)
    assert any("are not XNYS trading sessions" in sentence for sentence in told)


@pytest.mark.parametrize(
    ("key", "remark"),
    [
        ("data.start=2001-01-04", "the first day is 2010-01-04, 9 years after data.start 2001-01-04"),
        ("data.start=2009-12-01", "the first day is 2010-01-04, 1 month after data.start 2009-12-01"),
        ("data.start=2009-12-10", None),  # a holiday or two are nothing to tell
        ("data.start=2010-02-01", None),
        ("data.end=2013-06-30", "the last day is 2012-09-07, 10 months before data.end 2013-06-30"),
        ("data.end=2012-09-30", None),
        (
            "data.end=2012-09-05",
            "2 rows after data.end 2012-09-05 left out, so that forecasts begin after that day; data.end: null "
            "takes all",
        ),
    ],
)
def test_days_asked_for_that_the_file_lacks_and_days_left_out_are_told_and_kept_with_the_run(
    key: str, remark: str | None, write_tiny: WriteTiny
) -> None:
    told: list[str] = []
    (prices,) = read_training_prices(load_config(write_tiny(), [key]), told.append).series
    assert [one for one in told if "data." in one] == ([f"prices.csv: {remark}."] if remark else [])
    assert [one for one in prices.notes if "data." in one] == ([remark] if remark else [])


def test_evaluating_on_a_changed_price_file_is_refused(write_tiny: WriteTiny, tmp_path: Path) -> None:
    run = train(write_tiny(config=QUICK), tmp_path / "runs")
    write_tiny(make_bars(seed=1))
    with pytest.raises(RunError) as refused:
        commands.evaluate(run, say=quiet)
    assert refused.value.file == run.trained_on()[0].path


def test_a_training_that_fails_before_it_learnt_anything_leaves_no_run_behind(
    write_tiny: WriteTiny, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match="Lower"):  # a step so large that the first epoch ends in no number
        train(write_tiny(), tmp_path / "runs", "training.learning_rate=10", "training.optimizer=sgd",
              "training.batch_size=4", "training.clip_norm=null", "model.head=point", "target.scale=training",
              "model.output_l2=1")  # fmt: skip
    assert not list((tmp_path / "runs").iterdir())


SMALL = (
    "data.start=2013-01-01", "split.validation=0.1", "split.calibration=0.1", "split.test=0.2",
    "window=8", "horizon=5", "training.epochs=1", "training.batch_size=256",
)  # fmt: skip


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == "quick" else pytest.mark.slow) for name in bundled_configs()]
)
def test_every_shipped_config_trains_evaluates_and_predicts(name: str, tmp_path: Path) -> None:
    run = train(REPOSITORY / "configs" / f"{name}.yaml", tmp_path, *SMALL, "model.layers=[4, 4]")
    evaluation = commands.evaluate(run, picture=True, say=quiet)
    assert evaluation.verdict[-1].startswith("In short")
    assert len(commands.predict(run, picture=True, say=quiet).rows) == 5
