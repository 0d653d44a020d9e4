"""The library as Python code meets it: `import stockcast as sc`."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made import REPOSITORY, TINY, make_bars
from test_cli import stockcast

import stockcast as sc
from stockcast.errors import ConfigError, RunError

HEAVY = {"tensorflow", "keras", "pandas", "matplotlib", "sklearn", "scipy", "onnxruntime"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a price file, a config, and a run that was trained from Python."""
    folder = tmp_path_factory.mktemp("api")
    make_bars().to_csv(folder / "prices.csv", index=False)
    (folder / "tiny.yaml").write_text(TINY)
    sc.train(sc.load_config(folder / "tiny.yaml", {"training.epochs": 1}), runs=folder / "runs", name="first")
    return folder


def files(folder: Path) -> dict[str, int]:
    """Every file below a folder, and when it was last written."""
    return {str(path): path.stat().st_mtime_ns for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_import_loads_no_heavy_library() -> None:
    code = "import sys, stockcast; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    loaded = set(done.stdout.split())
    assert "stockcast" in loaded
    assert loaded.isdisjoint(HEAVY)


@pytest.mark.parametrize("name", sc.__all__)
def test_every_public_name_exists_and_is_listed(name: str) -> None:
    assert getattr(sc, name).__doc__
    assert name in dir(sc)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="fortune"):
        sc.fortune  # noqa: B018


@pytest.mark.parametrize("overrides", [{"training.epochs": 3, "model.layers": (8,)},
                                       ["training.epochs=3", "model.layers=[8]"]])  # fmt: skip
@pytest.mark.parametrize("config", ["quick", "tiny.yaml", Path("tiny.yaml"), "prices.csv", Path("prices.csv")], ids=str)
def test_a_config_is_loaded_by_name_by_path_and_for_a_csv(config, overrides, home, monkeypatch) -> None:
    monkeypatch.chdir(home)
    loaded = sc.load_config(config, overrides)
    assert loaded.name == Path(config).stem
    assert (loaded.training.epochs, loaded.model.layers) == (3, (8,))


def test_a_wrong_value_is_an_error_with_key_and_value() -> None:
    with pytest.raises(ConfigError, match="epochs") as refused:
        sc.load_config("quick", {"training.epochs": "x"})
    assert (refused.value.key, refused.value.value, refused.value.file) == ("training.epochs", "x", None)


@pytest.mark.parametrize(
    ("function", "command"),
    [
        (sc.Predictor.load, "predict"),
        (sc.predict, "predict"),
        (sc.evaluate, "evaluate"),
        (sc.evaluate_pool, "evaluate"),
        (sc.explain, "explain"),
    ],
)
def test_a_run_that_is_not_there_raises_what_the_command_prints(function, command, home, monkeypatch) -> None:
    monkeypatch.chdir(home)
    with pytest.raises(RunError) as refused:
        function("nope")
    assert stockcast(command, "nope", cwd=home).stderr == f"stockcast: {refused.value}\n"


@pytest.mark.parametrize(
    "use",
    [
        lambda runs: sc.evaluate("first", runs=runs),
        lambda runs: sc.predict("first", runs=runs),
        lambda runs: sc.explain("first", runs=runs),
        lambda runs: sc.Predictor.load("first", runs=runs).predict(horizon=2),
    ],
    ids=["evaluate", "predict", "explain", "Predictor"],
)
def test_only_functions_that_save_write_into_a_run(use, home, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = files(home)
    assert use(home / "runs") is not None
    assert files(home) == before
    assert os.listdir(tmp_path) == []


def test_what_save_writes_is_in_the_run(home) -> None:
    run = sc.RunDirectory.find(home / "runs", "first")
    before = set(files(home))
    folder = sc.save_prediction(run, sc.predict(run), plot=False)
    assert set(files(home)) - before == {str(folder / "forecast.csv")}


def test_saved_paths_are_beside_the_forecast_that_they_are_of(home) -> None:
    run = sc.RunDirectory.find(home / "runs", "first")
    prediction = sc.predict(run)
    paths = sc.sample_paths(prediction, 5)
    folder = sc.save_paths(run, paths)
    assert folder == sc.save_prediction(run, prediction, plot=False)
    table = pd.read_csv(folder / "paths.csv")
    assert list(table) == ["unique_id", "cutoff", "path", "ds", "step", "price"]
    assert len(table) == paths.prices.size
    np.testing.assert_allclose(table["price"].to_numpy().reshape(paths.prices.shape), paths.prices, rtol=1e-5)
    assert set(table["ds"]) == {row["date"] for row in prediction.rows()}
    with np.load(folder / "paths.npz") as stored:
        np.testing.assert_array_equal(stored["prices"], paths.prices)
