"""Runs side by side: tests by hand on made-up forecasts, and files that somebody else wrote."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hostile import object_array
from scipy.stats import norm
from test_overview import make_run, metrics
from typer.testing import CliRunner

from stockcast.cli import app
from stockcast.errors import RunError
from stockcast.evaluation.metrics import crps
from stockcast.evaluation.significance import diebold_mariano
from stockcast.forecast import LEVELS
from stockcast.pipeline.comparison import Compared, compare
from stockcast.runs import forecasts
from stockcast.runs.forecasts import stored_forecast

ORIGINS, HORIZON = 120, 5


def made_arrays(scale: float, *, origins: int = ORIGINS, horizon: int = HORIZON, seed: int = 0) -> dict:
    """A forecast of normal returns with `scale` times their deviation, and what came, the same for every scale."""
    random = np.random.default_rng(0)
    steps = np.arange(1, HORIZON + 1)
    returns = (0.01 * np.sqrt(steps) * random.standard_normal((ORIGINS, HORIZON)))[:origins, :horizon]
    jitter = np.exp(0.3 * np.random.default_rng(seed).standard_normal((origins, 1, 1)))
    said = 0.01 * np.sqrt(steps[:horizon, None]) * scale * jitter * norm.ppf(LEVELS)
    days = np.datetime64("2015-01-01") + np.arange(ORIGINS + HORIZON + 1)
    return {
        "origin_dates": days[:origins],
        "target_dates": days[np.arange(origins)[:, None] + steps[:horizon]],
        "levels": LEVELS,
        "quantiles": 100 * np.exp(said),
        "actual": 100 * np.exp(returns),
        "last_close": np.full(origins, 100.0),
    }


def loss(arrays: dict) -> np.ndarray:
    returns = np.log(arrays["actual"] / 100)
    return crps(np.log(arrays["quantiles"] / 100), returns, LEVELS)


def scored(root: Path, name: str, arrays: dict, *, steps: tuple = (1, 5), shift: float = 0.0) -> Path:
    """A run whose evaluation kept these forecasts, and states their scores (or others by `shift`)."""
    stated = metrics(steps=steps)
    stated["horizons"] = {
        str(step): {"model": {"crps": float(loss(arrays)[:, step - 1].mean()) + shift, "coverage_90": 0.9}}
        for step in steps
    }
    path = make_run(root, name, metrics=stated)
    np.savez_compressed(path / "evaluation" / "forecasts.npz", **arrays)
    return path


def scored_runs(root: Path, **scales: float) -> list[Path]:
    return [scored(root, name, made_arrays(scale, seed=seed)) for seed, (name, scale) in enumerate(scales.items())]


def words(found: Compared) -> str:
    return " ".join(found.verdict())


def test_a_better_run_is_named_with_p_values_corrected_for_their_number(tmp_path: Path) -> None:
    found = compare(scored_runs(tmp_path, good=1.0, wide=3.0))
    assert [(pair.step, pair.outcome) for pair in found.pairs] == [(1, "better"), (5, "better")]
    good, wide = loss(made_arrays(1.0, seed=0)), loss(made_arrays(3.0, seed=1))
    alone = [diebold_mariano(good[:, step - 1], wide[:, step - 1], horizon=step).p_value for step in (1, 5)]
    small, large = sorted(alone)  # Holm: the smaller of two doubled, the larger as it is but no smaller than that
    expected = {small: 2 * small, large: max(large, 2 * small)}
    assert [pair.p_value for pair in found.pairs] == pytest.approx([expected[one] for one in alone], rel=1e-9)
    assert found.pairs[0].lower == pytest.approx(1 - good[:, 0].mean() / wide[:, 0].mean())
    assert "good against wide: better at 1 and 5 days (CRPS " in words(found)
    assert "corrected for there being 2 such tests" in words(found)
    assert found.verdict()[-1].startswith("In short: good is better than wide at 1 and 5 days. ")


def test_the_order_of_the_names_changes_no_winner(tmp_path: Path) -> None:
    good, wide = scored_runs(tmp_path, good=1.0, wide=3.0)
    found = compare([wide, good])
    assert {pair.outcome for pair in found.pairs} == {"worse"}
    assert found.pairs[0].lower < 0
    assert found.verdict()[-1].startswith("In short: good is better than wide at 1 and 5 days")


def test_equally_good_runs_differ_by_luck_and_equal_ones_cannot_be_tested(tmp_path: Path) -> None:
    paths = scored_runs(tmp_path, one=1.0, other=1.0)
    found = compare(paths)
    assert {pair.outcome for pair in found.pairs} == {"open"}
    assert found.verdict()[-1] == "In short: on these days the runs differ by no more than luck would make them."
    same = scored(tmp_path, "same", made_arrays(1.0, seed=0))
    found = compare([paths[0], same])
    assert {pair.outcome for pair in found.pairs} == {"untested"}
    assert "allow no test" in found.verdict()[-1]


def test_every_two_of_three_runs_are_tested(tmp_path: Path) -> None:
    found = compare(scored_runs(tmp_path, good=1.0, wide=3.0, wider=9.0))
    assert [(pair.first, pair.second) for pair in found.pairs] == 2 * [("good", "wide")] + 2 * [
        ("good", "wider")
    ] + 2 * [("wide", "wider")]
    assert "corrected for there being 6 such tests" in words(found)


def test_runs_that_look_differently_far_are_tested_where_both_look_from_the_days_that_both_have(tmp_path: Path) -> None:
    short = made_arrays(1.0, origins=100, horizon=2)
    paths = [scored(tmp_path, "far", made_arrays(3.0)), scored(tmp_path, "near", short, steps=(1, 2))]
    found = compare(paths)
    assert [pair.step for pair in found.pairs] == [1]
    far, near = loss(made_arrays(3.0))[:100, 0], loss(short)[:, 0]
    assert found.pairs[0].test == diebold_mariano(far, near, horizon=1)
    assert [len(one) for one in found.crps.values()] == [2, 2]


def test_without_kept_forecasts_the_scores_stand_side_by_side_and_nothing_is_tested(tmp_path: Path) -> None:
    good, bare = scored_runs(tmp_path, good=1.0, bare=1.5)
    (bare / "evaluation" / "forecasts.npz").unlink()
    found = compare([good, bare])
    assert found.scores.horizons["1"][0].crps is not None
    assert found.pairs == ()
    assert words(found) == "Not tested: bare keeps no forecasts. Next: stockcast evaluate bare"


def test_forecasts_that_do_not_give_the_stated_scores_are_refused(tmp_path: Path) -> None:
    paths = [scored(tmp_path, "good", made_arrays(1.0)), scored(tmp_path, "vain", made_arrays(3.0), shift=-0.001)]
    with pytest.raises(RunError, match=r"vain: metrics\.json and forecasts\.npz are not of one evaluation \(1 days"):
        compare(paths)


def test_runs_that_forecast_other_prices_are_not_compared(tmp_path: Path) -> None:
    other = made_arrays(1.0)
    other = {**other, "actual": other["actual"] * 1.01}
    with pytest.raises(RunError, match="good and other do not forecast the same prices"):
        compare([scored(tmp_path, "good", made_arrays(1.0)), scored(tmp_path, "other", other)])


def packed(arrays: dict, **replaced: bytes) -> bytes:
    """The bytes of an npz file, some of its arrays replaced by other bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.save(content, array)
            archive.writestr(f"{name}.npy", replaced.get(name, content.getvalue()))
    return stream.getvalue()


