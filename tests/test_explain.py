"""`explain` from a finished run to its tables and pictures, at tiny size."""

import json
import re
import shutil
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
from test_several_columns import DIRECT as BARS
from test_several_columns import RECURSIVE as ROLLED_BARS
from test_several_columns import bars_of
from typer.testing import CliRunner

from stockcast.cli import app
from stockcast.config.load import load_config
from stockcast.errors import DataError, RunError
from stockcast.evaluation.importance import Importance
from stockcast.forecasting.networks import build_member, load_keras_network
from stockcast.forecasting.predictor import Predictor
from stockcast.models.build import average
from stockcast.pipeline import explain as explaining
from stockcast.runs import RunDirectory
from stockcast.runs.integrity import check_integrity
from stockcast.runs.safe_io import sha256

pytestmark = pytest.mark.usefixtures("replay_trainings")
WriteTiny = Callable[..., Path]
DATES = list(make_bars()["Date"])
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
training: {epochs: 1}
"""


def train(config: Path, root: Path, *overrides: str) -> RunDirectory:
    return commands.train(load_config(config, overrides), runs=root).run


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    make_bars().to_csv(folder / "prices.csv", index=False)
    (folder / "tiny.yaml").write_text(TINY)
    return folder


@pytest.fixture(scope="module")
def run(home: Path) -> RunDirectory:
    return train(home / "tiny.yaml", home / "runs", "ensemble.members=2")


@pytest.fixture(scope="module")
def found(run: RunDirectory) -> commands.Explained:
    return commands.explain(run, picture=True)


def test_the_last_day_is_explained_and_the_run_stays_whole(run: RunDirectory, found: commands.Explained) -> None:
    assert found.folder == run.path / "explanations" / f"prices-{DATES[-1]}"
    names = {path.name for path in found.folder.iterdir()}
    assert names == {
        "saliency.csv", "saliency-spread.png", "saliency-middle.png", "units.png", "units-lstm_1.csv",
        "units-lstm_2.csv", "gates.csv", "gates.png", "gradient.csv", "gradient.png", "importance.csv",
        "importance.png", "source.json",
    }  # fmt: skip
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in found.folder.glob("*.png"))
    assert check_integrity(run.path).faults == ()
    json.dumps(found.to_json(), allow_nan=False)


def test_the_table_of_saliency_adds_up_to_what_the_forecast_says(run: RunDirectory, found: commands.Explained) -> None:
    table = pd.read_csv(found.folder / "saliency.csv")
    prediction = commands.predict(run)
    close = make_bars()["Close"].iloc[-1]
    assert len(table) == 2 * 2 * 5 * 2  # spread and middle, 1 and 3 days ahead, 5 days of 2 features
    assert sorted(set(table["date"])) == DATES[-5:]
    baselines = {(one.what, one.days_ahead): one.saliency.baseline_value for one in found.attributions}
    for (what, ahead), rows in table.groupby(["what", "days_ahead"]):
        median = prediction.rows[ahead - 1]["median"]
        said = baselines[what, ahead] + rows["integrated_gradients"].sum()
        if what == "middle":  # which calibration leaves alone; forecast.csv has six digits of the price
            assert said == pytest.approx(100 * np.log(median / close), abs=2e-3)
    last = table[(table["date"] == DATES[-1]) & (table["feature"] == "log_return")]
    closes = make_bars()["Close"].to_numpy()
    np.testing.assert_allclose(last["input"], np.log(closes[-1] / closes[-2]), rtol=1e-9)


@pytest.mark.parametrize("kind", ["standard", "minmax"])
def test_the_baseline_is_the_training_means(
    kind: str, run: RunDirectory, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where every day is the training mean, there is nothing to explain; scaled by standard, that is all zeros."""
    if kind != "standard":
        run = train(home / "tiny.yaml", tmp_path, f"scaler={kind}", "model.layers=[3]", "training.epochs=1")
    baselines, honest = [], explaining.saliency

    def seen(*inputs: Any, baseline: np.ndarray, **settings: Any) -> Any:
        baselines.append(baseline)
        return honest(*inputs, baseline=baseline, **settings)

    monkeypatch.setattr(explaining, "saliency", seen)
    commands.explain(run, output=tmp_path / "out")
    (baseline,) = baselines
    predictor = Predictor.load(run)
    dataset = predictor.dataset(predictor.read_as_trained())
    means = dataset.scaled[dataset.split.part("training")].mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(baseline, np.tile(means, (5, 1)), atol=1e-6)
    assert (np.abs(baseline).max() < 1e-12) == (kind == "standard")
    np.testing.assert_array_equal(dataset.closes, dataset.prices.column("Close"))


