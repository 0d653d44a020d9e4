"""What a vendor, a spreadsheet, a typing error, a stranger or a full disk can do, each met through the command line.

Refused: exit code 1, one message that names the file, the place and the way out, no traceback, nothing written.
Warned of: used, said once, and kept in the run. Read: as its clean twin is.

Rows that cost seconds and have a test of their own elsewhere:

| fault | held by |
|---|---|
| SIGKILL between any two files | test_resume.py: a training that was stopped; a kill before the clearing |
| SIGINT once, twice, SIGTERM while training | test_cli.py: an interrupted training; a second interruption |
| truncated checkpoint | test_resume.py: a damaged checkpoint is passed over for the one before |
| --resume with other data or config | test_resume.py: lists what differs; names the file |
| gzip and zip bombs of prices | data/test_file_kinds.py |
| Lambda layers, zip bombs, traversal, HDF5 links, shapes | test_hostile_artefacts.py, by the network's file |
| the run's directory vanishes | test_resume.py: a run whose directory vanishes |
"""

import fcntl
import json
import os
import pickle
import pty
import resource
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made import TINY, make_bars
from program import STOCKCAST, environment, stockcast

from stockcast.cli import main
from stockcast.data.calendar import sessions_after
from stockcast.data.csv.options import CsvOptions
from stockcast.data.prices import read_prices

SESSIONS = sessions_after(np.datetime64("2010-01-03"), 700, calendar="XNYS")
BARS = make_bars(700).round(4).assign(Date=SESSIONS.astype(str))
CLEAN = BARS.to_csv(index=False)
LINES = CLEAN.splitlines()
PRICES = ["Open", "High", "Low", "Close", "Adj Close"]
NO_ADJUSTED = BARS.drop(columns="Adj Close")

MANY = """\
name: many
data: {path: [PATHS]}
features: [return_in_volatility, volatility_ratio_5]
target: {scale: volatility}
window: 5
horizon: 3
model: {cell: last_day, layers: [4], head: student_t}
training: {epochs: 1, batch_size: 512}
"""


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Call = Callable[..., Done]


@pytest.fixture(scope="module", autouse=True)
def _handlers() -> Iterator[None]:
    """The program sets handlers for its whole process; here that is pytest's."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def run_main(*arguments: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["stockcast", *arguments])
        patch.delenv("STOCKCAST_RUNS", raising=False)
        with pytest.raises(SystemExit) as ended:
            main()
    return ended.value.code if isinstance(ended.value.code, int) else int(ended.value.code is not None)


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """Run a command in the test's own folder, in this process."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Done:
        capfd.readouterr()
        code = run_main(*arguments)
        said = capfd.readouterr()
        return Done(code, said.out, said.err)

    return run


def row(line: int, **cells: object) -> str:
    """The clean file with other cells in a line of it."""
    bars = BARS.astype(object)
    for column, value in cells.items():
        bars.loc[line - 2, column.replace("_", " ")] = value
    return bars.to_csv(index=False)


def line_after(line: int, text: str) -> str:
    return "\n".join([*LINES[:line], text, *LINES[line:]]) + "\n"


def written(form: Callable[[float], str], **options: str) -> str:
    """The clean prices in another spelling; a hundred times as high, so that there are thousands."""
    bars = BARS.astype({"Volume": str})
    for column in PRICES:
        bars[column] = [form(value) for value in (100 * BARS[column]).round(2)]
    return bars.to_csv(index=False, **options)  # type: ignore[call-overload, no-any-return]


def dated(form: str, bars: pd.DataFrame = BARS) -> str:
    return bars.assign(Date=pd.to_datetime(bars["Date"]).dt.strftime(form)).to_csv(index=False)


def german(value: float) -> str:
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


