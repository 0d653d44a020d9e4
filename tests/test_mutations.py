"""Files with bytes changed, lost, doubled and moved: told, or what they say; never a traceback, never a quiet guess.

Thirty of each kind are tried, and in the slow layer as many as STOCKCAST_MUTATIONS says.
"""

import csv
import io
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import commands
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from made import QUICK, make_bars

from stockcast.config.load import load_config, parse_config
from stockcast.data.csv.options import CsvOptions
from stockcast.data.prices import Prices, read_prices
from stockcast.errors import ConfigError, DataError, StockcastError
from stockcast.runs import RunDirectory

EACH = int(os.environ.get("STOCKCAST_MUTATIONS", "700"))
FEW = settings(
    max_examples=30,
    derandomize=True,  # the same in every run of the suite
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
MANY = settings(FEW, max_examples=EACH, derandomize=EACH == 700)
SPICE = [
    *(mark.encode() for mark in "\0\r\n\t\xa0,;:'-.#$% {[\""),
    *(word.encode() for word in ("- ", "&a", "*a", "!!", "1e309", "nan", "null", "2018-01-03", "03/04/13", "\ufeff")),
    b"\xff",
]

Mutation = Callable[[bytes], bytes]


@st.composite
def mutations(draw: st.DrawFn) -> Mutation:
    """One to three changes of a file's bytes, wherever they fall."""
    changes = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["flip", "set", "insert", "cut", "double", "swap", "end"]),
                st.floats(0, 1, exclude_max=True),
                st.integers(1, 40),
                st.one_of(st.sampled_from(SPICE), st.binary(min_size=1, max_size=3)),
            ),
            min_size=1,
            max_size=3,
        )
    )

    def mutate(content: bytes) -> bytes:
        for kind, where, length, spice in changes:
            at = int(where * len(content))
            span = content[at : at + length]
            content = {
                "flip": lambda c=content, a=at, n=length: c[:a] + bytes([c[a] ^ (1 << n % 8)]) + c[a + 1 :] if c else c,
                "set": lambda c=content, a=at, s=spice: c[:a] + s + c[a + len(s) :],
                "insert": lambda c=content, a=at, s=spice: c[:a] + s + c[a:],
                "cut": lambda c=content, a=at, n=length: c[:a] + c[a + n :],
                "double": lambda c=content, a=at, s=span: c[:a] + s + c[a:],
                "swap": lambda c=content, a=at, n=length: c[:a] + c[a : a + n][::-1] + c[a + n :],
                "end": lambda c=content, a=at: c[:a],
            }[kind]()
        return content

    return mutate


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Fail what takes longer."""

    def late(*_: object) -> None:
        raise TimeoutError(f"took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


# Prices: what is read without a note is what a naive reader finds in the file.


def naive(content: bytes) -> dict[date, float]:
    """Date -> close of every row, the shortest way there is; fails at what it cannot read.

    Dates stand in the first column, closes where the header says so: a cut may take names and end a row as well.
    """
    header, *rows = [
        row for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=None)) if "".join(row).strip()
    ]
    names = [name.strip().lower() for name in header]
    close = names.index("close") if "close" in names else 4
    return {datetime.strptime(row[0].strip(), "%Y-%m-%d").date(): float(row[close]) for row in rows}


GOOD_CSV = make_bars(30).round(4).to_csv(index=False).encode()


def check_price_file(mutate: Mutation, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "mutated.csv"
    content = mutate(GOOD_CSV)
    path.write_bytes(content)
    with at_most(10):
        try:
            prices: Prices = read_prices(path, options=CsvOptions(), adjusted=False)
        except DataError as error:
            told = str(error)
        else:
            told = " ".join(prices.notes)
            if not told:
                read = dict(zip(prices.dates.tolist(), prices.column("Close").tolist(), strict=True))
                assert read == naive(content)
                return
    assert told


@FEW
@given(mutate=mutations())
def test_a_mutated_price_file_is_refused_noted_or_read_as_it_stands(
    mutate: Mutation, tmp_path_factory: pytest.TempPathFactory
) -> None:
    check_price_file(mutate, tmp_path_factory)


@pytest.mark.slow
@MANY
@given(mutate=mutations())
def test_many_mutated_price_files_are_refused_noted_or_read_as_they_stand(
    mutate: Mutation, tmp_path_factory: pytest.TempPathFactory
) -> None:
    check_price_file(mutate, tmp_path_factory)


# Configs: what is accepted is what PyYAML's own safe loader finds in the file.

GOOD_YAML = b"""\
name: mine
data:
  path: prices.csv
  start: 1999-01-04
