"""Many series forecast by one command: each as if it were alone, under its own name, and a bad one in its own row."""

import json
import shutil
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from made import QUICK, make_bars
from program import stockcast

import stockcast as sc
from stockcast.config.load import load_config

NAMES = ("AA", "BB", "CC")
CONFIG = QUICK.replace("[log_return, log_range]", "[return_in_volatility, volatility_ratio_5]") + (
    "target: {scale: volatility}\n"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, and a folder of three files that it was not trained on."""
    home = tmp_path_factory.mktemp("many")
    make_bars().to_csv(home / "prices.csv", index=False)
    (home / "tiny.yaml").write_text(CONFIG)
    sc.train(load_config(home / "tiny.yaml"), runs=home / "runs", name="first")
    (home / "folder").mkdir()
    for seed, name in enumerate(NAMES, 3):
        make_bars(500 + seed, seed=seed).to_csv(home / "folder" / f"{name}.csv", index=False)
    return home


def long_table(home: Path, *options: str) -> pd.DataFrame:
    done = stockcast("predict", "first", "--output", "out.csv", "-q", *options, cwd=home)
    assert done.returncode == 0, done.stderr
    return pd.read_csv(home / "out.csv", dtype=str)


def test_every_row_of_many_is_that_of_the_series_forecast_alone_to_the_last_digit(home: Path) -> None:
    table = long_table(home, "--data", "folder")
    assert list(table)[:5] == ["unique_id", "cutoff", "ds", "step", "median"]
    assert table["unique_id"].drop_duplicates().tolist() == list(NAMES)
    for name in NAMES:
        stockcast("predict", "first", "--data", f"folder/{name}.csv", "--output", "one.csv", "-q", cwd=home)
        alone = pd.read_csv(home / "one.csv", dtype=str)
        rows = table[table["unique_id"] == name].reset_index(drop=True)
        assert rows["ds"].tolist() == alone["date"].tolist()
        for column in ("median", "lower_50", "upper_50", "lower_90", "upper_90"):
            assert rows[column].tolist() == alone[column].tolist()
        assert rows["cutoff"].unique().tolist() == [str(sc.read_prices(home / "folder" / f"{name}.csv").dates[-1])]


def test_the_terminal_has_a_row_a_series_and_the_files_are_in_a_folder_of_their_own(home: Path) -> None:
    done = stockcast("predict", "first", "--data", "folder", "--no-plot", cwd=home)
    assert done.returncode == 0, done.stderr
    for name in NAMES:
        (line,) = [line for line in done.stdout.splitlines() if line.strip().startswith(f"{name} ")]
        assert "2011-12-0" in line
    assert "How good is it? stockcast evaluate first --data folder\n" in done.stderr
    before = set((home / "runs" / "first" / "predictions").iterdir())
    stockcast("predict", "first", "--data", "folder/AA.csv", "--data", "folder/BB.csv", "--no-plot", cwd=home)
    stockcast("predict", "first", "--data", "folder", "--horizon", "2", "--no-plot", cwd=home)
    after = set((home / "runs" / "first" / "predictions").iterdir()) - before
    assert len(after) == 2  # other series, and another horizon, overwrite nothing


def test_a_bad_file_costs_its_own_row_and_the_exit_code(home: Path) -> None:
    (home / "bad.csv").write_text("Date,Close\n2018-01-02,twelve\n")
    done = stockcast("predict", "first", "--data", "bad.csv", "--data", "folder", "--no-plot", "--json", cwd=home)
    assert done.returncode == 1
    assert "1 of 4 series could not be forecast" in done.stderr
    document = json.loads(done.stdout)
    assert list(document["failures"]) == ["bad"]
    assert "twelve" in document["failures"]["bad"]
    assert [series["series"] for series in document["series"]] == list(NAMES)
    printed = stockcast("predict", "first", "--data", "bad.csv", "--data", "folder", "--no-plot", cwd=home).stdout
    assert "not forecast" in printed


def test_two_files_of_one_name_are_kept_apart_by_their_folders(home: Path) -> None:
    (home / "other").mkdir(exist_ok=True)
    make_bars(500, seed=8).to_csv(home / "other" / "AA.csv", index=False)
    table = long_table(home, "--data", "folder", "--data", "other", "--data", "folder/AA.csv")
    assert table["unique_id"].drop_duplicates().tolist() == ["folder/AA.csv", "BB", "CC", "other/AA.csv"]
    last = table.groupby("unique_id")["median"].last()
    assert last["folder/AA.csv"] != last["other/AA.csv"]


def test_the_first_by_width_are_the_widest_bands_of_the_last_day(home: Path) -> None:
    table = long_table(home, "--data", "folder").astype({"step": int})
    last = table[table["step"] == 3].set_index("unique_id")
    closes = {name: sc.read_prices(home / "folder" / f"{name}.csv").quoted[-1] for name in NAMES}
    width = {
        name: (float(last.loc[name, "upper_90"]) - float(last.loc[name, "lower_90"])) / closes[name] for name in NAMES
    }
    by_hand = sorted(NAMES, key=lambda name: -width[name])
    top = long_table(home, "--data", "folder", "--top", "2", "--sort", "width")
    assert top["unique_id"].drop_duplicates().tolist() == by_hand[:2]
    done = stockcast("predict", "first", "--data", "folder", "--top", "1", "--sort", "width", "--no-plot", cwd=home)
    assert f"1 of {len(NAMES)} series" in done.stdout
    written = home / done.stderr.partition("Table: ")[2].splitlines()[0] / "forecasts.csv"
    assert pd.read_csv(written)["unique_id"].nunique() == len(NAMES)  # the folder of these files has all of them


def test_python_takes_files_and_data_frames_and_sums_each_up(home: Path) -> None:
    frame = make_bars(500, seed=21)
    frame.attrs["name"] = "MINE"
    pool = sc.predict_pool("first", [home / "folder" / "AA.csv", frame], runs=home / "runs")
    assert list(pool.predictions) == ["AA", "MINE"]
    row = pool.rows()[1]
    alone = sc.predict("first", frame, runs=home / "runs").forecast
    lower, upper = (float(end[0, -1]) for end in alone.band(0.9))
    assert row["width_90"] == pytest.approx((upper - lower) / float(alone.last_close[0]), rel=1e-4)
    assert row["median_return"] == pytest.approx(float(alone.median[0, -1] / alone.last_close[0]) - 1, rel=1e-3)
    # A random walk of 1 % a day moves by 16 % a year, nearly untrained bands are not far off; 10 % in 3 days is rare.
    assert 0.08 < row["volatility"] < 0.32
    assert row["p_fall"] < 0.02
    assert pool.to_frame()["unique_id"].tolist() == 3 * ["AA"] + 3 * ["MINE"]


def test_a_forecast_as_of_an_earlier_day_is_that_of_the_file_cut_there_with_what_came_since(home: Path) -> None:
    bars = pd.read_csv(home / "folder" / "CC.csv")
    day = bars["Date"].iloc[-3]
    bars.iloc[:-2].to_csv(home / "cut.csv", index=False)
    cut = sc.predict("first", home / "cut.csv", runs=home / "runs")
    for asked in (day, "2011-12-07" if day == "2011-12-06" else day):
        origin = np.datetime64(asked).astype(object)
        dated = sc.predict("first", home / "folder" / "CC.csv", runs=home / "runs", origin=origin)
        np.testing.assert_array_equal(dated.forecast.quantiles, cut.forecast.quantiles)
    known = bars["Close"].iloc[-2:].tolist()
    np.testing.assert_allclose(dated.outcome[:2], known)
    assert np.isnan(dated.outcome[2])
    assert [row["actual"] for row in dated.rows()] == [
        pytest.approx(known[0], rel=1e-5),
        pytest.approx(known[1], rel=1e-5),
        None,
    ]
    printed = stockcast("predict", "first", "--data", "folder/CC.csv", "--date", day, "--no-plot", cwd=home).stdout
    assert "actual" in printed
    assert f"{known[1]:,.2f}" in printed
    inside = [sum(low[0, step] <= known[step] <= high[0, step] for step in (0, 1))
              for low, high in map(dated.forecast.band, (0.9, 0.5))]  # fmt: skip
    (sentence,) = dated.came()
    assert sentence.startswith(f"CC closed at {known[1]:,.2f} on {bars['Date'].iloc[-1]}, ")
    assert sentence.endswith(f"Of 2 closes, {inside[0]} were in their 90 % band and {inside[1]} in their 50 % band.")
    assert sentence.split(".")[0] in " ".join(printed.split())
    assert sc.predict("first", home / "cut.csv", runs=home / "runs").came() == []


def test_an_output_that_names_a_file_is_that_file_alone(home: Path) -> None:
    for name, begin in (("t.csv", b"date,step"), ("t.png", b"\x89PNG"), ("t.xlsx", b"PK")):
        done = stockcast("predict", "first", "--data", "folder/AA.csv", "--output", name, cwd=home)
        assert done.returncode == 0, done.stderr
        assert f"Written: {name}\n" in done.stderr
        assert (home / name).read_bytes().startswith(begin)
    sheet = openpyxl.load_workbook(home / "t.xlsx").active
    assert [cell.value for cell in sheet[1]][:3] == ["date", "step", "median"]
    (home / "taken").write_text("not a folder")
    refused = stockcast("predict", "first", "--data", "folder/AA.csv", "--output", "taken", cwd=home)
    assert refused.returncode == 1
    assert (home / "taken").read_text() == "not a folder"


def test_a_name_that_a_spreadsheet_would_compute_is_text_in_the_table(home: Path) -> None:
    (home / "=1+1.csv").write_bytes((home / "folder" / "AA.csv").read_bytes())
    table = long_table(home, "--data", "=1+1.csv", "--data", "folder")
    assert table["unique_id"].iloc[0] == "'=1+1"


def test_several_files_are_explained_each_in_a_folder_of_its_own(home: Path) -> None:
    files = ("--data", "folder/AA.csv", "--data", "folder/BB.csv", "--data", "none.csv")
    done = stockcast("explain", "first", *files, "--no-plot", "--output", "why", cwd=home)
    assert done.returncode == 1
    assert "1 of 3 files could not be explained:\n  none.csv: " in done.stderr
    assert sorted(path.name for path in (home / "why").iterdir()) == ["AA", "BB"]


def test_a_forecast_never_replaces_its_price_file_and_takes_its_companions_with_it(home: Path) -> None:
    shutil.copy(home / "folder" / "AA.csv", home / "mine.csv")
    before = (home / "mine.csv").read_bytes()
    for sources in (["--data", "mine.csv"], ["--data", "folder", "--data", "mine.csv"]):
        refused = stockcast("predict", "first", *sources, "--output", "./mine.csv", "--no-plot", cwd=home)
        assert refused.returncode == 1
        assert "is the price file itself" in refused.stderr
    assert (home / "mine.csv").read_bytes() == before
    out = ("--output", "kept", "--no-plot")
    stockcast("predict", "first", "--data", "mine.csv", "--above", "1", "--paths", "3", *out, cwd=home)
    assert {"chances.csv", "risk.csv", "paths.csv", "paths.npz"} <= {path.name for path in (home / "kept").iterdir()}
    stockcast("predict", "first", "--data", "folder/BB.csv", *out, cwd=home)
    assert [path.name for path in (home / "kept").iterdir()] == ["forecast.csv"]
