"""Stored runs of every head and strategy forecast, to the last bit, what they forecast when they were made.

See `golden/README.md`. The names of the package stand in the adapters below, and nowhere else in this file.
"""

import csv
import hashlib
import json
import re
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy._core._multiarray_umath import __cpu_features__

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path.name for path in (GOLDEN / "runs").iterdir())
PLACEHOLDER = "@PRICES@"
LIBRARIES = ("numpy", "onnxruntime", "keras", "tensorflow", "pandas", "scipy", "arch")
RETRAINED = ("recursive_ohlc", "skewed_t_gru_beside", "student_t_lstm", "two_series_market")

Said = dict[str, np.ndarray]
"""Every array and text of an answer, by name; dates and texts as strings."""


def predict(run: Path, data: Path | None) -> Said:
    """What `stockcast predict` says of the sessions after the last row, and the table that it writes."""
    import commands

    from stockcast.runs import RunDirectory

    found = commands.predict(RunDirectory(run), data=data)
    forecast = found.forecast
    said = {
        "origin_dates": forecast.origin_dates,
        "target_dates": forecast.target_dates,
        "last_close": forecast.last_close,
        "table": without_series(found.table.read_text(encoding="utf-8")),
    }
    if hasattr(forecast, "probabilities"):
        said |= {"classes": forecast.classes, "probabilities": forecast.probabilities}
        said |= {"past_shares": found.past_shares} | ({} if found.flat is None else {"flat": found.flat})
    else:
        said |= {"quantiles": forecast.quantiles}
        said |= {f"median_{name}": medians for name, medians in forecast.others.items()}
    return plain(said)


def without_series(table: str) -> str:
    """forecast.csv without its last column, the series, which it had not when the runs were made."""
    return "".join(f"{line.rpartition(',')[0]}\n" for line in table.splitlines())


def evaluate(run: Path) -> Said:
    """What `stockcast evaluate` keeps of the test days: the arrays of forecasts.npz, the scores and the verdict."""
    import commands

    from stockcast.runs import RunDirectory

    folder = commands.evaluate(RunDirectory(run)).folder
    scores = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    scores.pop("chances", None)  # these were not scored when the runs were made
    lines = (folder / "verdict.txt").read_text(encoding="utf-8").splitlines()
    verdict = claims("\n".join(line for line in lines if not line.startswith("Chances of price levels")))
    with np.load(folder / "forecasts.npz") as arrays:
        return plain({**arrays, "scores": digest(numbers(scores)), "verdict": verdict})


def claims(verdict: str) -> str:
    """Every number of a verdict and every judgement, in order.

    The verdict is compared by them, not by its other words: these became plainer after the goldens were made, and what
    the goldens hold is never edited. Numbers in other places, other outcomes or a missing sentence still show.
    """
    return " ".join(re.findall(r"\d(?:[\d.,]*\d)?|better|worse|lower|higher|narrow|wide|mixed", verdict))


def train(config: Path, folder: Path) -> Path:
    """Train a run from a config file as `stockcast train` does; return its folder."""
    import commands

    from stockcast.config.load import load_config

    return commands.train(load_config(config), runs=folder, name="again").run.path


def losses(run: Path) -> list[str]:
    """Every column of history.csv but the seconds that an epoch took."""
    rows = csv.DictReader((run / "history.csv").read_text(encoding="utf-8").splitlines())
    return [f"{name} {text}" for row in rows for name, text in row.items() if name != "seconds"]


def numbers(value: Any) -> list[float]:
    """Every number in a JSON value, in the order of the text."""
    if isinstance(value, dict | list):
        return [number for one in (value.values() if isinstance(value, dict) else value) for number in numbers(one)]
    return [float(value)] if isinstance(value, int | float) else []


def this_machine() -> str:
    """What the last bits depend on, as `golden/expected/processor.txt` has it: the processor and the libraries.

    Vendors give processors of different instruction sets the same name, so the set counts too.
    """
    from stockcast.models.backend import machine

    instructions = " ".join(sorted(name for name, present in __cpu_features__.items() if present))
    packages = "".join(f"{name} {version(name)}\n" for name in LIBRARIES)
    return f"{machine()['processor']}\n{instructions}\n{packages}"


def plain(said: dict[str, Any]) -> Said:
    """Arrays that npz files keep without pickles, dates as strings."""
    arrays = {name: np.asarray(value) for name, value in said.items()}
    return {name: array.astype(str) if array.dtype.kind == "M" else array for name, array in arrays.items()}


def digest(values: list[float]) -> str:
    """A thousand scores in the room of one: SHA-256 of their bits."""
    return f"{len(values)} numbers, SHA-256 {hashlib.sha256(np.array(values).tobytes()).hexdigest()}"


def answers(case: str, folder: Path) -> dict[str, Said]:
    """Everything that a stored run says, from a copy of it in `folder`."""
    run, other = materialise(case, folder)
    return {"own": predict(run, None), "other": predict(run, other), "test": evaluate(run)}


