"""A folder with price files that cannot be used: training leaves out a few of them, and stops at more."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from made import make_bars

import stockcast as sc
from stockcast.cli import main
from stockcast.config.load import load_config
from stockcast.errors import ConfigError, DataError, RunError
from stockcast.forecasting.training_data import read_training_prices
from stockcast.runs import RunDirectory

CONFIG = """\
name: folder
data: {path: stocks, refuse_at_most: 0.4}
features: [return_in_volatility, volume_ratio]
target: {scale: volatility}
window: 5
horizon: 3
model: {cell: last_day, layers: [4], head: student_t}
training: {epochs: 2, batch_size: 256}
ensemble: {members: 2}
"""
Call = Callable[..., tuple[int, str, str]]
GOOD = [f"S{number}.csv" for number in range(7)]
BROKEN = "Date,Close\n2018-01-02,10\n2018-01-03,$12\n2018-01-04,n.n.\n"
REASONS = {
    "T0.csv": "it has the days and closes of S0.csv, one series under two names",
    "broken.csv": "line 3, Close '$12': not a number, and 1 more",
    "bare.csv": "has no column Volume; it has Close",
    "late.csv": "begins too late to train on: no window of 5 days with the 3 after it before 2011-08-15",
}
"""Of files that cannot be used, in the order in which they are found: unusable by themselves, doubled, and too late."""


def write_good(folder: Path) -> None:
    """Seven series of the same 700 days; the training part is the first 420."""
    folder.mkdir(parents=True)
    for seed, name in enumerate(GOOD):
        make_bars(seed=seed).to_csv(folder / name, index=False)


def write_bad(folder: Path) -> None:
    """Four files beside them that cannot be used, each for another reason."""
    shutil.copy(folder / "S0.csv", folder / "T0.csv")
    make_bars(seed=20)[["Date", "Close"]].to_csv(folder / "bare.csv", index=False)
    (folder / "broken.csv").write_text(BROKEN)
    make_bars(seed=21)[415:].to_csv(folder / "late.csv", index=False)


def train(home: Path, name: str, **callbacks: Callable[..., None]) -> RunDirectory:
    config = load_config(home / "folder.yaml")
    return sc.train(config, runs=home / "runs", name=name, processes=1, callbacks=sc.Callbacks(**callbacks))


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A run of the good files alone."""
    home = tmp_path_factory.mktemp("clean")
    write_good(home / "stocks")
    (home / "folder.yaml").write_text(CONFIG)
    return train(home, "clean")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the folder with the bad files; messages.txt is what it reported."""
    home = tmp_path_factory.mktemp("home")
    write_good(home / "stocks")
    write_bad(home / "stocks")
    (home / "folder.yaml").write_text(CONFIG)
    messages: list[str] = []
    train(home, "kept", on_message=messages.append)
    (home / "messages.txt").write_text("\n".join(messages))
    return home


@pytest.fixture
def call(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run a command in the home of the run; return its exit code and what it printed."""
    monkeypatch.chdir(home)
    monkeypatch.delenv("STOCKCAST_RUNS", raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["stockcast", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


def test_the_network_is_the_one_of_the_good_files_alone(home: Path, clean: RunDirectory) -> None:
    kept = RunDirectory.find(home / "runs", "kept")
    assert [series.name for series in kept.trained_on()] == GOOD
    for name in ("scaler.json", "calibration.json", "model.onnx"):
        assert (kept.path / name).read_bytes() == (clean.path / name).read_bytes()


def test_one_message_names_the_files_that_are_left_out_with_their_reasons(home: Path) -> None:
    (message,) = [line for line in (home / "messages.txt").read_text().splitlines() if "left out" in line]
    listed = ["T0.csv", "bare.csv", "broken.csv", "late.csv"]
    expected = "; ".join(f"{name}: {REASONS[name]}" for name in listed)
    assert message == f"4 of 11 price files left out: {expected}."


def test_run_json_and_runs_show_name_them(home: Path, clean: RunDirectory, call: Call) -> None:
    stated = json.loads((home / "runs" / "kept" / "run.json").read_text())["refused"]
    assert {Path(file["path"]): file["reason"] for file in stated} == {
        home / "stocks" / name: reason for name, reason in REASONS.items()
    }
    assert "refused" not in clean.manifest()
    code, out, _ = call("runs", "show", "kept", "--verbose")
    assert code == 0
    for name, reason in REASONS.items():
        assert f"path: {home / 'stocks' / name}" in out
        assert f"reason: {reason}" in out


def test_too_many_stop_the_training_and_all_are_listed(home: Path) -> None:
    with pytest.raises(DataError) as error:
        read_training_prices(load_config(home / "folder.yaml", {"data.refuse_at_most": 0.3}), print)
    first, *lines, advice = str(error.value).splitlines()
    assert first == "4 of 11 price files cannot be used:"
    for name in REASONS:
        assert any(name in line for line in lines)
    assert "at most 0.3 of all (data.refuse_at_most)" in advice
    assert Path(error.value.file or "").name == "bare.csv"


def test_strict_stops_at_a_single_one(home: Path, call: Call) -> None:
    code, _, err = call("train", "folder.yaml", "--strict", "--name", "strict")
    assert code == 1
    assert "4 of 11 price files cannot be used" in err
    assert not (home / "runs" / "strict").exists()


def test_a_tenth_is_the_most_that_is_left_out_unless_the_config_states_another_share(tmp_path: Path) -> None:
    write_good(tmp_path / "stocks")
    for seed in (7, 8):
        make_bars(seed=seed).to_csv(tmp_path / "stocks" / f"S{seed}.csv", index=False)
    (tmp_path / "folder.yaml").write_text(CONFIG.replace(", refuse_at_most: 0.4", ""))
    (tmp_path / "stocks" / "x.csv").write_text(BROKEN)
    read = read_training_prices(load_config(tmp_path / "folder.yaml"), lambda _: None)
    assert ([Path(file.path).name for file in read.refused], len(read.series)) == (["x.csv"], 9)
    (tmp_path / "stocks" / "y.csv").write_text(BROKEN)
    with pytest.raises(DataError, match="2 of 11 price files"):
        read_training_prices(load_config(tmp_path / "folder.yaml"), lambda _: None)


@pytest.mark.parametrize("share", ["-0.1", "1.1", ".nan", "few"])
def test_a_share_is_from_0_to_1(share: str, home: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(home / "folder.yaml", [f"data.refuse_at_most={share}"])
    assert error.value.key == "data.refuse_at_most"


def test_a_folder_of_which_every_file_is_lost_is_refused_whatever_the_share(tmp_path: Path) -> None:
    (tmp_path / "stocks").mkdir()
    for name in ("a.csv", "b.csv"):
        (tmp_path / "stocks" / name).write_text(BROKEN)
    (tmp_path / "folder.yaml").write_text(CONFIG)
    with pytest.raises(DataError, match="2 of 2 price files"):
        read_training_prices(load_config(tmp_path / "folder.yaml", {"data.refuse_at_most": 1}), print)


def test_a_file_that_the_config_names_itself_must_be_usable(home: Path, tmp_path: Path) -> None:
    (tmp_path / "named.csv").write_text(BROKEN)
    paths = [str(home / "stocks"), str(tmp_path / "named.csv")]
    with pytest.raises(DataError, match=r"5 of 12 price files cannot be used") as error:
        read_training_prices(load_config(home / "folder.yaml", {"data.path": paths, "data.refuse_at_most": 1}), print)
    assert str(tmp_path / "named.csv") in str(error.value)


def test_a_file_without_the_chosen_ticker_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "stocks").mkdir()
    for seed, ticker in enumerate(["GE", "GE", "KO"]):
        make_bars(seed=seed).assign(Ticker=ticker).to_csv(tmp_path / "stocks" / f"{seed}.csv", index=False)
    (tmp_path / "folder.yaml").write_text(CONFIG)
    messages: list[str] = []
    config = load_config(tmp_path / "folder.yaml", {"data.ticker": "GE"})
    read = read_training_prices(config, messages.append)
    assert [Path(file.path).name for file in read.refused] == ["2.csv"]
    assert "GE" in read.refused[0].reason


def test_twenty_files_are_named_and_how_many_more_there_are(tmp_path: Path) -> None:
    write_good(tmp_path / "stocks")
    for number in range(22):
        (tmp_path / "stocks" / f"x{number:02}.csv").write_text(BROKEN)
    (tmp_path / "folder.yaml").write_text(CONFIG)
    messages: list[str] = []
    read_training_prices(load_config(tmp_path / "folder.yaml", {"data.refuse_at_most": 0.9}), messages.append)
    (message,) = [message for message in messages if "left out" in message]
    assert message.startswith("22 of 29 price files left out: x00.csv: line 3")
    assert message.endswith("and 1 more; and 2 more.")
    assert ("x19.csv" in message, "x20.csv" in message) == (True, False)


@pytest.mark.slow
def test_an_audit_reads_the_files_that_were_trained_on(home: Path) -> None:
    report = sc.audit(RunDirectory.find(home / "runs", "kept"), cuts=1, epochs=1)
    assert report.checks
    assert not [check for check in report.checks if check.result == "changed"]


@pytest.fixture
def half(home: Path, tmp_path: Path) -> RunDirectory:
    """A training of the same folder that was stopped after its first epoch, in a copy of the home."""
    shutil.copytree(home / "stocks", tmp_path / "stocks")
    (tmp_path / "folder.yaml").write_text(CONFIG)

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, "half", on_epoch_end=stop)
    return RunDirectory(tmp_path / "runs" / "half")


@pytest.mark.slow
def test_a_training_is_resumed_by_each_process_on_the_files_that_it_began_with(
    half: RunDirectory, clean: RunDirectory, tmp_path: Path
) -> None:
    make_bars(seed=30).to_csv(tmp_path / "stocks" / "broken.csv", index=False)  # whole by now
    (tmp_path / "stocks" / "late.csv").unlink()
    messages: list[str] = []
    config = load_config(tmp_path / "folder.yaml")
    run = sc.resume(half, config=config, processes=2, callbacks=sc.Callbacks(on_message=messages.append))
    assert [series.name for series in run.trained_on()] == GOOD
    assert (run.path / "model.onnx").read_bytes() == (clean.path / "model.onnx").read_bytes()
    assert {Path(file["path"]).name: file["reason"] for file in run.manifest()["refused"]} == REASONS
    assert len([message for message in messages if message.startswith("4 of 11 price files left out")]) == 1


def test_a_training_is_not_resumed_without_a_file_that_it_began_with(half: RunDirectory, tmp_path: Path) -> None:
    (tmp_path / "stocks" / "S3.csv").write_text(BROKEN)
    with pytest.raises(DataError) as error:
        sc.resume(half)
    assert Path(error.value.file or "").name == "S3.csv"


def test_a_begun_json_that_does_not_name_the_files_is_damaged(half: RunDirectory) -> None:
    begun = json.loads((half.path / "begun.json").read_text())
    (half.path / "begun.json").write_text(json.dumps({**begun, "refused": [{"path": 1}]}))
    with pytest.raises(RunError, match=r"begun\.json"):
        sc.resume(half)
