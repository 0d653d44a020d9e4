"""Training on sequences, and stopping by blocks of validation days, through the whole program."""

from pathlib import Path

import numpy as np
import pytest
from made import QUICK, TINY, make_bars

import stockcast as sc
from stockcast.config.load import load_config
from stockcast.errors import RunError
from stockcast.forecasting.dataset import SeriesDataset
from stockcast.forecasting.networks import build_member
from stockcast.forecasting.predictor import Predictor
from stockcast.models.backend import forget_networks
from stockcast.models.weights import load_weights
from stockcast.pipeline.audit import audit
from stockcast.runs import RunDirectory

BLOCKS = """split:
  validation: [[2010-06-01, 2010-09-30], [2011-03-01, 2011-05-31]]
  calibration: 0.15
  test: 0.2
"""
SEQUENCES = "targets: every_day, sequence_length: 12"
CONFIG = TINY.replace("batch_size: 64", f"batch_size: 8, {SEQUENCES}") + BLOCKS


def write(folder: Path, config: str = CONFIG) -> Path:
    make_bars().to_csv(folder / "prices.csv", index=False)
    (folder / "tiny.yaml").write_text(config)
    return folder / "tiny.yaml"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    folder = tmp_path_factory.mktemp("sequences")
    return sc.train(load_config(write(folder)), runs=folder / "runs", name="sequences")


def loaded(run: RunDirectory) -> tuple[Predictor, SeriesDataset]:
    predictor = Predictor.load(run)
    return predictor, predictor.dataset(predictor.read_as_trained())


def test_the_onnx_answer_of_a_window_is_the_sequence_networks_last_one(run: RunDirectory) -> None:
    predictor, dataset = loaded(run)
    window = predictor.config.window
    forget_networks()
    sequences = build_member(predictor.config, sequence_length=window)  # one answer, on its last day
    load_weights(sequences, run.weights_path())
    inputs = dataset.windows(np.arange(100, 120)).inputs()

    outputs = np.asarray(sequences(inputs))
    assert outputs.shape == (20, 1, 3, 3)
    np.testing.assert_allclose(outputs[:, 0], predictor.network(inputs), atol=1e-5)


def test_the_run_states_the_windows_that_it_was_trained_on_and_its_blocks(run: RunDirectory) -> None:
    manifest, (_, dataset) = run.manifest(), loaded(run)

    # Of 455 days before calibration, 88 and 66 are in blocks; each of three stretches of the others loses four days to
    # the window and three to the horizon.
    assert dataset.prices.dates[455] == np.datetime64(manifest["split"]["calibration"]["first"])
    assert manifest["training"]["windows"] == 455 - 88 - 66 - 3 * (4 + 3)
    assert manifest["validation_blocks"] == [["2010-06-01", "2010-09-30"], ["2011-03-01", "2011-05-31"]]


def test_scalers_are_fitted_without_the_blocks(run: RunDirectory) -> None:
    _, dataset = loaded(run)
    used = (dataset.prices.dates < np.datetime64("2010-06-01")) | (dataset.prices.dates > np.datetime64("2010-09-30"))
    used &= (dataset.prices.dates < np.datetime64("2011-03-01")) | (dataset.prices.dates > np.datetime64("2011-05-31"))
    used[455:] = False
    returns = np.diff(np.log(dataset.closes), prepend=np.nan)

    assert run.scalers()["features"]["center"][0] == pytest.approx(np.nanmean(returns[used]), rel=1e-6)


def test_a_forecast_and_the_scores_of_the_test_days_come_as_from_any_run(run: RunDirectory) -> None:
    forecast = sc.predict(run).forecast
    report = sc.evaluate(run).report

    assert forecast.median.shape == (1, 3)
    assert list(report.horizons) == [1, 3]


def test_the_blocks_are_no_days_to_be_scored(run: RunDirectory) -> None:
    with pytest.raises(RunError, match=r"blocks within its training days.*Leave --split out") as refused:
        sc.evaluate(run, part="validation")
    assert refused.value.key == "split.validation"


@pytest.mark.slow
def test_a_training_on_sequences_resumes_to_the_same_weights(tmp_path: Path, run: RunDirectory) -> None:
    path = write(tmp_path)

    class Stopped(Exception):
        pass

    def stop(epoch: object) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        sc.train(load_config(path), runs=tmp_path / "runs", name="sequences", callbacks=sc.Callbacks(on_epoch_end=stop))
    resumed = sc.resume(RunDirectory(tmp_path / "runs" / "sequences"))
    assert (resumed.path / "model.onnx").read_bytes() == (run.path / "model.onnx").read_bytes()


@pytest.mark.slow
def test_an_audit_finds_no_leak_in_sequences_and_blocks(run: RunDirectory) -> None:
    report = audit(run, cuts=4)
    assert report.passed, report.failure()


@pytest.mark.slow
def test_dense_layers_on_the_last_day_learn_the_same_from_windows_and_from_sequences(tmp_path: Path) -> None:
    # Their outputs need no window, so the validation losses are of the same targets, and of networks as good.
    losses = []
    for name, keys in (("windows", ""), ("sequences", f", {SEQUENCES}")):
        folder = tmp_path / name
        folder.mkdir()
        config = QUICK.replace("batch_size: 256", f"batch_size: 16, learning_rate: 1e-8{keys}") + BLOCKS
        run = sc.train(load_config(write(folder, config)), runs=folder / "runs", name="made")
        losses.append(run.manifest()["training"]["best_val_loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