def materialise(case: str, folder: Path) -> tuple[Path, Path]:
    """Copy a run and the prices into `folder`, and let the run name these; return it and a series that is new to it."""
    prices = Path(shutil.copytree(GOLDEN / "prices", folder / "prices"))
    run = Path(shutil.copytree(GOLDEN / "runs" / case, folder / case))
    for name in ("config.yaml", "run.json"):
        path = run / name
        path.write_text(path.read_text(encoding="utf-8").replace(PLACEHOLDER, str(prices)), encoding="utf-8")
    rehash(run, "config.yaml")
    manifest = json.loads((run / "run.json").read_text(encoding="utf-8"))
    stranger = "B.csv" if manifest["series"][0]["name"] == "A.csv" else "A.csv"
    return run, Path(shutil.copy(prices / stranger, folder / "other.csv"))


def rehash(run: Path, name: str) -> None:
    """Let run.json vouch for a file as it is now."""
    manifest = json.loads((run / "run.json").read_text(encoding="utf-8"))
    manifest["files"][name] = hashlib.sha256((run / name).read_bytes()).hexdigest()
    (run / "run.json").write_text(json.dumps(manifest), encoding="utf-8")


def expected(case: str) -> dict[str, Said]:
    """What the run said when it was made, under the keys of `answers`."""
    found: dict[str, Said] = {}
    with np.load(GOLDEN / "expected" / f"{case}.npz") as arrays:
        for key, array in arrays.items():
            question, _, name = key.partition(".")
            found.setdefault(question, {})[name] = np.asarray(claims(str(array))) if name == "verdict" else array
    return found


SAME_MACHINE = this_machine() == (GOLDEN / "expected" / "processor.txt").read_text(encoding="utf-8")


def differences(now: Said, then: Said, *, to_the_bit: bool) -> list[str]:
    """Names of the arrays that are not what they were."""
    return sorted(
        name
        for name in now.keys() | then.keys()
        if name not in now or name not in then or not same(now[name], then[name], to_the_bit=to_the_bit)
    )


def same(now: np.ndarray, then: np.ndarray, *, to_the_bit: bool) -> bool:
    if to_the_bit:
        return (now.dtype, now.shape) == (then.dtype, then.shape) and now.tobytes() == then.tobytes()
    # Vectorised exp and log are other code on another processor, or in another version of numpy and ONNX Runtime, and
    # differ in the last bit. The texts that are made of such numbers (forecast.csv, the verdict) may differ in a digit.
    if now.dtype.kind == "U" and now.ndim == 0:
        return then.dtype.kind == "U"
    if now.dtype.kind != "f":
        return np.array_equal(now, then)
    return now.shape == then.shape and np.allclose(now, then, rtol=1e-5, atol=0)


@pytest.fixture(scope="module", autouse=True)
def _draw_nothing() -> Any:
    """Pictures take most of an evaluation's time, and none is compared."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matplotlib.figure.Figure.savefig", lambda self, path, **_: Path(path).touch())
        yield


@pytest.mark.parametrize("case", CASES)
def test_a_stored_run_says_what_it_said_when_it_was_made(case: str, tmp_path: Path) -> None:
    then = expected(case)
    for question, now in answers(case, tmp_path).items():
        assert differences(now, then[question], to_the_bit=SAME_MACHINE) == [], question


def test_every_run_has_its_answers_and_none_names_a_folder_of_the_machine_that_made_it() -> None:
    assert [path.stem for path in sorted((GOLDEN / "expected").glob("*.npz"))] == CASES
    for case in CASES:
        config = (GOLDEN / "runs" / case / "config.yaml").read_text(encoding="utf-8")
        manifest = json.loads((GOLDEN / "runs" / case / "run.json").read_text(encoding="utf-8"))
        paths = [manifest["data"]["path"], *(one["path"] for one in manifest["series"])]
        assert all(path.startswith(f"{PLACEHOLDER}/") and path in config for path in paths), case


def test_here_the_answers_are_compared_to_the_last_bit() -> None:
    if not SAME_MACHINE:
        pytest.skip("another processor or other libraries than made the goldens: compared to five digits")


def test_a_scale_that_moved_by_its_last_digits_is_seen(tmp_path: Path) -> None:
    if not SAME_MACHINE:
        pytest.skip("five digits do not show it")
    run, _ = materialise("student_t_lstm", tmp_path)
    scaler = json.loads((run / "scaler.json").read_text(encoding="utf-8"))
    scaler["target"]["scale"][0] *= 1 + 1e-12
    (run / "scaler.json").write_text(json.dumps(scaler), encoding="utf-8")
    rehash(run, "scaler.json")
    moved = differences(predict(run, None), expected("student_t_lstm")["own"], to_the_bit=True)
    assert moved == ["quantiles"]


@pytest.mark.parametrize("case", [case for case in CASES if (GOLDEN / "runs" / case / "model.weights.h5").exists()])
def test_the_stored_weights_say_what_the_exported_network_says(case: str, tmp_path: Path) -> None:
    run, _ = materialise(case, tmp_path)
    (run / "model.onnx").unlink()
    assert differences(predict(run, None), expected(case)["own"], to_the_bit=False) == []


@pytest.mark.parametrize("case", RETRAINED)
def test_training_again_makes_the_same_epochs_and_forecasts(case: str, tmp_path: Path) -> None:
    if not SAME_MACHINE:
        pytest.skip("training adds up what processors round differently")
    run, _ = materialise(case, tmp_path)
    again = train(run / "config.yaml", tmp_path / "runs")
    assert losses(again) == losses(run)
    assert differences(predict(again, None), expected(case)["own"], to_the_bit=True) == []