def test_no_row_after_the_day_moves_its_explanation(run: RunDirectory, home: Path, tmp_path: Path) -> None:
    day = DATES[600]  # in the test part, after all validation days
    (home / "later").mkdir(exist_ok=True)
    bars = make_bars()
    bars.loc[601:, ["Open", "High", "Low", "Close", "Adj Close"]] *= 3
    bars.to_csv(home / "later" / "prices.csv", index=False)
    before, after = (
        commands.explain(run, day=date.fromisoformat(day), data=data, output=tmp_path / name)
        for name, data in (("before", None), ("after", home / "later" / "prices.csv"))
    )
    assert [str(one) for one in before.dates] == DATES[596:601]
    for one, other in zip(before.attributions, after.attributions, strict=True):
        np.testing.assert_array_equal(one.saliency.integrated, other.saliency.integrated)
    for one, other in zip(before.activations, after.activations, strict=True):
        np.testing.assert_array_equal(one.states, other.states)
    np.testing.assert_array_equal(before.importance.increases, after.importance.increases)  # of validation days alone
    np.testing.assert_array_equal(before.gradients[0].norms, after.gradients[0].norms)


@pytest.mark.parametrize(
    ("day", "word"),
    [("2030-01-01", "outside"), ("1990-01-01", "outside"), ("2012-01-07", "2012-01-06"), (DATES[3], "fewer than 5")],
)
def test_a_day_that_cannot_be_explained_names_the_span(day: str, word: str, run: RunDirectory) -> None:
    with pytest.raises(DataError, match=f"{word}.* {DATES[4]} to {DATES[-1]}") as refused:
        commands.explain(run, day=date.fromisoformat(day))
    assert (refused.value.key, refused.value.value) == ("--date", date.fromisoformat(day))


def test_the_first_day_with_a_full_window_is_explained(run: RunDirectory, tmp_path: Path) -> None:
    found = commands.explain(run, day=date.fromisoformat(DATES[4]), output=tmp_path)
    assert [str(one) for one in found.dates] == DATES[:5]
    assert (tmp_path / "saliency.csv").exists()


def test_the_summary_names_days_features_reach_and_what_is_of_the_first_member(found: commands.Explained) -> None:
    told = " ".join(found.summary())
    assert f"the forecast from {DATES[-1]}, which looks back to {DATES[-5]}" in told
    assert re.search("The 90 % band 3 days ahead is (as wide as|[0-9]+ % (wider|narrower) than) after a window", told)
    assert "The median 1 day ahead is" in told
    assert "4 days back, in the run's lstm, trained (the same lstm, untrained:" in told
    assert re.search("validation origins, (CRPS rises beyond|no feature matters beyond) the noise", told)
    assert "The run averages 2 networks" in told


