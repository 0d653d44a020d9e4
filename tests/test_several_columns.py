"""Several prices forecast together, from the CSV to what is written, at tiny size."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import commands
import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from made import REPOSITORY, make_bars

from stockcast.cli.tables import print_columns, print_forecast
from stockcast.config.load import load_config
from stockcast.data.prices import Prices
from stockcast.data.scaler import Scaler
from stockcast.data.split import Split
from stockcast.data.target import TargetTransform
from stockcast.errors import DataError, MissingColumns
from stockcast.evaluation.column_scores import ColumnComparison, Errors
from stockcast.forecasting.dataset import SeriesDataset
from stockcast.models.heads import make_head
from stockcast.models.onnx.session import load_onnx
from stockcast.runs import RunDirectory

pytestmark = pytest.mark.usefixtures("replay_trainings")
WriteTiny = Callable[..., Path]
DIRECT = """\
name: bars
data: {path: prices.csv}
features: [Open, High, Low, Close, Adj Close]
target: {columns: [Open, High, Low, Close]}
window: 5
horizon: 3
model: {layers: [4], dropout: 0.0, head: point}
training: {epochs: 2, batch_size: 64}
"""
RECURSIVE = DIRECT.replace("Close]}", "Close], transform: price}\nstrategy: recursive\nscaler: minmax")
OHLC = ("open", "high", "low", "close")


def quiet(*_: object) -> None:
    """Tells nobody."""


def train(config: Path, root: Path, *overrides: str) -> RunDirectory:
    return commands.train(load_config(config, overrides), runs=root, say=quiet, report=quiet).run


def bars_of(seed: int = 0, days: int = 700) -> pd.DataFrame:
    """Made-up bars with dividends: Adj Close is below Close, the more the earlier."""
    return make_bars(days, seed=seed).assign(**{"Adj Close": lambda bars: bars["Close"] * np.linspace(0.8, 1, days)})


@pytest.fixture(scope="module", params=[DIRECT, RECURSIVE], ids=["direct", "recursive"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    folder = tmp_path_factory.mktemp("bars")
    bars_of().to_csv(folder / "prices.csv", index=False)
    (folder / "tiny.yaml").write_text(request.param)
    made = train(folder / "tiny.yaml", folder / "runs")
    commands.evaluate(made, say=quiet)
    return made


def test_a_run_keeps_one_scale_for_each_column_and_a_config_that_says_which(run: RunDirectory) -> None:
    assert {name: len(values) for name, values in run.scalers()["target"].items()} == {
        "center": 4, "scale": 4, "fill": 4,
    }  # fmt: skip
    target = load_config(run.config_path()).target
    assert (target.columns, target.column) == (("Open", "High", "Low", "Close"), "Close")


def test_the_table_keeps_its_columns_and_gains_one_for_each_price(run: RunDirectory, tmp_path: Path) -> None:
    prediction = commands.predict(run, output=tmp_path, say=quiet)
    table = pd.read_csv(prediction.table)
    assert list(table.columns) == [
        "date", "step", "median", "lower_50", "upper_50", "lower_90", "upper_90", "open", "high", "low",
        "series",
    ]  # fmt: skip
    assert table.to_dict("records") == [{**row, "series": "prices"} for row in prediction.rows]
    assert (table["low"] <= table[["open", "median"]].min(axis=1)).all()
    assert (table["high"] >= table[["open", "median"]].max(axis=1)).all()


def test_stored_forecasts_are_bars_and_lie_beside_what_came(run: RunDirectory) -> None:
    bars = bars_of()
    adjusted = bars[["Open", "High", "Low"]].mul(bars["Adj Close"] / bars["Close"], axis=0)
    with np.load(run.path / "evaluation" / "forecasts.npz") as stored:
        low, opened, high = (stored[f"median_{name}"] for name in ("low", "open", "high"))
        median = stored["quantiles"][:, :, np.argmin(np.abs(stored["levels"] - 0.5))]
        assert low.shape == opened.shape == high.shape == median.shape == (138, 3)
        assert (low <= np.minimum(opened, median)).all()
        assert (high >= np.maximum(opened, median)).all()
        for name in ("Open", "High", "Low"):
            came = [adjusted[name].to_numpy()[origin + 1 : origin + 4] for origin in range(559, 697)]
            np.testing.assert_allclose(stored[f"actual_{name.lower()}"], came, rtol=1e-12)


def test_metrics_hold_each_columns_errors_beside_its_own_rivals(run: RunDirectory) -> None:
    metrics = json.loads((run.path / "evaluation" / "metrics.json").read_text(), parse_constant=pytest.fail)
    assert list(metrics["columns"]) == ["Open", "High", "Low", "Close"]
    for steps in metrics["columns"].values():
        assert list(steps) == ["1", "3"]
        for one in steps.values():
            assert list(one) == ["model", "baselines", "skill"]
            assert list(one["baselines"]) == list(one["skill"]) == ["random_walk", "last_close"]
    # Of the Close both tables say the same.
    for step in ("1", "3"):
        close, scored = metrics["columns"]["Close"][step], metrics["horizons"][step]
        assert close["model"]["mae"] == pytest.approx(scored["model"]["mae"])
        assert close["model"]["rmse"] == pytest.approx(scored["model"]["rmse"])
        rival = close["baselines"]["random_walk"]["mae"]
        assert rival == pytest.approx(scored["baselines"]["random_walk"]["mae"])
    with np.load(run.path / "evaluation" / "forecasts.npz") as stored:
        errors = np.abs(stored["median_open"] - stored["actual_open"])[:, 2]
    assert metrics["columns"]["Open"]["3"]["model"]["mae"] == pytest.approx(errors.mean())


def test_the_forecast_is_what_a_plain_loop_over_the_network_gives(run: RunDirectory) -> None:
    config = load_config(run.config_path())
    bars = bars_of()
    factor = (bars["Adj Close"] / bars["Close"]).to_numpy()
    prices = {name.lower(): bars[name].to_numpy() * factor for name in ("Open", "High", "Low", "Close")}
    scalers = run.scalers()
    feature, target = scalers["features"], scalers["target"]

    def scaled(day: dict[str, float]) -> list[float]:
        values = [day["open"], day["high"], day["low"], day["close"], day["close"]]  # adjusted, Adj Close is the Close
        return [(value - c) / s for value, c, s in zip(values, feature["center"], feature["scale"], strict=True)]

    def fitting(day: dict[str, float]) -> dict[str, float]:
        return {**day, "high": max(day.values()), "low": min(day.values())}

    window = [scaled({name: float(prices[name][row]) for name in OHLC}) for row in range(695, 700)]
    network, days = load_onnx(run.onnx_path()), []
    if config.strategy == "recursive":
        for _ in range(3):
            said = network(np.array([window[-5:]], dtype=np.float32))[0, 0]
            answered = zip(OHLC, said.tolist(), target["center"], target["scale"], strict=True)
            days.append(fitting({name: answer * s + c for name, answer, c, s in answered}))
            window.append(scaled(days[-1]))
    else:
        drift, spread = target["center"][3], target["scale"][3]
        for step, said in enumerate(network(np.array([window], dtype=np.float32))[0].tolist()):
            moves = [
                answer * (step * spread**2 + s**2) ** 0.5 + step * drift + c
                for answer, c, s in zip(said, target["center"], target["scale"], strict=True)
            ]
            last = float(prices["close"][-1])
            days.append(fitting({name: last * np.exp(move) for name, move in zip(OHLC, moves, strict=True)}))
    rows = commands.predict(run, say=quiet).rows
    for row, day in zip(rows, days, strict=True):
        assert [row["open"], row["high"], row["low"], row["median"]] == pytest.approx(
            [day[name] for name in OHLC], rel=2e-5
        )


def test_a_recursive_network_forecasts_all_columns_further_than_its_horizon(run: RunDirectory, tmp_path: Path) -> None:
    if load_config(run.config_path()).strategy == "recursive":
        assert len({row["open"] for row in commands.predict(run, horizon=8, output=tmp_path, say=quiet).rows}) == 8


def test_a_forecast_of_all_columns_is_in_the_dollars_quoted_on_the_last_day(run: RunDirectory, tmp_path: Path) -> None:
    bars = bars_of(seed=1)  # not what the run was trained on, so scaled by its own past
    bars.to_csv(tmp_path / "plain.csv", index=False)
    bars.assign(**{"Adj Close": bars["Adj Close"] / 2}).to_csv(tmp_path / "halved.csv", index=False)
    plain, halved = (
        commands.predict(run, data=tmp_path / name, output=tmp_path, say=quiet).rows
        for name in ("plain.csv", "halved.csv")
    )
    for one, other in zip(plain, halved, strict=True):
        assert [one[name] for name in ("open", "high", "low", "median")] == pytest.approx(
            [other[name] for name in ("open", "high", "low", "median")], rel=2e-5
        )


def test_another_series_is_scored_on_the_scale_of_its_own_columns(run: RunDirectory, tmp_path: Path) -> None:
    bars = bars_of(seed=1)
    prices = ["Open", "High", "Low", "Close", "Adj Close"]
    bars[prices] *= 1000  # far from all that the run has seen
    bars.to_csv(tmp_path / "other.csv", index=False)
    columns = commands.evaluate(run, data=tmp_path / "other.csv", say=quiet).columns
    usual = bars["Close"].mean()
    assert all(steps[1].model.mae < usual / 2 for steps in columns.values())


def test_a_file_that_lacks_columns_is_refused_with_all_of_them(run: RunDirectory, tmp_path: Path) -> None:
    bars_of()[["Date", "Open", "Close"]].to_csv(tmp_path / "thin.csv", index=False)
    for command in (commands.predict, commands.evaluate):
        with pytest.raises(MissingColumns, match=r"needs inputs.*thin\.csv has no column Adj Close, High, Low; it has"):
            command(run, data=tmp_path / "thin.csv", say=quiet)


def test_columns_that_only_the_inputs_or_only_the_answers_need_are_named_together(
    write_tiny: WriteTiny, tmp_path: Path
) -> None:
    text = DIRECT.replace("[Open, High, Low, Close, Adj Close]", "[Close, Volume]")
    with pytest.raises(MissingColumns, match="has no column High, Low, Volume; it has Open, Close"):
        train(write_tiny(bars_of()[["Date", "Open", "Close"]], config=text), tmp_path / "runs")


def test_the_tables_on_the_terminal_name_every_price(
    run: RunDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = ColumnComparison(Errors(1.5, 2.5), {"random_walk": Errors(3.0, 9.0), "last_close": Errors(1.0, 9.0)},
                           {"random_walk": 0.5, "last_close": -0.5})  # fmt: skip
    print_columns({"Open": {1: one}, "Close": {1: one}})
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    row = ["1.50", "2.50", "3.00", "50.0", "%", "lower", "1.00", "50.0", "%", "higher"]
    assert ["1", "Open", *row] in lines
    assert ["Close", *row] in lines

    prediction = commands.predict(run, output=tmp_path, say=quiet)
    print_forecast(prediction.value)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["date", "step", "median", "90", "%", "band", "open", "high", "low"] in lines
    last = prediction.rows[-1]
    names = ("median", "lower_90", "upper_90", "open", "high", "low")
    median, lower, upper, *others = (f"{last[name]:,.2f}" for name in names)
    assert [last["date"], "3", median, lower, "to", upper, *others] in lines


def test_gaps_in_any_column_that_is_forecast_are_refused_and_counted(
    run: RunDirectory, write_tiny: WriteTiny, tmp_path: Path
) -> None:
    gaps = bars_of()
    gaps.loc[[5, 9], "Open"], gaps.loc[3, "Low"] = 0.0, np.nan
    told = "2 days without Open, 1 day without Low, the first 2010-01-07"
    with pytest.raises(DataError, match=told):
        train(write_tiny(gaps, config=DIRECT), tmp_path / "runs")
    assert not (tmp_path / "runs").exists()
    gaps.to_csv(tmp_path / "gaps.csv", index=False)
    with pytest.raises(DataError, match=rf"gaps\.csv: {told}"):
        commands.predict(run, data=tmp_path / "gaps.csv", say=quiet)


def test_without_adjusting_the_adj_close_is_a_column_of_its_own(write_tiny: WriteTiny, tmp_path: Path) -> None:
    text = RECURSIVE.replace("Close], transform", "Close, Adj Close], adjusted: false, transform")
    text = text.replace("{layers", "{cell: last_day, layers")
    run = train(write_tiny(bars_of(), config=text), tmp_path / "runs")
    rows = commands.predict(run, say=quiet).rows
    assert list(rows[0])[-4:] == ["open", "high", "low", "adj_close"]
    assert "Adj Close" in commands.evaluate(run, say=quiet).columns


def test_one_price_is_written_as_it_always_was(write_tiny: WriteTiny, tmp_path: Path) -> None:
    text = DIRECT.replace("{columns: [Open, High, Low, Close]}", "{column: Open}")
    text = text.replace("{layers", "{cell: last_day, layers")
    run = train(write_tiny(bars_of(), config=text), tmp_path / "runs")
    assert "columns" not in yaml.safe_load((run.path / "config.yaml").read_text())["target"]
    evaluation = commands.evaluate(run, say=quiet)
    assert "columns" not in evaluation.metrics
    with np.load(evaluation.folder / "forecasts.npz") as stored:
        assert set(stored) == {"origin_dates", "target_dates", "levels", "quantiles", "actual", "last_close"}
    assert list(commands.predict(run, say=quiet).rows[0])[-1] == "upper_90"


def test_the_lesson_loads_and_finds_its_data() -> None:
    path = REPOSITORY / "configs" / "lessons" / "ohlc.yaml"
    lesson = load_config(path)
    assert (lesson.name, lesson.features) == ("ohlc", ("Open", "High", "Low", "Close", "Adj Close"))
    assert lesson.target.names == ("Open", "High", "Low", "Close")
    assert all(file.exists() for file in lesson.data.path)
    assert path.read_text().startswith("# yaml-language-server: $schema=../schema.json\n# ")
    load_config(path, ["strategy=recursive", "target.transform=price"])


@pytest.mark.parametrize("transform", ["log_return", "price"])
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_whatever_a_network_says_what_is_written_is_a_bar(transform: Any, data: st.DataObject) -> None:
    outputs = data.draw(arrays(np.float32, (2, 3, 4), elements=st.floats(-(2.0**100), 2.0**100, width=32)))
    scaler = Scaler(np.array([100.0, 101, 99, 100]), np.array([3.0, 4, 5, 6]), np.zeros(4))
    bars = pd.DataFrame(100.0, index=pd.bdate_range("2010-01-04", periods=9), columns=["Open", "High", "Low", "Close"])
    dataset = SeriesDataset(
        prices=Prices(Path("bars.csv"), bars, bars["Close"].to_numpy(), sha256=""),
        split=Split((0, 3, 5, 7, 9)),
        target_prices=bars.to_numpy(),
        volatility=None,
        scaled=np.zeros((9, 1)),
        target=TargetTransform(transform, scaler, tuple(bars.columns)),
        head=make_head("point", columns=4),
        window=1,
        horizon=3,
        recursive=False,
    )
    origins = np.array([4, 5])
    closes = dataset.quantiles(outputs, origins, np.array([0.5]))[:, :, 0]
    others = dataset.other_columns(outputs, origins, closes)
    assert list(others) == ["Open", "High", "Low"]
    for inside in (others["Open"], closes):
        assert (others["Low"] <= inside).all()
        assert (inside <= others["High"]).all()
    assert all(np.isfinite(prices).all() and (prices > 0).all() for prices in others.values())