def bomb(shape: tuple) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return stream.getvalue() + bytes(64)


ARRAYS = made_arrays(1.0)


def with_(**changed: np.ndarray) -> bytes:
    return packed({**ARRAYS, **changed})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "damaged"),
        (b"PK\x03\x04" + bytes(100), "damaged"),
        (packed(ARRAYS)[:-200], "damaged"),
        (packed({name: ARRAYS[name] for name in list(ARRAYS)[:-1]}), "last_close"),
        (packed(ARRAYS, quantiles=bomb((10**6, 10**6))), "its bytes are not as many"),
        (packed(ARRAYS, quantiles=bomb((2**62, 2**62, 4))), "its bytes are not as many"),
        (packed(ARRAYS, quantiles=bomb((-1, -8))), "its bytes are not as many|do not fit|damaged"),
        (packed(ARRAYS, actual=b"\x80\x04."), "damaged"),
        (packed(ARRAYS, actual=b"\x93NUMPY\x01\x00" + b"\xff\xff" + b"(" * 65535), "damaged"),
        (with_(origin_dates=np.arange(ORIGINS)), "holds int64"),
        (with_(origin_dates=ARRAYS["origin_dates"].astype("datetime64[ns]")), "holds datetime64"),
        (with_(origin_dates=ARRAYS["origin_dates"][::-1]), "not in order"),
        (with_(quantiles=np.asfortranarray(ARRAYS["quantiles"])), "an array holds"),
        (with_(quantiles=ARRAYS["quantiles"][:5]), "do not fit each other"),
        (with_(actual=-ARRAYS["actual"]), "no number above 0"),
        (with_(last_close=np.full(ORIGINS, np.nan)), "no number above 0"),
        (with_(levels=np.linspace(0.1, 0.9, len(LEVELS))), "levels"),
        (with_(actual=np.array(1.0)), "do not fit each other"),
    ],
)
def test_a_file_that_evaluate_did_not_write_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    good, theirs = scored_runs(tmp_path, good=1.0, theirs=1.5)
    (theirs / "evaluation" / "forecasts.npz").write_bytes(content)
    with pytest.raises(RunError, match=said) as refused:
        compare([good, theirs])
    assert "forecasts.npz is damaged" in str(refused.value)
    assert "stockcast evaluate theirs" in str(refused.value)


