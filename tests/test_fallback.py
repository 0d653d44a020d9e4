"""A run without a network that ONNX Runtime opens: Keras forecasts the same, and says why it had to."""

import shutil
from pathlib import Path
from typing import Any

import commands
import pytest
from made import TINY, make_bars

from stockcast.config.load import load_config
from stockcast.errors import ExportError, RunError
from stockcast.pipeline import train
from stockcast.runs import RunDirectory
from stockcast.runs.integrity import check_integrity

SMALL = TINY.replace("{layers: [4, 3],", "{cell: gru, layers: [4, 3],").replace("epochs: 2,", "epochs: 1,")
SMALL += "ensemble: {members: 2}\n"


def trained(folder: Path) -> tuple[RunDirectory, list[str]]:
    make_bars(400).to_csv(folder / "prices.csv", index=False)
    (folder / "tiny.yaml").write_text(SMALL)
    said: list[str] = []
    return commands.train(load_config(folder / "tiny.yaml"), runs=folder, name="mine", say=said.append).run, said


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    return trained(tmp_path_factory.mktemp("kept"))[0]


@pytest.fixture
def run(kept: RunDirectory, tmp_path: Path) -> RunDirectory:
    return RunDirectory(shutil.copytree(kept.path, tmp_path / "mine"))


def forecast(run: RunDirectory) -> tuple[list[float], str]:
    """Every number of a forecast, and what was said on the way there."""
    said: list[str] = []
    rows = commands.predict(run, say=said.append).rows
    return [value for row in rows for value in row.values() if isinstance(value, float)], " ".join(said)


def test_a_run_that_lost_its_onnx_file_forecasts_the_same_with_keras_and_says_so(run: RunDirectory) -> None:
    before, said = forecast(run)
    assert said == ""
    (run.path / "model.onnx").unlink()
    after, said = forecast(run)
    assert after == pytest.approx(before, rel=1e-5)
    assert "model.onnx is missing; forecasting with Keras" in said
    assert "model.onnx: it is missing" in check_integrity(run.path).faults


def test_a_network_that_onnx_runtime_cannot_open_is_told_with_its_reason(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, _ = forecast(run)

    def unable(*_: Any, **__: Any) -> None:
        raise RuntimeError("Unsupported model IR version: 8")

    monkeypatch.setattr("onnxruntime.InferenceSession", unable)
    after, said = forecast(run)
    assert after == pytest.approx(before, rel=1e-5)
    assert "cannot be opened by ONNX Runtime (Unsupported model IR version: 8); forecasting with Keras" in said


def test_an_onnx_file_that_training_did_not_write_is_refused_not_replaced(run: RunDirectory) -> None:
    content = bytearray((run.path / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (run.path / "model.onnx").write_bytes(content)
    with pytest.raises(RunError, match=r"model\.onnx is damaged: it is not the file that training wrote"):
        forecast(run)


def test_weights_that_training_did_not_write_are_refused(run: RunDirectory) -> None:
    (run.path / "model.onnx").unlink()
    content = bytearray((run.path / "model.weights.h5").read_bytes())
    content[-1] ^= 1
    (run.path / "model.weights.h5").write_bytes(content)
    with pytest.raises(RunError, match=r"model\.weights\.h5 is damaged: it is not the file that training wrote"):
        forecast(run)


@pytest.mark.slow
def test_a_network_without_an_onnx_form_is_trained_kept_and_forecasts(
    kept: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(network: Any, path: Path) -> None:
        path.write_bytes(b"half")
        raise ExportError("its layer odd is of a kind (Odd) that has no ONNX form yet")

    monkeypatch.setattr(train, "export_onnx", unable)
    run, said = trained(tmp_path)
    assert "mine has no model.onnx" in " ".join(said)
    assert "its layer odd is of a kind (Odd)" in " ".join(said)
    assert not (run.path / "model.onnx").exists()
    assert "model.onnx" not in run.manifest()["files"]
    assert check_integrity(run.path).state == "whole"
    # The very training of the other run, so the very forecast, its bands calibrated with Keras too.
    assert forecast(run)[0] == pytest.approx(forecast(kept)[0], rel=1e-5)

    (run.path / "model.onnx").write_bytes((kept.path / "model.onnx").read_bytes())
    assert check_integrity(run.path).state == "damaged"
    with pytest.raises(RunError, match=r"model\.onnx is damaged"):
        forecast(run)
