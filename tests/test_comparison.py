"""Runs side by side: tests by hand on made-up forecasts, and files that somebody else wrote."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from drawn import texts_of, unreadable
from hostile import object_array
from scipy.stats import norm
from test_listing import make_run, metrics
from typer.testing import CliRunner

from stockcast.cli import app
from stockcast.errors import RunError
from stockcast.evaluation.metrics import crps
from stockcast.evaluation.significance import diebold_mariano
from stockcast.forecast import LEVELS
from stockcast.pipeline.compare import compare
from stockcast.pipeline.comparison import ComparisonReport
from stockcast.runs import npz
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


def words(found: ComparisonReport) -> str:
    return " ".join(found.verdict())


def test_a_better_run_is_named_with_p_values_corrected_for_their_number(tmp_path: Path) -> None:
    found = compare(scored_runs(tmp_path, good=1.0, wide=3.0))
    assert [(pair.step, pair.result.outcome) for pair in found.pairs] == [(1, "better"), (5, "better")]
    good, wide = loss(made_arrays(1.0, seed=0)), loss(made_arrays(3.0, seed=1))
    alone = [diebold_mariano(good[:, step - 1], wide[:, step - 1], horizon=step).p_value for step in (1, 5)]
    small, large = sorted(alone)  # Holm: the smaller of two doubled, the larger as it is but no smaller than that
    expected = {small: 2 * small, large: max(large, 2 * small)}
    assert [pair.result.p_value for pair in found.pairs] == pytest.approx([expected[one] for one in alone], rel=1e-9)
    assert found.pairs[0].lower == pytest.approx(1 - good[:, 0].mean() / wide[:, 0].mean())
    assert "good against wide: better at 1 and 5 days (CRPS " in words(found)
    assert "corrected for 2 such tests" in words(found)
    assert found.verdict()[-1].startswith("In short: good is better than wide at 1 and 5 days. ")


def test_the_order_of_the_names_changes_no_winner(tmp_path: Path) -> None:
    good, wide = scored_runs(tmp_path, good=1.0, wide=3.0)
    found = compare([wide, good])
    assert {pair.result.outcome for pair in found.pairs} == {"worse"}
    assert found.pairs[0].lower < 0
    assert found.verdict()[-1].startswith("In short: good is better than wide at 1 and 5 days")


def test_equally_good_runs_differ_by_chance_and_equal_ones_cannot_be_tested(tmp_path: Path) -> None:
    paths = scored_runs(tmp_path, one=1.0, other=1.0)
    found = compare(paths)
    assert {pair.result.outcome for pair in found.pairs} == {"open"}
    assert found.verdict()[-1] == "In short: on these days no difference between the runs is significant."
    same = scored(tmp_path, "same", made_arrays(1.0, seed=0))
    found = compare([paths[0], same])
    assert {pair.result.outcome for pair in found.pairs} == {"untested"}
    assert "allow no test" in found.verdict()[-1]


def test_every_two_of_three_runs_are_tested(tmp_path: Path) -> None:
    found = compare(scored_runs(tmp_path, good=1.0, wide=3.0, wider=9.0))
    assert [(pair.first, pair.second) for pair in found.pairs] == 2 * [("good", "wide")] + 2 * [
        ("good", "wider")
    ] + 2 * [("wide", "wider")]
    assert "corrected for 6 such tests" in words(found)


def test_runs_that_look_differently_far_are_tested_where_both_look_from_the_days_that_both_have(tmp_path: Path) -> None:
    short = made_arrays(1.0, origins=100, horizon=2)
    paths = [scored(tmp_path, "far", made_arrays(3.0)), scored(tmp_path, "near", short, steps=(1, 2))]
    found = compare(paths)
    assert [pair.step for pair in found.pairs] == [1]
    far, near = loss(made_arrays(3.0))[:100, 0], loss(short)[:, 0]
    assert found.pairs[0].test == diebold_mariano(far, near, horizon=1)
    assert [len(one) for one in found.losses.values()] == [2, 2]
    # The table is of the same hundred origins as the test, not of the 120 that far's own score is over.
    assert [one.crps for one in found.scores.horizons["1"]] == pytest.approx([far.mean(), near.mean()], rel=1e-12)
    assert far.mean() != pytest.approx(loss(made_arrays(3.0))[:, 0].mean(), rel=1e-3)
    assert found.pairs[0].lower == pytest.approx(1 - far.mean() / near.mean())
    assert found.title() == "SP500.csv, 2015-01-01 to 2015-04-12, 100 origins"  # the last origin is 10 April
    assert found.notes() == [
        "All numbers are over the 100 origins that these runs share; far has 120 and near has 100.",
    ]


def test_runs_of_the_same_origins_keep_their_scores_and_need_no_note(tmp_path: Path) -> None:
    found = compare(scored_runs(tmp_path, good=1.0, wide=3.0))
    assert found.scores.horizons["5"][1].crps == pytest.approx(loss(made_arrays(3.0, seed=1))[:, 4].mean(), rel=1e-12)
    assert found.title() == "SP500.csv, 2015-01-01 to 2015-05-05, 120 origins"
    assert found.notes() == []


def test_runs_without_an_origin_in_common_are_refused(tmp_path: Path) -> None:
    later = made_arrays(1.0)
    later = {**later, **{name: later[name] + 500 for name in ("origin_dates", "target_dates")}}
    with pytest.raises(RunError, match="no origin in common") as refused:
        compare([scored(tmp_path, "good", made_arrays(1.0)), scored(tmp_path, "later", later)])
    assert refused.value.value == ["good", "later"]


def test_baselines_that_differ_from_run_to_run_are_named_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = scored_runs(tmp_path / "runs", good=1.0, wide=3.0)
    for path in paths:
        file = path / "evaluation" / "metrics.json"
        stated = json.loads(file.read_text())
        for one in stated["horizons"].values():  # EWMA scored 1 in both, the walk what makes a skill of a tenth
            one["skill"] = {"ewma": 1 - one["model"]["crps"], "random_walk": 0.1}
        file.write_text(json.dumps(stated))
    found = compare(paths)
    assert found.notes()[0].startswith(
        "No skill against random_walk is shown: their forecasts differ between these runs"
    )
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["runs", "compare", "good", "wide"])
    assert "vs ewma" in done.stdout
    assert "vs random_walk" not in done.stdout
    assert "No skill against random_walk is shown" in done.stdout


def test_a_run_without_stored_forecasts_is_refused_with_the_command_that_makes_them(tmp_path: Path) -> None:
    good, bare = scored_runs(tmp_path, good=1.0, bare=1.5)
    (bare / "evaluation" / "forecasts.npz").unlink()
    with pytest.raises(RunError, match="Next: stockcast evaluate bare") as refused:
        compare([good, bare])
    assert refused.value.file == str(bare / "evaluation" / "forecasts.npz")


def test_forecasts_that_do_not_give_the_stated_scores_are_refused(tmp_path: Path) -> None:
    paths = [scored(tmp_path, "good", made_arrays(1.0)), scored(tmp_path, "vain", made_arrays(3.0), shift=-0.001)]
    with pytest.raises(RunError, match="vain") as refused:
        compare(paths)
    assert refused.value.key == "horizons.1"
    assert refused.value.value == pytest.approx(loss(made_arrays(3.0))[:, 0].mean() - 0.001)


def test_runs_that_forecast_other_prices_are_not_compared(tmp_path: Path) -> None:
    other = made_arrays(1.0)
    other = {**other, "actual": other["actual"] * 1.01}
    with pytest.raises(RunError, match="prices") as refused:
        compare([scored(tmp_path, "good", made_arrays(1.0)), scored(tmp_path, "other", other)])
    assert refused.value.value == ["good", "other"]


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
    assert refused.value.file == str(theirs / "evaluation" / "forecasts.npz")
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
    monkeypatch.setattr(npz, "_MOST_UNPACKED", 10_000)
    file.write_bytes(packed(ARRAYS, quantiles=bytes(20_000)))
    with pytest.raises(RunError, match="10,000 bytes"):
        stored_forecast(theirs)
    file.unlink()
    file.symlink_to(good / "evaluation" / "forecasts.npz")
    with pytest.raises(RunError, match="link"):
        stored_forecast(theirs)


def test_what_evaluate_wrote_comes_back_as_it_was(tmp_path: Path) -> None:
    forecast, actual = stored_forecast(scored(tmp_path, "good", ARRAYS))
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
    band = np.log(made_arrays(1.0)["quantiles"][:, 0][:, [list(LEVELS).index(0.05), list(LEVELS).index(0.95)]] / 100)
    came = np.log(made_arrays(1.0)["actual"][:, 0] / 100)
    inside = np.mean((band[:, 0] <= came) & (came <= band[:, 1]))
    assert document["horizons"]["1"]["good"]["coverage_90"] == pytest.approx(inside)
    assert document["origins"] == {
        "first": "2015-01-01", "last": "2015-04-30", "last_target": "2015-05-05", "count": 120,
        "own": {"good": 120, "wide": 120},
    }  # fmt: skip
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(app, ["runs", "compare", "good", "wide", "--output", "file"])
    assert "Cannot make the folder file" in str(done.exception)


def test_the_picture_holds_each_runs_share_of_the_first_ones_crps() -> None:
    from stockcast.plots.compare import side_by_side

    crps_by_step = {"good": np.array([1.0, 2.0]), "wide": np.array([1.1, 2.0])}
    figure = side_by_side(
        crps_by_step,
        {"good": np.full(2, 0.9), "wide": np.full(2, 0.95)},
        np.full(2, 0.9),
        {"wide": [1]},
        score="CRPS",
        title="made",
    )
    left, right = figure.axes
    lines = {line.get_label(): line for line in left.lines}
    np.testing.assert_allclose(lines["wide"].get_ydata(), [0.1, 0.0], atol=1e-12)
    np.testing.assert_array_equal(lines["good"].get_ydata(), [0, 0])
    (dots,) = (line for line in left.lines if line.get_marker() == "o")
    assert list(dots.get_xdata()) == [1]
    assert "against good" in left.get_title(loc="left")
    np.testing.assert_array_equal(right.lines[1].get_ydata(), [0.95, 0.95])
    assert unreadable(figure) == []


def made_directions(sharpness: float, *, classes: tuple = ("down", "up"), seed: int = 0) -> dict:
    """A classifier that gives the class that came more than its share, by `sharpness` on average; and what came."""
    came = np.random.default_rng(0).integers(0, len(classes), (ORIGINS, HORIZON))
    noise = np.random.default_rng(seed).standard_normal((ORIGINS, HORIZON, len(classes)))
    raw = np.exp(0.3 * noise + sharpness * np.eye(len(classes))[came])
    days = np.datetime64("2015-01-01") + np.arange(ORIGINS + HORIZON + 1)
    return {
        "origin_dates": days[:ORIGINS],
        "target_dates": days[np.arange(ORIGINS)[:, None] + np.arange(1, HORIZON + 1)],
        "classes": np.array(classes),
        "probabilities": raw / raw.sum(axis=-1, keepdims=True),
        "came": came,
        "last_close": np.full(ORIGINS, 100.0),
    }


def squared_errors(arrays: dict) -> np.ndarray:
    """Brier score of two classes: the squared error of the chance of up."""
    return (arrays["probabilities"][:, :, 1] - arrays["came"]) ** 2


def scored_directions(root: Path, name: str, arrays: dict, *, briers: np.ndarray | None = None) -> Path:
    """A run that says the direction, whose evaluation kept these probabilities."""
    briers = squared_errors(arrays) if briers is None else briers
    stated = metrics(steps=(1, 5)) | {"score": "brier"}
    stated["horizons"] = {
        str(step): {"model": {"brier": float(briers[:, step - 1].mean()), "accuracy": 0.5}} for step in (1, 5)
    }
    path = make_run(root, name, metrics=stated)
    np.savez_compressed(path / "evaluation" / "forecasts.npz", **arrays)
    return path


SAID = made_directions(0.3)


def test_runs_that_forecast_the_direction_are_tested_by_their_brier_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dull = made_directions(0.0, seed=1)
    paths = [scored_directions(tmp_path / "runs", "keen", SAID), scored_directions(tmp_path / "runs", "dull", dull)]
    found = compare(paths)
    own, theirs = squared_errors(SAID), squared_errors(dull)
    for pair, step in zip(found.pairs, (1, 5), strict=True):
        alone = diebold_mariano(own[:, step - 1], theirs[:, step - 1], horizon=step)
        assert pair.test is not None
        assert pair.test.p_value == pytest.approx(alone.p_value, rel=1e-9)
        assert pair.lower == pytest.approx(1 - own[:, step - 1].mean() / theirs[:, step - 1].mean())
    assert {pair.result.outcome for pair in found.pairs} == {"better"}
    assert "keen against dull: better at 1 and 5 days (Brier " in words(found)
    assert "corrected for 2 such tests" in words(found)
    right = (SAID["probabilities"][:, :, 1] > 0.5) == SAID["came"]
    np.testing.assert_allclose(found.hits["keen"], right.mean(axis=0))
    np.testing.assert_allclose(found.plain, SAID["came"].mean(axis=0))
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["runs", "compare", "keen", "dull", "--output", "out", "--json"])
    document = json.loads(done.stdout)
    assert [set(one) >= {"brier_lower_by", "p_corrected"} for one in document["tests"]] == [True, True]
    assert (tmp_path / "out" / "comparison.png").read_bytes().startswith(b"\x89PNG")


def test_three_classes_are_scored_as_evaluate_scores_them(tmp_path: Path) -> None:
    arrays = made_directions(0.3, classes=("down", "flat", "up"))
    came = np.eye(3)[arrays["came"]]
    briers = ((arrays["probabilities"] - came) ** 2).sum(axis=-1) / 2
    paths = [scored_directions(tmp_path, name, arrays, briers=briers) for name in ("one", "same")]
    found = compare(paths)
    np.testing.assert_allclose(found.losses["one"], briers.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.plain, (arrays["came"] == 2).mean(axis=0))
    with pytest.raises(RunError, match="threshold") as refused:
        compare([paths[0], scored_directions(tmp_path, "two", SAID)])
    assert refused.value.value == ["one", "two"]


def test_directions_that_came_otherwise_are_not_compared(tmp_path: Path) -> None:
    other = {**SAID, "came": 1 - SAID["came"]}
    paths = [scored_directions(tmp_path, "one", SAID), scored_directions(tmp_path, "other", other)]
    with pytest.raises(RunError, match="threshold") as refused:
        compare(paths)
    assert refused.value.value == ["one", "other"]


def said_(**changed: np.ndarray) -> bytes:
    return packed({**SAID, **changed})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (packed({name: one for name, one in SAID.items() if name != "came"}), "came"),
        (packed(ARRAYS), "classes"),
        (packed(SAID, probabilities=bomb((10**6, 10**6))), "its bytes are not as many"),
        (packed(SAID, classes=b"\x80\x04."), "damaged"),
        (said_(classes=np.array(["down", "sideways"])), "classes are not those"),
        (said_(classes=np.array(["up", "down"])), "classes are not those"),
        (said_(classes=np.frombuffer(b"\xff" * 32, dtype="<U4")), "classes are not those"),
        (said_(classes=np.array([b"down", b"up"])), "holds [|]S4"),
        (said_(came=SAID["came"] + 1), "none of its classes"),
        (said_(came=-SAID["came"]), "none of its classes"),
        (said_(came=SAID["came"].astype(float)), "holds float64"),
        (said_(came=SAID["came"][:, :2]), "do not fit each other"),
        (said_(probabilities=SAID["probabilities"] * 1.01), "do not add up to 1"),
        (said_(probabilities=np.full((ORIGINS, HORIZON, 2), np.nan)), "do not add up to 1"),
        (said_(probabilities=np.tile([-0.5, 1.5], (ORIGINS, HORIZON, 1))), "do not add up to 1"),
        (said_(origin_dates=SAID["origin_dates"][::-1]), "not in order"),
        (said_(last_close=np.zeros(ORIGINS)), "no number above 0"),
    ],
)
def test_directions_that_evaluate_did_not_write_are_refused(content: bytes, said: str, tmp_path: Path) -> None:
    good, theirs = (scored_directions(tmp_path, name, SAID) for name in ("good", "theirs"))
    (theirs / "evaluation" / "forecasts.npz").write_bytes(content)
    with pytest.raises(RunError, match=said) as refused:
        compare([good, theirs])
    assert refused.value.file == str(theirs / "evaluation" / "forecasts.npz")


def test_directions_are_unpickled_no_more_than_prices(tmp_path: Path) -> None:
    good, theirs = (scored_directions(tmp_path, name, SAID) for name in ("good", "theirs"))
    (theirs / "evaluation" / "forecasts.npz").write_bytes(packed(SAID, classes=object_array(None, tmp_path)))
    with pytest.raises(RunError, match="an array holds object"):
        compare([good, theirs])
    assert not (tmp_path / "canary").exists()


def test_the_picture_of_directions_is_labelled_as_such() -> None:
    from stockcast.plots.compare import side_by_side

    lines = {"one": np.array([0.25, 0.24])}
    figure = side_by_side(
        lines, {"one": np.array([0.5, 0.55])}, np.array([0.52, 0.54]), {}, score="Brier", title="made"
    )
    left, right = figure.axes
    assert left.get_title(loc="left").startswith("Brier against one")
    assert "right direction (dotted: always forecasting up)" in right.get_title(loc="left")
    assert [list(line.get_ydata()) for line in right.lines] == [[0.5, 0.55], [0.52, 0.54]]
    assert unreadable(figure) == []


def test_of_many_runs_each_line_looks_different_and_has_its_name_whatever_it_is() -> None:
    from stockcast.plots.compare import side_by_side

    names = ["_first", "$a$", "b$c^2$", *(f"run-{number}" for number in range(7))]
    crps = {name: np.array([1.0, 1.0 + number / 10]) for number, name in enumerate(names)}
    figure = side_by_side(crps, crps, np.ones(2), {}, score="CRPS", title="made")
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 2][: len(names)]
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == len(names)
    assert unreadable(figure) == []
    assert set(names) <= {text.text for text in texts_of(figure)}
