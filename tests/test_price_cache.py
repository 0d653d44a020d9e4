"""What is kept of price files between commands: the same values and messages to the last bit, and never a stale one."""

import errno
import gzip
import os
import random
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dialects import write_dialect
from made import QUICK, make_bars
from program import stockcast
from shapes import SHAPES

import stockcast as sc
from stockcast.cache import entries, features, folder, prices
from stockcast.cache.features import cached_features, cached_volatility
from stockcast.cache.folder import CacheFolder, cache_folder
from stockcast.cache.prices import cached_prices
from stockcast.data.csv.options import CsvOptions, OwnColumn
from stockcast.data.features import FEATURES, SCALE_FREE, Feature, make_features, make_market
from stockcast.data.prices import Prices, read_prices
from stockcast.data.volatility import daily_variance, volatility
from stockcast.errors import DataError, MissingColumns, StockcastError

CASES = Path(__file__).parents[1].parent / "shared" / "cases"
NAMES = tuple(SCALE_FREE)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a cache of the test's own."""
    monkeypatch.setenv("STOCKCAST_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def reads_nothing(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """After it is called, whoever reads a price file or computes a feature fails."""

    def forbid() -> None:
        def fail(*_: object, **__: object) -> None:
            pytest.fail("it was read or computed again")

        monkeypatch.setattr(prices, "read_prices", fail)
        for name in ("make_features", "daily_variance"):
            monkeypatch.setattr(features, name, fail)

    return forbid


def write(path: Path, bars: pd.DataFrame) -> Path:
    bars.to_csv(path, index=False)
    return path


def check_same(one: Prices, other: Prices) -> None:
    """Check that two prices are the same to the last bit, in values, kinds and layout."""
    for name in ("source", "sha256", "notes", "later", "name", "ticker", "frequency", "known", "known_columns"):
        assert getattr(one, name) == getattr(other, name), name
    tables = [(one.bars, other.bars)]
    assert (one.own is None) == (other.own is None)
    if one.own is not None and other.own is not None:
        assert vars(one.own) | {"values": 0} == vars(other.own) | {"values": 0}
        tables.append((one.own.values, other.own.values))
    for table, twin in tables:
        pd.testing.assert_frame_equal(table, twin, check_exact=True, check_freq=True)
        assert table.index.dtype == twin.index.dtype
        assert table.to_numpy().tobytes() == twin.to_numpy().tobytes()
        assert [table[name].to_numpy().strides for name in table] == [twin[name].to_numpy().strides for name in twin]
    assert one.quoted.tobytes() == other.quoted.tobytes()


def read(reads: Callable[..., Prices], file: Path, how: dict[str, Any]) -> Prices | DataError:
    """Return what reading a file ends in."""
    try:
        return reads(file, **how)
    except DataError as error:
        return error


def check_kept(path: Path, **how: Any) -> None:
    """Check that a file gives the same the first and the second time, also under another name, or the same error."""
    twin = path.with_name(f"twin-{path.name}")
    twin.write_bytes(path.read_bytes())
    for file in (path, path, twin):
        direct, again = (read(reads, file, how) for reads in (read_prices, cached_prices))
        assert type(again) is type(direct)
        if isinstance(direct, Prices) and isinstance(again, Prices):
            check_same(again, direct)
        else:
            assert (str(again), vars(again)) == (str(direct), vars(direct))


def count_of(kept: Path) -> int:
    return len(list(kept.glob("*.npz")))


@pytest.mark.parametrize(
    "vendor", [pytest.param(name, marks=[pytest.mark.slow] * (place % 8 > 0)) for place, name in enumerate(SHAPES)]
)
def test_every_vendors_shape_is_the_same_from_the_cache(kept: Path, tmp_path: Path, vendor: str) -> None:
    content, _, options = SHAPES[vendor]
    path = tmp_path / "prices.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    check_kept(path, options=options)
    assert count_of(kept) == 1


@pytest.mark.parametrize("number", [8, pytest.param(200, marks=pytest.mark.slow)])
def test_dialects_are_the_same_from_the_cache_and_so_are_refusals(kept: Path, tmp_path: Path, number: int) -> None:
    rng = random.Random(7)
    for place in range(number):
        path = tmp_path / f"{place}.csv"
        path.write_bytes(write_dialect(rng).raw)
        check_kept(path)
    assert number / 8 < count_of(kept) < number  # some are refused: these are read each time


@pytest.mark.slow
@pytest.mark.skipif(not CASES.is_dir(), reason=f"the files are not next to this checkout ({CASES})")
def test_files_of_users_are_the_same_from_the_cache(kept: Path, tmp_path: Path) -> None:
    for case in sorted(CASES.glob("*.csv")):
        path = tmp_path / case.name
        path.write_bytes(case.read_bytes())
        check_kept(path)
    assert count_of(kept) > 5


def test_packed_files_workbooks_and_parquet_are_the_same_from_the_cache(kept: Path, tmp_path: Path) -> None:
    bars = make_bars(60)
    packed = tmp_path / "packed.csv.gz"
    packed.write_bytes(gzip.compress(bars.to_csv(index=False).encode()))
    bars.to_excel(tmp_path / "book.xlsx", index=False)
    bars.to_parquet(tmp_path / "bars.parquet", index=False)
    for name in ("packed.csv.gz", "book.xlsx", "bars.parquet"):
        check_kept(tmp_path / name)
    assert count_of(kept) == 3


@pytest.mark.parametrize(
    "how",
    [
        {"adjusted": False},
        {"start": date(2010, 3, 1), "end": date(2010, 8, 2)},
        {"options": CsvOptions(own=(OwnColumn("VIX", carry=2), OwnColumn("absent")))},
        {"options": CsvOptions(tickers=("GE",))},
        {"options": CsvOptions(tickers=("GE", "BRK/B"))},
        {"options": CsvOptions(resample="1w")},
        {"options": CsvOptions(decimal=",")},
    ],
    ids=["as quoted", "some days", "own columns", "one of two", "two joined", "resample", "refused"],
)
def test_each_way_to_read_a_file_has_an_entry_of_its_own(kept: Path, tmp_path: Path, how: dict[str, Any]) -> None:
    bars = make_bars(200).assign(VIX=np.where(np.arange(200) % 5, np.arange(200.0), np.nan))
    bars["Adj Close"] *= 0.5
    bars["Volume"] = bars["Volume"].where(bars.index % 7 > 0)
    if "tickers" in str(how) and how["options"].tickers:
        bars["Ticker"] = np.where(bars.index < 90, "GE", "BRK/B")
    path = write(tmp_path / "prices.csv", bars[::-1])  # newest first: there is a note
    check_kept(path, **how)
    check_kept(path)  # and it is not taken for the other one


def test_nothing_is_read_or_computed_twice(kept: Path, tmp_path: Path, reads_nothing: Callable[[], None]) -> None:
    path = write(tmp_path / "prices.csv", make_bars())
    first = cached_prices(path)
    values, unit = cached_features(first, NAMES), cached_volatility(first)
    assert values.tobytes() == make_features(first, NAMES).tobytes()
    assert values.flags.c_contiguous
    assert unit.tobytes() == volatility(daily_variance(first.bars)).tobytes()
    reads_nothing()
    again = cached_prices(path)
    check_same(again, first)
    for series in (again, first):
        kept_values = cached_features(series, NAMES)
        assert (kept_values.tobytes(), kept_values.flags.c_contiguous) == (values.tobytes(), True)
        assert cached_volatility(series).tobytes() == unit.tobytes()
    assert count_of(kept) == 3


def test_a_changed_file_of_the_same_size_and_time_is_read_again(kept: Path, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("Date,Close\n2018-01-02,10.5\n2018-01-03,11.5\n")
    os.utime(path, (1e9, 1e9))
    assert cached_prices(path).quoted.tolist() == [10.5, 11.5]
    path.write_text("Date,Close\n2018-01-02,10.5\n2018-01-03,12.5\n")
    os.utime(path, (1e9, 1e9))
    assert cached_prices(path).quoted.tolist() == [10.5, 12.5]


def test_features_follow_the_bars_whatever_was_done_to_them(kept: Path, tmp_path: Path) -> None:
    series = cached_prices(write(tmp_path / "prices.csv", make_bars()))
    cached_features(series, NAMES)
    raised = series.bars.assign(Close=series.bars["Close"] * 1.01)
    for changed in (
        series.until(date(2011, 3, 1)),
        series.without(["Volume"]),
        series.with_rows(slice(30, None)),
        Prices(series.source, raised, series.quoted, series.sha256),
    ):
        assert cached_features(changed, NAMES).tobytes() == make_features(changed, NAMES).tobytes()
        assert cached_volatility(changed).tobytes() == volatility(daily_variance(changed.bars)).tobytes()
    assert cached_features(series, NAMES[:4]).tobytes() == make_features(series, NAMES[:4]).tobytes()
    short = Prices(series.source, series.bars[["Close"]], series.quoted, series.sha256)
    with pytest.raises(MissingColumns):
        cached_features(short, NAMES)


def test_columns_of_ones_own_and_the_market_are_computed_each_time(kept: Path, tmp_path: Path) -> None:
    options = CsvOptions(own=(OwnColumn("VIX"),))
    bars = make_bars().assign(VIX=np.sin(np.arange(700)))
    one = cached_prices(write(tmp_path / "prices.csv", bars), options=options)
    names = ("market_momentum_20", "momentum_20", "own:VIX", "drawdown")
    markets = [make_market([read_prices(write(tmp_path / "m.csv", make_bars(seed=seed)))], names) for seed in (1, 2)]
    for market in (*markets, *markets):
        assert cached_features(one, names, market).tobytes() == make_features(one, names, market).tobytes()
        assert cached_features(one, names, market).flags.c_contiguous
    same = make_market([one], names, make=cached_features)
    assert same is not None
    assert same.means["momentum_20"].tobytes() == make_features(one, ("momentum_20",)).tobytes()


def test_a_feature_that_was_exchanged_is_not_served_from_the_cache(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    series = cached_prices(write(tmp_path / "prices.csv", make_bars()))
    cached_features(series, ("log_return", "drawdown"))
    leak = Feature(("Close",), lambda bars: bars.log_return.shift(-1))  # tomorrow's
    monkeypatch.setitem(FEATURES, "log_return", leak)
    values = cached_features(series, ("log_return", "drawdown"))
    assert values[0, 0] == pytest.approx(np.log(series.quoted[1] / series.quoted[0]))


def test_another_version_of_the_program_reads_again(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached_prices(path := write(tmp_path / "prices.csv", make_bars(30)))
    monkeypatch.setattr(entries, "__version__", "another")
    entries._makers.cache_clear()
    try:
        cached_prices(path)
    finally:
        monkeypatch.undo()
        entries._makers.cache_clear()
    assert count_of(kept) == 2


def test_any_damaged_byte_is_found_or_does_not_matter(kept: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "prices.csv", make_bars(4))
    truth = cached_prices(path)
    (entry,) = kept.glob("*.npz")
    whole, store = entry.read_bytes(), cache_folder()
    assert store is not None
    found = 0
    places = range(0, len(whole), 4)
    for place in places:
        entry.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place // 4 % 8)]) + whole[place + 1 :])
        loaded = entries.load_entry(store, entry.stem, prices._KINDS)
        found += loaded is None
        if loaded is not None:
            again = prices._from_entry(path, CsvOptions(), truth.sha256, *loaded)
            assert again is not None
            check_same(again, truth)
    assert found > len(places) / 2
    for cut in (0, 1, len(whole) // 2, len(whole) - 1):
        entry.write_bytes(whole[:cut])
        check_same(cached_prices(path), truth)
        assert entry.read_bytes()[:4] == b"PK\x03\x04"  # written again


def test_an_entry_under_the_name_of_another_is_not_taken(kept: Path, tmp_path: Path) -> None:
    one = cached_prices(write(tmp_path / "one.csv", make_bars(30, seed=1)))
    (first,) = kept.glob("*.npz")
    other = write(tmp_path / "other.csv", make_bars(30, seed=2))
    cached_prices(other)
    (second,) = set(kept.glob("*.npz")) - {first}
    second.write_bytes(first.read_bytes())
    assert cached_prices(other).quoted.tolist() != one.quoted.tolist()
    check_same(cached_prices(other), read_prices(other))


@pytest.mark.parametrize("foreign", ["link", "pipe", "folder", "pickle", "large"])
def test_a_foreign_file_in_the_place_of_an_entry_is_left_alone(kept: Path, tmp_path: Path, foreign: str) -> None:
    path = write(tmp_path / "prices.csv", make_bars(30))
    cached_prices(path)
    (entry,) = kept.glob("*.npz")
    held = entry.read_bytes()
    entry.unlink()
    if foreign == "link":
        (tmp_path / "elsewhere").write_bytes(held)
        entry.symlink_to(tmp_path / "elsewhere")
        assert CacheFolder(kept, most=10**6).load(entry.stem) is None
    elif foreign == "pipe":
        os.mkfifo(entry)
    elif foreign == "folder":
        entry.mkdir()
    elif foreign == "large":
        with entry.open("wb") as stream:
            stream.truncate(2**28 + 1)  # a hole
    else:
        np.savez(entry, bars=np.array([{"a": 1}], dtype=object), words=np.zeros(3, np.uint8))
    check_same(cached_prices(path), read_prices(path))
    if foreign == "link":
        assert (tmp_path / "elsewhere").read_bytes() == held


def test_no_cache_where_it_is_off_or_there_is_no_folder_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "prices.csv", make_bars(30))
    (tmp_path / "file").write_text("")
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    for place in ("off", "OFF", str(tmp_path / "file"), str(tmp_path / "file" / "below"), str(tmp_path / "open"), "\0"):
        if "\0" not in place:
            monkeypatch.setenv("STOCKCAST_CACHE", place)
            assert cache_folder() is None
        check_same(cached_prices(path), read_prices(path))
    assert folder._folder("a\0b", None) is None
    assert list((tmp_path / "open").iterdir()) == []


def test_the_folder_is_the_platforms_and_closed_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STOCKCAST_CACHE")
    monkeypatch.setattr(folder.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    folder._folder.cache_clear()
    cached_prices(write(tmp_path / "prices.csv", make_bars(30)))
    assert count_of(tmp_path / "xdg" / "stockcast" / "prices") == 1
    assert (tmp_path / "xdg" / "stockcast" / "prices").stat().st_mode & 0o777 == 0o700
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder._folder.cache_clear()
    cached_prices(tmp_path / "prices.csv")
    assert count_of(tmp_path / "home" / ".cache" / "stockcast" / "prices") == 1
    folder._folder.cache_clear()


def test_a_full_disk_is_no_error_and_tried_once(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def full(*_: object, **__: object) -> None:
        tried.append("once")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folder.tempfile, "mkstemp", full)
    for seed in range(3):
        path = write(tmp_path / f"{seed}.csv", make_bars(30, seed=seed))
        check_same(cached_prices(path), read_prices(path))
    assert tried == ["once"]


def test_a_write_that_fails_leaves_nothing_behind(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.mkdir()

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(folder.os, "replace", fail)
    CacheFolder(kept, most=10**6).store("a", b"content")
    assert list(kept.iterdir()) == []


def filled(path: Path, sizes: dict[str, int]) -> None:
    """Fill a folder with entries that were used one after the other, the last one a minute ago."""
    path.mkdir(exist_ok=True)
    for age, (name, size) in enumerate(reversed(sizes.items()), start=1):
        (path / f"{name}.npz").write_bytes(bytes(size))
        used = time.time() - 60 * age
        os.utime(path / f"{name}.npz", (used, used))


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    filled(tmp_path / "c", {"old": 300, "middle": 300, "new": 300})
    store = CacheFolder(tmp_path / "c", most=1000)
    assert store.load("old") == bytes(300)  # so it is the one that was used last
    store.store("added", bytes(300))
    assert sorted(path.stem for path in (tmp_path / "c").iterdir()) == ["added", "new", "old"]


def test_a_folder_without_room_for_all_series_keeps_a_part_of_them(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    for _ in range(3):  # commands over the same ten series, an hour apart
        store = CacheFolder(tmp_path / "c", most=1000)
        hits = 0
        for number in range(10):
            if store.load(f"series-{number}"):
                hits += 1
            else:
                store.store(f"series-{number}", bytes(200))
            assert sum(path.stat().st_size for path in (tmp_path / "c").iterdir()) <= 1000
        for path in (tmp_path / "c").iterdir():
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 3600))
    assert hits >= 4


def test_what_a_killed_process_left_goes_after_an_hour(tmp_path: Path) -> None:
    filled(tmp_path / "c", {"entry": 10})
    for name, age in ((".partial-old", 4000), (".partial-new", 10)):
        (tmp_path / "c" / name).write_bytes(b"half")
        os.utime(tmp_path / "c" / name, (time.time() - age, time.time() - age))
    CacheFolder(tmp_path / "c", most=1000).store("added", b"whole")
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == [".partial-new", "added.npz", "entry.npz"]


@pytest.mark.parametrize("size", ["0", "-1", "2GB", "1.5", "²", "9" * 12])
def test_a_wrong_size_is_named(kept: Path, monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    monkeypatch.setenv("STOCKCAST_CACHE_SIZE", size)
    with pytest.raises(StockcastError) as error:
        cache_folder()
    assert (error.value.key, error.value.value) == ("STOCKCAST_CACHE_SIZE", size)


def test_the_size_is_in_megabytes(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKCAST_CACHE_SIZE", "1")
    for seed in range(12):
        cached_prices(write(tmp_path / f"{seed}.csv", make_bars(2000, seed=seed)))
    held = sum(path.stat().st_size for path in kept.iterdir())
    assert 500_000 < held <= 1_000_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, and a folder of price files, one of which cannot be used."""
    home = tmp_path_factory.mktemp("home")
    (home / "folder").mkdir()
    write(home / "prices.csv", make_bars())
    for seed in range(1, 4):
        write(home / "folder" / f"S{seed}.csv", make_bars(seed=seed)[::-1])
    (home / "folder" / "BAD.csv").write_text("Date,Close\n2010-01-04,1\n2010-01-05,x\n")
    (home / "tiny.yaml").write_text(QUICK + "target: {scale: volatility}\n")
    sc.train(sc.load_config(home / "tiny.yaml"), runs=home / "runs", name="mine", processes=1)
    return home


def test_commands_over_a_folder_print_the_same_with_and_without(
    home: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forecast = ("predict", "mine", "--data", "folder", "--json", "--no-plot", "--output", "out")
    without = stockcast(*forecast, cwd=home, STOCKCAST_CACHE="off")
    first = stockcast(*forecast, cwd=home)
    read: list[Path] = []

    def reading(source: Any, **how: Any) -> Prices:
        read.append(source)
        return read_prices(source, **how)

    monkeypatch.setattr(prices, "read_prices", reading)
    monkeypatch.setattr(features, "make_features", lambda *_: pytest.fail("computed again"))
    second = stockcast(*forecast, cwd=home)
    assert without.returncode == 1  # of four series one has no forecast
    assert len(without.stdout) > 1000
    assert [path.name for path in read] == ["BAD.csv"]
    assert (first.stdout, first.stderr) == (without.stdout, without.stderr)
    assert (second.stdout, second.stderr) == (without.stdout, without.stderr)


def test_a_training_is_the_same_to_the_last_bit_with_and_without(
    home: Path, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = sc.load_config(home / "tiny.yaml", {"data.path": str(home / "folder"), "data.refuse_at_most": 0.5})
    digests, notes = [], []
    for name, place in (("without", "off"), ("first", str(kept)), ("second", str(kept))):
        monkeypatch.setenv("STOCKCAST_CACHE", place)
        run = sc.train(config, runs=tmp_path / "runs", name=name, processes=1)
        manifest = run.manifest()
        digests.append({file: manifest["files"][file] for file in ("model.onnx", "scaler.json", "calibration.json")})
        notes.append([series["notes"] for series in manifest["series"]])
    assert digests[0] == digests[1] == digests[2]
    assert notes[0] == notes[1] == notes[2]
    assert any(notes[0])