features: [log_return, log_range]
window: 50
horizon: 20
model: {cell: lstm, layers: [50, 100], dropout: 0.2}
training:
  epochs: 30
  learning_rate: 0.001
"""


def agrees(found: Any, stated: Any) -> bool:
    """Whether every value that a file states has come through."""
    if isinstance(stated, dict):
        return all(agrees(found[key], value) for key, value in stated.items())
    if isinstance(stated, list):
        return len(found) == len(stated) and all(map(agrees, found, stated))
    return found == (str(stated) if isinstance(stated, date) else stated) or str(found).endswith(str(stated))


def check_config(mutate: Mutation) -> None:
    content = mutate(GOOD_YAML)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return  # refused where files are read; see test_config.py
    with at_most(10):
        try:
            config = parse_config(text, source="my.yaml", folder=Path("/nowhere"))
        except ConfigError as error:
            told = str(error)
        else:
            assert agrees(config.model_dump(mode="json"), yaml.safe_load(text))
            return
    assert "my.yaml" in told or "data.path" in told


@FEW
@given(mutate=mutations())
def test_a_mutated_config_is_refused_or_means_what_it_says(mutate: Mutation) -> None:
    check_config(mutate)


@pytest.mark.slow
@MANY
@given(mutate=mutations())
def test_many_mutated_configs_are_refused_or_mean_what_they_say(mutate: Mutation) -> None:
    check_config(mutate)


# Runs: whatever changes, the forecast is the same or there is none.


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    folder = tmp_path_factory.mktemp("mutated")
    make_bars(400).to_csv(folder / "prices.csv", index=False)
    (folder / "tiny.yaml").write_text(QUICK)
    run = commands.train(load_config(folder / "tiny.yaml"), runs=folder / "runs", name="good").run
    shutil.copytree(run.path, folder / "kept")
    return run


def listing(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def check_run(kept: RunDirectory, data: st.DataObject, mutate: Mutation) -> None:
    root = kept.path.parents[1]
    good = listing(root / "kept")
    name = data.draw(st.sampled_from(sorted(good)))
    expected = EXPECTED.setdefault("rows", commands.predict(kept).rows)
    outside = {path.name for path in root.iterdir()} | {"runs"}
    (kept.path / name).write_bytes(mutate(good[name]))
    try:
        with at_most(10):
            assert commands.predict(RunDirectory.find(kept.path.parent, None)).rows == expected
    except StockcastError:
        pass
    finally:
        (kept.path / name).write_bytes(good[name])
    assert {path.name for path in root.iterdir()} == outside
    assert [path.name for path in kept.path.parent.iterdir()] == ["good"]


@FEW
@given(data=st.data(), mutate=mutations())
def test_a_mutated_run_gives_the_same_forecast_or_none(
    kept: RunDirectory, data: st.DataObject, mutate: Mutation
) -> None:
    check_run(kept, data, mutate)


@pytest.mark.slow
@MANY
@given(data=st.data(), mutate=mutations())
def test_many_mutated_runs_give_the_same_forecast_or_none(
    kept: RunDirectory, data: st.DataObject, mutate: Mutation
) -> None:
    check_run(kept, data, mutate)


EXPECTED: dict[str, Any] = {}