def under_yfinance(*tickers: str) -> str:
    names = list(NO_ADJUSTED.columns[1:]) * len(tickers)
    head = [",".join(["Price", *names]), ",".join(["Ticker", *(one for one in tickers for _ in range(5))])]
    bars = NO_ADJUSTED
    for _ in tickers[1:]:
        bars = bars.merge(NO_ADJUSTED, on="Date")
    return "\n".join([*head, "Date" + "," * len(names), bars.to_csv(index=False, header=False)])


TWICE = ",".join([LINES[4].split(",")[0], "100", "101", "99", "100", "100", "5"])
EARLY_DAYS = BARS[pd.to_datetime(BARS["Date"]).dt.day <= 12]
GERMAN = written(german, sep=";")

REFUSED: dict[str, tuple[str | bytes, list[str]]] = {
    "two tickers": (under_yfinance("GOOG", "MSFT"), ["line 3", "GOOG, MSFT", "--set data.ticker=GOOG"]),
    "UTF-16 without its mark": (CLEAN.encode("utf-16-le"), ["UTF-16", "--set data.encoding=utf-16-le"]),
    "a $ in a price cell": (row(9, Close="$12.5"), ["line 9", "Close '$12.5'", "Correct"]),
    "an M in a price cell": (row(9, Open="33.91M"), ["line 9", "Open '33.91M'", "Correct"]),
    "duplicate date, different values": (line_after(5, TWICE), ["2010-01-07", "lines 5, 6", "Keep one row a day"]),
    "03/04/13 with every day <= 12": (dated("%d/%m/%y", EARLY_DAYS), ["line 2", "04/01/10", "date_format=%d/%m/%y"]),
    "mixed date formats": (row(301, Date="31/12/2010"), ["line 301", "31/12/2010", "data.date_format"]),
    "30 February": (row(32, Date="2010-02-30"), ["line 32", "2010-02-30", "not a day of the calendar", "Correct"]),
    "a date in the future": (row(701, Date="2999-01-05"), ["line 701", "2999-01-05", "future", "remove the row"]),
    "High < Low": (row(9, High=50, Low=90), ["line 9", "High '50", "low of 90", "Correct"]),
    "zero Close": (row(9, Close=0), ["line 9", "Close '0", "above zero", "empty the cell"]),
    "negative Close": (row(9, Close=-5), ["line 9", "Close '-5", "above zero", "empty the cell"]),
    "duplicate Close column": (CLEAN.replace("Adj Close", "Close"), ["line 1", "Close occurs twice", "Keep one"]),
    "ragged row": (CLEAN.replace(LINES[9], LINES[9] + ",7"), ["line 10", "8 cells", "7 columns", "Correct the line"]),
    "HTML saved as .csv": ("<!DOCTYPE html><html></html>", ["not a CSV", "Download it again"]),
    "exceeded daily limit saved as .csv": ("You exceeded the daily limit.\n", ["line 1", "not a CSV"]),
    "empty file": ("", ["empty", "Download it again"]),
    "header only": (LINES[0] + "\n", ["no row with a close", "Download it again"]),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_a_file_that_cannot_be_meant_is_refused_by_its_place_with_a_way_out(
    what: str, call: Call, tmp_path: Path
) -> None:
    content, words = REFUSED[what]
    (tmp_path / "bad.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    for command in (["data", "check"], ["train"]):
        refuses(call(*command, "bad.csv"), "bad.csv", *words)
        assert os.listdir(tmp_path) == ["bad.csv"]


def refuses(done: Done, *words: str) -> None:
    assert done.code == 1
    assert done.out == ""
    assert "Traceback" not in done.err
    assert done.err.startswith("stockcast: ")
    for word in words:
        assert word in done.err


def test_fewer_days_than_the_splits_need_are_refused_by_file_and_need(call: Call, tmp_path: Path) -> None:
    (tmp_path / "short.csv").write_text("\n".join(LINES[:61]) + "\n")
    # 60 days, of which 40 % are not for training: 36
    refuses(call("train", "short.csv"), "short.csv", "36 bars", "at least 60", "longer file")
    assert os.listdir(tmp_path) == ["short.csv"]
    assert "60 days; at least 275 are needed" in call("data", "check", "short.csv").out


def test_a_file_of_5_gb_is_refused_at_the_cap_before_it_is_read(call: Call, tmp_path: Path) -> None:
    (tmp_path / "huge.csv").touch()
    os.truncate(tmp_path / "huge.csv", 5 * 10**9)
    refuses(call("data", "check", "huge.csv"), "huge.csv", "256,000,000 bytes")


@pytest.mark.parametrize(
    "arguments",
    [
        ["data", "check", "https://a.b/ge.csv"],
        ["train", "https://a.b/ge.csv"],
        ["config", "init", "--data", "https://a.b/ge.csv"],
        ["train", "quick", "--set", "data.path=https://a.b/ge.csv"],
    ],
)
def test_an_address_is_refused_with_the_advice_to_download_it(arguments: list[str], call: Call, tmp_path: Path) -> None:
    refuses(call(*arguments), "a.b/ge.csv", "Download it first")
    assert os.listdir(tmp_path) == []


def test_columns_that_features_ask_for_and_a_file_lacks_are_named(call: Call, tmp_path: Path) -> None:
    BARS[["Date", "Close"]].to_csv(tmp_path / "prices.csv", index=False)
    (tmp_path / "tiny.yaml").write_text(TINY)
    refuses(call("train", "tiny.yaml"), "prices.csv", "no column High, Low", "features")
    assert sorted(os.listdir(tmp_path)) == ["prices.csv", "tiny.yaml"]


CONFIGS: dict[str, tuple[str, list[str]]] = {
    "unknown key": (TINY + "windw: 3\n", ["line 8", "windw", "Did you mean window?"]),
    "duplicate key": (TINY + "window: 3\n", ["line 8", "duplicate key window", "line 4"]),
    "wrong type": (TINY.replace("window: 5", "window: five"), ["line 4", "window = 'five'", "integer"]),
    "!!python/object": (TINY + "x: !!python/object/apply:os.mkdir [canary]\n", ["line 8", "not allowed"]),
    "nested 3,000 deep": ("a: " + "[" * 3000 + "]" * 3000, ["nested deeper"]),
    "ticker ON": (TINY.replace("prices.csv", "prices.csv, ticker: ON"), ["line 2", "data.ticker", "quote"]),
    "ticker NO": (TINY.replace("prices.csv", "prices.csv, ticker: NO"), ["line 2", "data.ticker", "quote"]),
    "ticker 000660": (TINY.replace("prices.csv", "prices.csv, ticker: 000660"), ["line 2", "data.ticker", "quote"]),
    "epochs: 0": (TINY.replace("epochs: 2", "epochs: 0"), ["line 7", "training.epochs = 0", "equal to 1"]),
    "learning_rate: .nan": (TINY.replace("epochs: 2", "learning_rate: .nan"), ["line 7", "learning_rate", "finite"]),
    "layers: [2000000000]": (TINY.replace("[4, 3]", "[2000000000]"), ["line 6", "model.layers", "2048"]),
    "window: 0": (TINY.replace("window: 5", "window: 0"), ["line 4", "window = 0", "equal to 1"]),
}


@pytest.mark.parametrize("what", CONFIGS)
def test_a_config_that_is_wrong_is_refused_by_line_key_and_bound(what: str, call: Call, tmp_path: Path) -> None:
    text, words = CONFIGS[what]
    (tmp_path / "bad.yaml").write_text(text)
    refuses(call("train", "bad.yaml"), "bad.yaml", *words)
    assert os.listdir(tmp_path) == ["bad.yaml"]


def test_a_ticker_that_the_shell_left_bare_is_refused_with_the_quotes_to_type(call: Call) -> None:
    refuses(call("train", "quick", "--set", "data.ticker=ON"), "data.ticker", "--set 'data.ticker=\"ON\"'")


def test_a_config_that_is_a_folder_a_pipe_or_a_gigabyte_is_refused_at_once(call: Call, tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "huge.yaml").touch()
    os.truncate(tmp_path / "huge.yaml", 10**9)
    refuses(call("train", "folder.yaml"), "folder.yaml", "no price file in this folder")
    refuses(call("train", "pipe.yaml"), "pipe.yaml", "but a device")
    refuses(call("train", "huge.yaml"), "huge.yaml", "larger than")


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a\0b", "", ".", "-x", "two\nlines", ".hidden", "a\x1b[2J"])
def test_a_run_name_that_leads_out_or_cannot_be_typed_is_refused(name: str, call: Call, tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(CLEAN)
    (tmp_path / "tiny.yaml").write_text(TINY)
    refuses(call("train", "tiny.yaml", f"--name={name}"), "plain name", "--runs")
    assert sorted(os.listdir(tmp_path)) == ["prices.csv", "tiny.yaml"]


# One run that learnt from every file that is to be warned of, and what was said while it did.

WARNED: dict[str, tuple[str, str]] = {
    "null rows": (line_after(701, "2012-10-11" + ",null" * 6), "1 row without Close dropped"),
    "duplicate date, same values": (line_after(5, LINES[4]), "1 repeated row dropped"),
    "Close outside Low..High": (
        row(9, Close=300, Adj_Close=300), "1 row with Close outside its Low to High, kept",
    ),
    "Open outside Low..High": (row(9, Open=300), "1 row with Open outside its Low to High, kept"),
    "Open of 0.0 with a good Close": (row(9, Open=0.0), "1 row with Open of zero or less, counted as missing"),
    "zero volume": (row(9, Volume=0), "1 row with Volume of zero or less, counted as missing"),
    "missing volume": (row(9, Volume=""), "Volume is missing on 1 day: 2010-01-13"),
    "NaN last bar": (line_after(701, "2012-10-11,,,,NaN,,"), "1 row without Close dropped"),
    "ten sessions missing": (
        BARS.drop(index=range(100, 110)).to_csv(index=False),
        "10 sessions of XNYS are missing: 2010-05-27, 2010-05-28, 2010-06-01, 2010-06-02, 2010-06-03, 2010-06-04, "
        "2010-06-07, 2010-06-08, 2010-06-09, 2010-06-10",
    ),
    "a 4:1 split not adjusted": (
        NO_ADJUSTED.assign(
            **{name: NO_ADJUSTED[name].where(NO_ADJUSTED.index < 400, NO_ADJUSTED[name] / 4) for name in PRICES[:4]}
        ).to_csv(index=False),
        "1 jump looks like a split that the prices are not adjusted for: 2011-08-04 (4:1)",
    ),
    "a row of zeros": (
        line_after(701, "2012-10-11" + ",0" * 6), "1 row with zero for every price dropped",
    ),
    "newest first": (BARS[::-1].to_csv(index=False), "rows were not oldest first; sorted by date"),
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the run `kept`; err.txt is what its training said."""
    folder = tmp_path_factory.mktemp("home")
    contents = {"prices": CLEAN, "bare": NO_ADJUSTED.to_csv(index=False)}
    for number, (content, _) in enumerate(WARNED.values()):
        contents[f"warned-{number}"] = content
    for name, content in contents.items():
        (folder / f"{name}.csv").write_text(content)
    (folder / "many.yaml").write_text(MANY.replace("PATHS", ", ".join(f"{name}.csv" for name in contents)))
    done = stockcast("train", "many.yaml", "--name", "kept", cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "err.txt").write_text(done.stderr)
    return folder


def process(*arguments: str, cwd: Path, **options: object) -> subprocess.CompletedProcess[str]:
    defaults = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "timeout": 100}
    command = [*STOCKCAST, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment(), **{**defaults, **options})  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize("what", WARNED)
def test_what_is_used_with_a_warning_is_said_once_and_kept_in_the_run(what: str, home: Path) -> None:
    name, note = f"warned-{list(WARNED).index(what)}.csv", WARNED[what][1]
    assert (home / "err.txt").read_text().splitlines().count(f"{name}: {note}.") == 1
    series = {one["name"]: one for one in json.loads((home / "runs/kept/run.json").read_text())["series"]}
    assert series[name]["notes"].count(note) == 1


def test_closes_alone_are_enough_for_features_that_need_no_more(home: Path, call: Call) -> None:
    # Only the run's dates and closes can be those of the clean twin: its volatility is told by the whole bar.
    Path("closes.csv").write_text(BARS[["Date", "Close"]].to_csv(index=False))
    done = json.loads(call("predict", str(home / "runs/kept"), "--data", "closes.csv", "--json", "--output", "out").out)
    assert done["last_close"] == BARS["Close"].iloc[-1]
    assert [one["date"] for one in done["forecast"]] == ["2012-10-11", "2012-10-12", "2012-10-15"]


def test_whether_prices_were_adjusted_is_recorded_in_the_run(home: Path) -> None:
    series = {one["name"]: one for one in json.loads((home / "runs/kept/run.json").read_text())["series"]}
    assert "Adj Close" in series["prices.csv"]["columns"]
    assert series["bare.csv"]["columns"] == ["Open", "High", "Low", "Close", "Volume"]
    assert not series["bare.csv"]["adjusted"]


@pytest.mark.slow
def test_a_constant_close_is_warned_of(call: Call, tmp_path: Path) -> None:
    BARS[["Date"]].assign(Close=10).to_csv(tmp_path / "constant.csv", index=False)
    done = call("data", "check", "constant.csv")
    assert done.code == 0
    assert done.out.count("every close is 10, from 2010-01-04 to 2012-10-10") == 1
    assert "with 1 warning" in done.out
    small = ("window=5", "horizon=3", "model.layers=[2]", "training.epochs=1", "ensemble.members=1")
    sets = [part for one in small for part in ("--set", one)]
    trained = call("train", "constant.csv", "--name", "still", *sets)
    assert trained.code == 0, trained.err
    (series,) = json.loads((tmp_path / "runs" / "still" / "run.json").read_text())["series"]
    assert sum("every close is 10" in note for note in series["notes"]) == 1
    assert call("evaluate", "still").code == 0
    assert "NaN" not in (tmp_path / "runs" / "still" / "evaluation" / "metrics.json").read_text()


TWINS: dict[str, str | bytes] = {
    "yfinance's three-row header": under_yfinance("GOOG"),
    "UTF-8 byte-order mark": b"\xef\xbb\xbf" + CLEAN.encode(),
    "CRLF": CLEAN.replace("\n", "\r\n"),
    "no newline at the end": CLEAN.rstrip("\n"),
    "newest first": BARS[::-1].to_csv(index=False),
    "30/09/13 somewhere": dated("%d/%m/%y"),
    "no Adj Close": NO_ADJUSTED.to_csv(index=False),
}


@pytest.mark.parametrize("what", TWINS)
def test_a_file_in_another_shape_gives_the_forecast_of_its_clean_twin(what: str, home: Path, call: Call) -> None:
    content = TWINS[what]
    Path("twin.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    Path("clean.csv").write_text(CLEAN)
    found = [
        json.loads(call("predict", str(home / "runs/kept"), "--data", name, "--json", "--output", "out").out)
        for name in ("twin.csv", "clean.csv")
    ]
    assert found[0]["forecast"] == found[1]["forecast"]
    assert found[0]["last_close"] == BARS["Close"].iloc[-1]


@pytest.mark.parametrize("name", ["my prices.csv", "Zürich été.csv", "-dash.csv", "two\nlines.csv"])
def test_a_data_path_of_any_spelling_gives_the_forecast_of_its_clean_twin(name: str, home: Path, call: Call) -> None:
    Path(name).write_text(CLEAN)
    Path("clean.csv").write_text(CLEAN)
    found = [
        json.loads(call("predict", str(home / "runs/kept"), "--data", file, "--json", "--output", "out").out)
        for file in (name, "clean.csv")
    ]
    own, twin = ({key: value for key, value in each.items() if key != "trust"} for each in found)
    assert own == {**twin, "series": Path(name).stem}
    assert call("data", "check", "--", name).code == 0
    assert call("config", "init", "--data", name, "--output", "made.yaml").code == 0
    assert call("config", "show", "made.yaml").code == 0


def test_a_name_that_is_not_utf_8_is_refused_with_the_advice_to_rename(call: Call) -> None:
    Path("bytes\udcff.csv").write_text(CLEAN)
    refuses(call("data", "check", "bytes\udcff.csv"), "bytes", "Rename the file")


@pytest.mark.parametrize(
    ("content", "reading"),
    [
        (written(lambda value: f"{value:,.2f}"), []),
        (GERMAN, ["data.separator=;", "data.decimal=,"]),
    ],
    ids=['quoted "1,234.5"', "semicolons with 1.234,56, declared"],
)
def test_thousands_and_decimals_as_declared_are_the_clean_twins(
    content: str, reading: list[str], call: Call, tmp_path: Path
) -> None:
    (tmp_path / "twin.csv").write_text(content)
    done = call("data", "check", "twin.csv", "--json", *(part for key in reading for part in ("--set", key)))
    assert (done.code, json.loads(done.out)["warnings"]) == (0, 0)
    declared = CsvOptions(separator=";", decimal=",") if reading else CsvOptions()
    expected = (100 * BARS[PRICES[:4]]).round(2)
    found = read_prices(tmp_path / "twin.csv", options=declared, adjusted=False).bars[PRICES[:4]]
    np.testing.assert_array_equal(found.to_numpy(), expected.to_numpy())


def test_the_ticker_that_is_chosen_is_read(call: Call) -> None:
    Path("two.csv").write_text(under_yfinance("GOOG", "MSFT"))
    assert json.loads(call("data", "check", "two.csv", "--set", "data.ticker=MSFT", "--json").out)["rows"] == 700


# Runs and the places for them.


def pickled(run: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(run.parent / "canary"),)

    (run / "scaler.json").write_bytes(pickle.dumps(Payload()))


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (pickled, ["scaler.json is damaged"]),
        (lambda run: os.truncate(run / "model.onnx", 100), ["model.onnx is damaged"]),
        (lambda run: (run / "config.yaml").write_bytes(b"\xff" + (run / "config.yaml").read_bytes()), ["config.yaml"]),
    ],
    ids=["a pickle where the scaler stands", "a truncated model file", "a config with another first byte"],
)
def test_a_damaged_run_is_refused_by_the_file_that_is(
    harm: Callable[[Path], None], words: list[str], home: Path, call: Call, tmp_path: Path
) -> None:
    subprocess.run(["cp", "-r", home / "runs", tmp_path / "runs"], check=True)
    harm(tmp_path / "runs/kept")
    before = sorted(tmp_path.rglob("*"))
    refuses(call("predict", "kept"), *words)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_run_that_is_a_link_out_of_its_folder_is_refused(home: Path, call: Call, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/mine").symlink_to(home / "runs/kept")
    refuses(call("predict", "mine"), "runs/mine leads out of runs")


def test_a_folder_of_runs_that_is_a_link_is_as_good_as_its_target(home: Path, call: Call, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(home / "runs")
    assert call("runs", "verify", "--runs", "link").out == "kept: whole\n"
    assert call("predict", "--runs", "link", "--output", "out").code == 0


@pytest.mark.parametrize("root", ["a-file", "a-file/runs", "to-nowhere", "/proc/runs"])
def test_runs_that_cannot_be_written_are_refused_before_training(root: str, call: Call, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    (tmp_path / "to-nowhere").symlink_to("nowhere")
    (tmp_path / "prices.csv").write_text(CLEAN)
    (tmp_path / "tiny.yaml").write_text(TINY)
    before = sorted(os.listdir(tmp_path))
    refuses(call("train", "tiny.yaml", "--runs", root), root, "Choose another --runs")
    assert sorted(os.listdir(tmp_path)) == before


def test_a_forecast_that_is_to_go_into_a_file_is_refused_as_such(home: Path, call: Call, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("kept")
    done = call("predict", str(home / "runs/kept"), "--output", "a-file")
    assert done.code == 1
    assert "a-file: a file has that name. Choose another folder." in done.err
    assert (tmp_path / "a-file").read_text() == "kept"


def test_a_run_that_cannot_be_written_into_is_named_and_stays_whole(home: Path, call: Call, tmp_path: Path) -> None:
    subprocess.run(["cp", "-r", home / "runs", tmp_path / "runs"], check=True)
    (tmp_path / "runs/kept/predictions").write_text("")  # root may write into a read-only folder, but not into a file
    done = call("predict", "kept")
    assert done.code == 1
    assert "runs/kept/predictions" in done.err
    assert "Traceback" not in done.err
    assert call("runs", "verify", "kept").out == "kept: whole\n"


def test_a_line_break_in_a_strangers_run_name_makes_no_line_of_its_own(call: Call, tmp_path: Path) -> None:
    (tmp_path / "runs" / "x\nmine  whole").mkdir(parents=True)
    (tmp_path / "runs" / "x\nmine  whole" / "run.json").write_text("{}")
    assert len(call("runs", "list").out.splitlines()) == 2
    assert "x?mine" in call("runs", "list").out


# Streams, terminals, signals and disks, each with a process of its own.


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("command", [["predict", "kept", "--no-plot"], ["runs", "list"], ["runs", "list", "--json"]])
def test_a_full_disk_under_standard_output_is_told_in_a_line(command: list[str], buffered: bool, home: Path) -> None:
    variables = {name: value for name, value in environment().items() if name != "PYTHONUNBUFFERED"}
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*STOCKCAST, *command], cwd=home, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
            env=variables if buffered else {**variables, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("stockcast: Cannot write standard output")
    assert "No space left on device" in done.stderr


def test_a_closed_standard_error_leaves_standard_output_to_the_result(home: Path) -> None:
    command = f"exec {sys.executable} -m stockcast predict kept --data warned-3.csv --no-plot --json 2>&-"
    done = subprocess.run(["bash", "-c", command], cwd=home, capture_output=True, text=True, env=environment())
    assert done.returncode == 0
    assert len(json.loads(done.stdout)["forecast"]) == 3


def test_a_closed_standard_output_is_no_crash(home: Path) -> None:
    command = f"exec {sys.executable} -m stockcast runs list >&-"
    done = subprocess.run(["bash", "-c", command], cwd=home, capture_output=True, text=True, env=environment())
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_that_stops_early_ends_runs_list_quietly(home: Path) -> None:
    command = f"{sys.executable} -m stockcast config schema | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=home, capture_output=True, text=True, env=environment())
    assert done.returncode in (0, 128 + signal.SIGPIPE)
    assert done.stderr == ""


@pytest.mark.parametrize("kind", ["xterm", "dumb"])
@pytest.mark.parametrize("command", [["runs", "list"], ["data", "check", "warned-8.csv"]])
def test_on_a_terminal_of_40_columns_no_line_is_longer_and_no_date_is_cut(
    command: list[str], kind: str, home: Path
) -> None:
    mine, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    environ = {**{name: value for name, value in environment().items() if name != "COLUMNS"}, "TERM": kind}
    child = subprocess.Popen([*STOCKCAST, *command], cwd=home, stdout=its, stderr=its, env=environ)
    os.close(its)
    said = b""
    try:
        while more := os.read(mine, 4096):
            said += more
    except OSError:  # Linux's word for the end of a terminal
        pass
    os.close(mine)
    assert child.wait(60) == 0
    lines = said.decode().splitlines()
    assert max(map(len, lines)) <= 40
    assert any(("2010-05-27" if command[0] == "data" else "ended (UTC): 20") in line for line in lines)


@pytest.mark.parametrize("command", [["data", "check"], ["predict", "kept", "--data"], ["evaluate", "kept", "--data"]])
def test_ctrl_c_while_prices_are_read_ends_in_one_line(command: list[str], home: Path) -> None:
    before = sorted(home.rglob("*"))
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    child = subprocess.Popen([*STOCKCAST, *command, "-"], cwd=home, env=environment(), text=True, **pipes)
    assert child.stdin is not None
    child.stdin.write("Date,Close\n" + 100_000 * "2018-01-02,1\n")  # returns when it reads; then it waits for more
    child.stdin.flush()
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out, err) == (130, "", "stockcast: interrupted.\n")
    assert sorted(home.rglob("*")) == before


def most_bytes(number: int) -> Callable[[], None]:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (number, number))

    return limit


def test_a_disk_that_fills_up_under_a_picture_names_it_and_leaves_the_table_and_the_run(home: Path) -> None:
    done = process("predict", "kept", "--output", "full", cwd=home, preexec_fn=most_bytes(8000))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"stockcast: Cannot write {home / 'full/forecast.png'}: ")
    assert os.listdir(home / "full") == ["forecast.csv"]
    assert process("runs", "verify", "kept", cwd=home).stdout == "kept: whole\n"


@pytest.mark.slow
def test_a_run_in_training_is_no_other_processs_and_a_full_disk_costs_nothing(tmp_path: Path, call: Call) -> None:
    (tmp_path / "prices.csv").write_text(CLEAN)
    (tmp_path / "tiny.yaml").write_text(TINY)
    long = ["--set", "training.epochs=400", "--set", "training.patience=400", "--set", "model.layers=[64]"]
    child = subprocess.Popen(
        [*STOCKCAST, "train", "tiny.yaml", "--name", "one", *long],
        cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stderr is not None
    while not child.stderr.readline().startswith("epoch 1/"):
        pass
    refuses(call("train", "--resume", "--name", "one"), "one is being trained by another process")
    refuses(call("train", "tiny.yaml", "--name", "one"), "one exists. Choose another --name")
    refuses(call("predict", "one"), "one is unfinished")
    assert call("runs", "list").out.splitlines()[1].split()[:3] == ["one", "being", "trained"]
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert (child.returncode, "Traceback" in err) == (130, False)
    kept = sorted(path.name for path in (tmp_path / "runs/one/checkpoints").iterdir())

    limit = most_bytes(150_000)  # a checkpoint is larger, the arrays that are trained on are not
    full = process("train", "--resume", "--name", "one", cwd=tmp_path, preexec_fn=limit)
    assert full.returncode == 1
    assert "Cannot write" in full.stderr
    assert "runs/one/checkpoints" in full.stderr
    assert "Traceback" not in full.stderr
    assert sorted(path.name for path in (tmp_path / "runs/one/checkpoints").iterdir()) == kept


def test_a_loss_that_is_no_number_stops_training_and_makes_no_run(tmp_path: Path, call: Call) -> None:
    (tmp_path / "prices.csv").write_text(CLEAN)
    (tmp_path / "tiny.yaml").write_text(TINY)
    explosive = ["optimizer=sgd", "learning_rate=10.0", "clip_norm=null", "epochs=30"]
    settings = [part for one in explosive for part in ("--set", f"training.{one}")]
    done = call("train", "tiny.yaml", *settings, "--set", "model.output_l2=1.0", "--name", "nan")
    assert done.code == 1
    assert "not a finite number. Lower training.learning_rate" in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "runs/nan/run.json").exists()
    refuses(call("predict"), "No finished run")