def test_nothing_is_unpickled_unpacked_without_end_or_read_from_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, theirs = scored_runs(tmp_path, good=1.0, theirs=1.5)
    file = theirs / "evaluation" / "forecasts.npz"
    file.write_bytes(packed(ARRAYS, quantiles=object_array(None, tmp_path)))
    with pytest.raises(RunError, match="an array holds object"):
        compare([good, theirs])
    assert not (tmp_path / "canary").exists()
    monkeypatch.setattr(forecasts, "_MOST_UNPACKED", 10_000)
    file.write_bytes(packed(ARRAYS, quantiles=bytes(20_000)))
    with pytest.raises(RunError, match="unpacks to more than 10,000 bytes"):
        stored_forecast(theirs)
    file.unlink()
    file.symlink_to(good / "evaluation" / "forecasts.npz")
    with pytest.raises(RunError, match="link"):
        stored_forecast(theirs)


def test_what_evaluate_wrote_comes_back_as_it_was(tmp_path: Path) -> None:
    found = stored_forecast(scored(tmp_path, "good", ARRAYS))
    assert found is not None
    forecast, actual = found
    np.testing.assert_array_equal(actual, ARRAYS["actual"])
    for name in ("origin_dates", "target_dates", "levels", "quantiles", "last_close"):
        np.testing.assert_array_equal(getattr(forecast, name), ARRAYS[name])


def test_the_command_prints_table_and_verdict_and_draws_only_where_it_is_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored_runs(tmp_path / "runs", good=1.0, wide=3.0)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["runs", "compare", "good", "wide"])
    assert done.exit_code == 0, done.output
    assert "In short: good is better than wide" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"runs"}
    done = CliRunner().invoke(app, ["runs", "compare", "good", "wide", "--output", "out", "--json"])
    document = json.loads(done.stdout)
    assert document["picture"] == "out/comparison.png"
    assert (tmp_path / "out" / "comparison.png").read_bytes().startswith(b"\x89PNG")
    assert [one["days_ahead"] for one in document["tests"]] == [1, 5]
    assert document["horizons"]["1"]["good"]["coverage_90"] == 0.9
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(app, ["runs", "compare", "good", "wide", "--output", "file"])
    assert "Cannot make the folder file" in str(done.exception)


def test_the_picture_holds_each_runs_share_of_the_first_ones_crps() -> None:
    from stockcast.plots_compare import side_by_side

    crps_by_step = {"good": np.array([1.0, 2.0]), "wide": np.array([1.1, 2.0])}
    figure = side_by_side(
        crps_by_step, {"good": np.full(2, 0.9), "wide": np.full(2, 0.95)}, {"wide": [1]}, title="made"
    )
    left, right = figure.axes
    lines = {line.get_label(): line for line in left.lines}
    np.testing.assert_allclose(lines["wide"].get_ydata(), [0.1, 0.0], atol=1e-12)
    np.testing.assert_array_equal(lines["good"].get_ydata(), [0, 0])
    (dots,) = (line for line in left.lines if line.get_marker() == "o")
    assert list(dots.get_xdata()) == [1]
    assert "against good" in left.get_title(loc="left")
    np.testing.assert_array_equal(right.lines[1].get_ydata(), [0.95, 0.95])
    figure.canvas.draw()