@pytest.mark.parametrize(
    ("increases", "said"),
    [
        # loss 1; mean 0.1, 0.2 and -0.1, deviations 0, 0.283 and 0: the dearest cannot be told from its own noise
        (
            [[0.1, 0.1], [0.0, 0.4], [-0.1, -0.1]],
            "CRPS rises beyond the noise of the shuffles without a (+10.0 %); CRPS falls without c (-10.0 %); "
            "the other one stays within it, at most b (+20.0 %)",
        ),
        (
            [[0.0, 0.4], [0.0, 0.0], [0.1, -0.1]],
            "no feature matters beyond the noise of the shuffles; all 3 stay within it, at most a (+20.0 %)",
        ),
        (
            [[0.1, 0.1], [0.2, 0.2], [0.3, 0.3], [0.4, 0.4], [0.5, 0.5]],
            "CRPS rises beyond the noise of the shuffles without e (+50.0 %), d (+40.0 %), c (+30.0 %) and 2 more",
        ),
    ],
)
def test_every_feature_is_accounted_for_by_what_shuffling_it_costs(
    increases: list[list[float]], said: str, found: commands.Explained
) -> None:
    names = tuple("abcde"[: len(increases)])
    importance = Importance(1.0, np.array(increases))
    told = replace(
        found.value, importance=importance, features=names, attributions=(), gradients=(), notes=()
    ).summary()
    assert told[-1] == f"Shuffled among {found.origins} validation origins, {said}."


def test_gradients_are_those_of_the_run_of_itself_untrained_and_of_a_simple_rnn(found: commands.Explained) -> None:
    labels = ["the run's lstm, trained", "the same lstm, untrained", "a simple_rnn of the same size, untrained"]
    assert [one.network for one in found.gradients] == labels
    table = pd.read_csv(found.folder / "gradient.csv")
    assert list(table["days_back"]) == len(found.gradients) * [0, 1, 2, 3, 4]
    assert (table[table["days_back"] == 0]["share_of_last_day"] == 1).all()
    assert (table["norm"] > 0).all()


def test_a_simple_rnn_is_held_against_an_lstm_and_has_no_gates(write_tiny: WriteTiny, tmp_path: Path) -> None:
    run = train(write_tiny(), tmp_path / "runs", "model.cell=simple_rnn", "training.epochs=1")
    found = commands.explain(run)
    assert found.gradients[-1].network == "an lstm of the same size, untrained"
    assert not (found.folder / "gates.png").exists()
    assert not (found.folder / "gates.csv").exists()
    assert any("SimpleRNN" in note for note in found.notes)


def test_a_recursive_point_network_explains_its_one_day_and_has_no_spread(
    write_tiny: WriteTiny, tmp_path: Path
) -> None:
    run = train(write_tiny(config=RECURSIVE), tmp_path / "runs")
    found = commands.explain(run)
    assert [(one.what, one.days_ahead) for one in found.attributions] == [("middle", 1)]
    assert not (found.folder / "saliency-spread.png").exists()
    assert any("fed back" in note for note in found.notes)
    means = found.importance.means
    assert means[0] > 0  # the only input, shuffled among all origins, cannot be done without


@pytest.mark.parametrize("config", [BARS, ROLLED_BARS], ids=["direct", "recursive"])
def test_of_several_columns_the_close_is_explained_and_said_to_be(
    config: str, write_tiny: WriteTiny, tmp_path: Path
) -> None:
    run = train(write_tiny(bars_of(), config=config), tmp_path / "runs", "training.epochs=1")
    found = commands.explain(run)
    assert any(re.search("Open, High, Low, Close together: .*importance are of the Close", one) for one in found.notes)
    last = bars_of()["Close"].iloc[-1]
    rows = commands.predict(run, output=tmp_path).rows
    for one in found.attributions:
        assert one.what == "middle"
        assert one.saliency.value == pytest.approx(100 * np.log(rows[one.days_ahead - 1]["median"] / last), abs=2e-3)
    assert found.importance is not None
    assert found.importance.means.shape == (5,)
    # The loss of all columns of all days is what the gradient is followed back from.
    assert np.isfinite(found.gradients[0].norms).all()
    assert (found.gradients[0].norms > 0).any()


