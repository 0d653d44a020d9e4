"""Which series a file holds: its content decides and not its name, for every command; no series shares a folder."""

import shutil
from datetime import date
from pathlib import Path

import commands
import numpy as np
import pandas as pd
import pytest
from made import QUICK, TINY, make_bars

from stockcast.config.load import load_config
from stockcast.errors import DataError, RunError
from stockcast.runs import RunDirectory

DAYS = 700


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of prices.csv, a copy of that file under another name, and another series under the same name."""
    folder = tmp_path_factory.mktemp("home")
    make_bars(DAYS).to_csv(folder / "prices.csv", index=False)
    (folder / "moved").mkdir()
    shutil.copy(folder / "prices.csv", folder / "moved" / "renamed.csv")
    for name, seed in (("other", 9), ("third", 10)):
        (folder / name).mkdir()
        make_bars(DAYS, seed=seed).to_csv(folder / name / "prices.csv", index=False)
    (folder / "tiny.yaml").write_text(TINY + "target: {scale: training}\n")
    commands.train(load_config(folder / "tiny.yaml", ["training.epochs=1"]), runs=folder / "runs", name="tiny")
    return folder


@pytest.fixture
def run(home: Path) -> RunDirectory:
    return RunDirectory.find(home / "runs", "tiny")


def forecast(run: RunDirectory, path: Path | None) -> tuple[np.ndarray, Path, list[str]]:
    """The quantiles of a forecast, the folder that it was written to, and what was reported."""
    messages: list[str] = []
    found = commands.predict(run, data=path, say=messages.append)
    return found.forecast.quantiles, found.table.parent, messages


def test_a_renamed_copy_of_a_training_file_is_that_series_to_every_command(home: Path, run: RunDirectory) -> None:
    copy = home / "moved" / "renamed.csv"
    own, copied = forecast(run, home / "prices.csv"), forecast(run, copy)
    np.testing.assert_array_equal(own[0], copied[0])
    assert not [message for message in copied[2] if "was trained on" in message]
    scored, again = commands.evaluate(run), commands.evaluate(run, data=copy)
    assert again.metrics["horizons"] == scored.metrics["horizons"]
    assert [scored.folder.name, again.folder.name] == ["evaluation", "evaluation-test-renamed"]  # as predict names it
    explained = [commands.explain(run, data=path) for path in (None, copy)]
    for mine, theirs in zip(*(one.attributions for one in explained), strict=True):
        np.testing.assert_array_equal(mine.saliency.integrated, theirs.saliency.integrated)


def test_another_series_of_the_same_file_name_is_not_taken_for_the_training_file(home: Path, run: RunDirectory) -> None:
    other = home / "other" / "prices.csv"
    assert [message for message in forecast(run, other)[2] if "was trained on" in message]
    renamed = shutil.copy(other, home / "other" / "unrelated.csv")
    np.testing.assert_array_equal(forecast(run, other)[0], forecast(run, Path(renamed))[0])
    with pytest.raises(DataError) as refused:
        commands.explain(run, data=other)
    assert (refused.value.file, refused.value.key) == (str(other), "target.scale")


def test_a_hash_of_the_closes_that_the_very_file_contradicts_is_damage(home: Path, run: RunDirectory) -> None:
    good = run.manifest()["series"][0]["training_sha256"]
    changed = RunDirectory(Path(shutil.copytree(run.path, home / "damaged" / "tiny")))
    text = (run.path / "run.json").read_text().replace(good, good[::-1])
    (changed.path / "run.json").write_text(text)
    with pytest.raises(RunError) as error:
        commands.predict(changed)
    assert error.value.file == str(changed.path / "run.json")


def test_series_of_one_file_name_and_last_day_have_folders_of_their_own(home: Path, run: RunDirectory) -> None:
    own = commands.evaluate(run).folder
    before = (own / "metrics.json").read_bytes()
    files = [home / name / "prices.csv" for name in ("other", "third")]
    evaluations = [commands.evaluate(run, data=file) for file in files]
    assert len({own, *(found.folder for found in evaluations)}) == 3
    assert (own / "metrics.json").read_bytes() == before
    forecasts = [forecast(run, file) for file in (None, *files)]
    assert len({folder for _, folder, _ in forecasts}) == 3
    for quantiles, folder, _ in forecasts:
        table = pd.read_csv(folder / "forecast.csv")
        np.testing.assert_allclose(table["median"], quantiles[0, :, quantiles.shape[-1] // 2], rtol=1e-5)
        assert f"{table['series'][0]}-2012-09-07" == folder.name


def test_scores_from_a_later_day_leave_those_of_the_test_days_untouched(run: RunDirectory) -> None:
    own = commands.evaluate(run).folder
    before = {path: path.read_bytes() for path in own.rglob("*") if path.is_file()}
    later = date.fromisoformat(make_bars(DAYS)["Date"][620])
    found = commands.evaluate(run, start=later)
    assert found.folder.name == f"evaluation-test-from-{later}"
    assert found.metrics["split"]["first_origin"] == make_bars(DAYS)["Date"][619]
    assert {path: path.read_bytes() for path in own.rglob("*") if path.is_file()} == before


def test_two_series_of_one_file_are_named_by_their_tickers_and_share_nothing(tmp_path: Path) -> None:
    bars = [make_bars(400, seed=seed).assign(Name=name) for seed, name in enumerate(("T/1", "T2"))]
    pd.concat(bars).to_csv(tmp_path / "long.csv", index=False)
    folders = []
    for name in ("T/1", "T2"):
        config = QUICK.replace("prices.csv}", f"long.csv, ticker: {name}}}")
        (tmp_path / "tiny.yaml").write_text(config)
        run = commands.train(
            load_config(tmp_path / "tiny.yaml"), runs=tmp_path / "runs", name=name.replace("/", "")
        ).run
        found = commands.predict(run)
        assert found.value.series == name.replace("/", "-")
        assert run.trained_on()[0].name == f"{name.replace('/', '-')}.csv"
        folders.append(found.table.parent.name)
    assert folders == ["T-1-2011-07-15", "T2-2011-07-15"]