def test_weights_of_another_training_are_found_out(run: RunDirectory, tmp_path: Path) -> None:
    mixed = RunDirectory(tmp_path / "mine")
    shutil.copytree(run.path, mixed.path)
    weights = mixed.path / "model.weights.h5"
    config = load_config(run.config_path())
    other = config.model_copy(update={"training": config.training.model_copy(update={"seed": 7})})
    average([build_member(other, number) for number in (1, 2)]).save_weights(weights)
    with pytest.raises(RunError, match="SHA-256") as refused:
        commands.explain(mixed)
    assert refused.value.file == str(weights)
    manifest = json.loads((mixed.path / "run.json").read_text())
    manifest["files"]["model.weights.h5"] = sha256(weights)
    (mixed.path / "run.json").write_text(json.dumps(manifest))
    with pytest.raises(RunError, match="onnx") as refused:
        commands.explain(mixed)
    assert refused.value.file == str(mixed.path)


def test_nothing_is_written_through_a_link_out_of_the_run(run: RunDirectory, tmp_path: Path) -> None:
    linked = RunDirectory(tmp_path / "mine")
    shutil.copytree(run.path, linked.path, ignore=shutil.ignore_patterns("explanations"))
    (tmp_path / "outside").mkdir()
    (linked.path / "explanations").symlink_to(tmp_path / "outside")
    with pytest.raises(RunError, match="leads out") as refused:
        commands.explain(linked)
    assert Path(refused.value.file).parent == linked.path / "explanations"
    assert not list((tmp_path / "outside").iterdir())


@pytest.mark.slow
def test_a_series_of_another_unit_is_refused_and_one_in_its_own_volatility_is_explained(
    run: RunDirectory, write_tiny: WriteTiny, tmp_path: Path
) -> None:
    make_bars(seed=3).to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(DataError) as refused:
        commands.explain(run, data=tmp_path / "other.csv")
    assert (refused.value.file, refused.value.key) == (str(tmp_path / "other.csv"), "target.scale")
    free = train(write_tiny(), tmp_path / "runs", "target.scale=volatility", "training.epochs=1")
    found = commands.explain(free, data=tmp_path / "other.csv", output=tmp_path / "out")
    assert found.series == "other.csv"
    assert any("Today's volatility scales the band" in note for note in found.notes)
    # the numbers come from the other file's own validation days; a file without any says so
    make_bars(seed=3)[:300].to_csv(tmp_path / "short.csv", index=False)
    found = commands.explain(free, data=tmp_path / "short.csv", output=tmp_path / "short")
    assert (found.importance, found.gradients) == (None, ())
    assert any("no validation day" in note for note in found.notes)
    assert not (tmp_path / "short" / "importance.csv").exists()


def test_the_units_table_stands_in_the_pictures_order(found: commands.Explained) -> None:
    table = pd.read_csv(found.folder / "units-lstm_1.csv")
    first = found.activations[0]
    assert list(table.columns) == ["date", *(f"unit_{unit}" for unit in first.order)]
    np.testing.assert_allclose(table.iloc[:, 1:], first.states[:, first.order], atol=1e-6)


def test_on_the_command_line_it_prints_sentences_or_one_document(
    run: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    where = ["explain", run.name, "--runs", str(run.path.parent), "--output", "out", "--no-plot"]
    done = CliRunner().invoke(app, [*where, "--date", DATES[600]])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f"prices.csv by {run.name}: the forecast from {DATES[600]}")
    assert done.stderr.splitlines()[-1] == "Tables: out"
    assert not list((tmp_path / "out").glob("*.png"))
    document = json.loads(CliRunner().invoke(app, [*where, "--json"]).stdout)
    assert (document["origin"], document["folder"]) == (DATES[-1], "out")
    assert set(document["importance"]["features"]) == {"log_return", "log_range"}


DIRECTIONS = {"two": ["model.classes=2"], "three": ["model.classes=3", "model.threshold=0.5"]}


@pytest.fixture(scope="module", params=list(DIRECTIONS))
def direction(request: pytest.FixtureRequest, home: Path) -> RunDirectory:
    more = ["model.head=direction", "model.layers=[3]", "training.learning_rate=0.01", *DIRECTIONS[request.param]]
    return train(home / "tiny.yaml", home / "directions", *more)


def test_of_a_direction_the_chance_of_up_is_explained_and_its_shares_add_up(
    direction: RunDirectory, tmp_path: Path
) -> None:
    found = commands.explain(direction, output=tmp_path, picture=True)
    rows = commands.predict(direction, output=tmp_path).rows
    assert [(one.what, one.days_ahead) for one in found.attributions] == [("up", 1), ("up", 3)]
    for one in found.attributions:
        assert one.saliency.value == pytest.approx(100 * rows[one.days_ahead - 1]["p_up"], abs=0.006)
        size = np.abs(one.saliency.integrated).sum()
        assert size > 1e-3
        assert abs(one.saliency.gap) < 1e-3 * size
    assert {path.name for path in tmp_path.glob("saliency*")} == {"saliency.csv", "saliency-up.png"}
    told = " ".join(found.summary())
    assert re.search(r"The chance of up 3 days ahead is [0-9.]+ %, and [0-9.]+ % after a window .* points", told)
    assert ("Up is a rise of more than 0.5 times" in told) == (rows[0].get("p_flat") is not None)
    assert not re.search("CRPS|median|90 % band", told)
    # of the 68 validation origins none is left out, so that this is the score that evaluate gives these days
    metrics = commands.evaluate(direction, part="validation").metrics["horizons"]
    assert found.origins == 68
    assert found.importance.loss == pytest.approx(np.mean([metrics[step]["model"]["brier"] for step in ("1", "3")]))
    assert found.to_json()["importance"]["brier"] == found.importance.loss
    assert {"brier_increase", "relative_increase"} <= set(pd.read_csv(tmp_path / "importance.csv").columns)


def test_the_gradient_of_a_direction_is_that_of_the_loss_that_trained_it(home: Path) -> None:
    """By hand: the slope of the cross-entropy in a logit is the probability less what came."""
    more = ["model.head=direction", "model.layers=[3]", "model.dropout=0", "training.epochs=1"]
    run = train(home / "tiny.yaml", home / "gradients", *more)
    config = load_config(run.config_path())
    predictor = Predictor.load(run)
    dataset = predictor.dataset(predictor.read_as_trained())
    network, _ = load_keras_network(run, config)
    origins = dataset.origins("validation")[:10]
    chances = np.asarray(network(dataset.windows(origins).inputs()))[:, :, 0]
    closes = make_bars()["Close"].to_numpy()
    ups = closes[origins[:, None] + [1, 2, 3]] > closes[origins][:, None]
    kernel = network.get_layer("dense").get_weights()[0][:3]  # of the three units; a skip connection's come after
    by_day = kernel @ network.get_layer("curves").get_weights()[0]
    expected = np.linalg.norm((chances - ups) @ by_day.T / 3, axis=1)
    (trained, *_) = explaining._gradients(config, dataset, network, origins)
    np.testing.assert_allclose(trained.norms[:, -1], expected, rtol=1e-3)


@pytest.mark.parametrize("head", ["skewed_t", "quantile", "histogram"])
def test_of_a_head_with_quantiles_spread_and_middle_are_explained(
    head: str, write_tiny: WriteTiny, tmp_path: Path
) -> None:
    """A quantile of a histogram has a kink wherever it steps over the edge of a bin; the other two have none."""
    more = [f"model.head={head}", "model.layers=[3]", "training.learning_rate=0.01"]
    run = train(write_tiny(), tmp_path / "runs", *more)
    found = commands.explain(run)
    assert [(one.what, one.days_ahead) for one in found.attributions] == [
        ("spread", 1), ("spread", 3), ("middle", 1), ("middle", 3)
    ]  # fmt: skip
    gaps = [abs(one.saliency.gap) / np.abs(one.saliency.integrated).sum() for one in found.attributions]
    assert max(gaps) < (0.05 if head == "histogram" else 1e-4)
    assert any("attributions miss" in note for note in found.notes) == (max(gaps) > 0.01)
    assert all(np.isfinite(curve.norms).all() and (curve.norms > 0).all() for curve in found.gradients)
