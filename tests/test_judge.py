"""Anybody's forecasts are scored as our own, whatever their form, their levels, and what their files are called."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made import QUICK, make_bars
from program import stockcast
from submissions import FORMS, hubverse, hubverse_samples, nixtla

import stockcast as sc
from stockcast.errors import DataError, StockcastError
from stockcast.evaluation.baselines import registry
from stockcast.forecast import Forecast
from stockcast.pipeline.judgement import UNKNOWN

HOSTILE = '=HYPERLINK("http://x","\x1b[31mred")'


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, its evaluation, and a folder of baselines that were estimated once."""
    home = tmp_path_factory.mktemp("judge")
    make_bars(600).to_csv(home / "prices.csv", index=False)
    make_bars(600, seed=1).to_csv(home / "other.csv", index=False)
    (home / "tiny.yaml").write_text(QUICK)
    run = sc.train(sc.load_config(home / "tiny.yaml"), runs=home / "runs", name="mine", processes=1)
    sc.save_evaluation(run, sc.evaluate(run), plot=False)
    return home


@pytest.fixture(scope="module")
def arrays(home: Path) -> Path:
    return home / "runs" / "mine" / "evaluation" / "forecasts.npz"


@pytest.fixture(scope="module")
def metrics(arrays: Path) -> dict:
    return json.loads(arrays.with_name("metrics.json").read_text())


@pytest.fixture(scope="module")
def train_end(home: Path) -> str:
    """The last day before the validation days, as the run's own config has it."""
    config = sc.Predictor.load("mine", runs=home / "runs").config
    return str(np.datetime64(config.split.validation) - 1)


@pytest.fixture(scope="module")
def forecast(arrays: Path) -> Forecast:
    with np.load(arrays) as stored:
        names = ("origin_dates", "target_dates", "levels", "quantiles", "last_close")
        return Forecast(**{name: stored[name] for name in names})


@pytest.fixture(scope="module")
def judged(home: Path):
    """Judge a frame or file with cached baselines."""

    def judge(forecasts, prices=None, **options):
        return sc.judge(forecasts, home / "prices.csv" if prices is None else prices, cache=home / "cache", **options)

    return judge


def plain(value):
    """The value as JSON has it."""
    return json.loads(json.dumps(value))


def test_our_own_forecasts_have_the_scores_of_evaluate_to_the_last_digit(arrays, metrics, train_end, judged):
    (model,) = judged(arrays, train_end=train_end).to_json()["models"]
    (series,) = model["series"]
    assert model["name"] == "mine"
    for key in ("horizons", "overall", "value_at_risk", "chances", "failures", "trend", "lag"):
        assert plain(series[key]) == metrics[key], key
    own = [sentence.replace("the network", "mine").replace("The network", "mine") for sentence in metrics["verdict"]]
    assert model["verdict"] == own


def test_with_another_past_the_baselines_differ_and_the_model_does_not(arrays, metrics, judged):
    (series,) = judged(arrays).to_json()["models"][0]["series"]
    own, as_evaluated = series["horizons"]["3"]["model"], metrics["horizons"]["3"]["model"]
    assert {**own, "mase": None} == {**as_evaluated, "mase": None}  # in moves of the training days
    of_walk = [each["horizons"]["3"]["baselines"]["random_walk"]["crps"] for each in (series, metrics)]
    assert of_walk[0] != of_walk[1]


def test_every_form_of_one_forecast_gives_one_verdict(forecast, judged):
    verdicts = {name: judged(form(forecast)).verdict for name, form in FORMS.items()}
    verdicts["samples"] = judged(hubverse_samples(forecast)).verdict
    assert len({verdicts[name] for name in FORMS}) == 1
    # Samples give quantiles that differ in the fourth digit: what they prove is the same, sentence by sentence.
    words = {name: [sentence.partition("(")[0] for sentence in verdict] for name, verdict in verdicts.items()}
    assert words["samples"] == words["hubverse"]


def test_baselines_are_scored_at_the_levels_of_the_forecast(forecast, judged):
    levels = np.array([0.1, 0.5, 0.9])
    few = forecast.part(np.arange(len(forecast.origin_dates)), horizon=3, levels=levels)
    (series,) = judged(hubverse(few)).models[0].series
    assert {tuple(each.levels) for each in series.baselines.values()} == {tuple(levels)}
    # By hand, one day ahead: the trapezoid rule over the pinball losses at 0.1, 0.5 and 0.9.
    last, actual = few.last_close, series.matched.actual[:, 0]
    miss = np.log(actual / last)[:, None] - np.log(few.quantiles[:, 0] / last[:, None])
    pinball = np.maximum(levels * miss, (levels - 1) * miss)
    by_hand = 2 * (0.4 * (pinball[:, 0] + pinball[:, 1]) / 2 + 0.4 * (pinball[:, 1] + pinball[:, 2]) / 2)
    assert series.report.horizons[1].model.crps == pytest.approx(by_hand.mean(), rel=1e-12)
    assert series.report.horizons[1].model.coverage_80 is not None
    assert series.report.horizons[1].model.coverage_90 is None


def test_levels_that_are_not_ours_are_forecast_by_the_baselines_too(forecast, judged):
    levels = np.array([1 / 3, 0.5, 2 / 3])
    third = replace(forecast, levels=levels, quantiles=forecast.median[..., None] * np.array([0.995, 1.0, 1.005]))
    (series,) = judged(nixtla(third), train_end=str(third.origin_dates[0])).models[0].series
    assert len(series.baselines) == 6
    walk = series.baselines["random_walk"].log_returns()
    # Of a normal distribution, a third lies below 0.43073 standard deviations under the mean.
    closes = series.matched.prices.column("Close")[: series.training_days]
    deviation = np.sqrt(np.mean(np.diff(np.log(closes)) ** 2))
    assert walk[:, 0, 0] == pytest.approx(-0.4307273 * deviation, rel=1e-5)


def test_points_are_scored_by_their_absolute_error(forecast, judged):
    frame = nixtla(forecast)[["unique_id", "ds", "cutoff", "theirs-median"]].rename(columns={"theirs-median": "LSTM"})
    judgement = judged(frame)
    (series,) = judgement.models[0].series
    errors = np.abs(np.log(forecast.median[:, 0] / series.matched.actual[:, 0]))
    assert series.report.horizons[1].model.crps == pytest.approx(errors.mean(), rel=1e-12)
    walk = np.abs(np.log(forecast.last_close / series.matched.actual[:, 0])).mean()
    assert series.report.horizons[1].baselines["random_walk"].crps == pytest.approx(walk, rel=1e-12)
    assert any("absolute error" in sentence for sentence in judgement.verdict)
    assert not any("CRPS" in sentence for sentence in judgement.verdict)


def test_days_that_are_missing_leave_the_others_as_they_are(forecast, judged):
    frame = hubverse(forecast)
    whole = judged(frame).models[0].series[0].report
    gone = frame["reference_date"].isin(forecast.origin_dates[5:15]) & (frame["horizon"] == 2)
    report = judged(frame[~gone]).models[0].series[0].report
    assert report.horizons[1].to_json() == whole.horizons[1].to_json()
    assert report.horizons[3].model == whole.horizons[3].model
    assert report.origins == whole.origins
    losses = np.delete(whole.losses["model"], slice(5, 15), axis=0)
    assert np.isfinite(report.losses["model"]).all(axis=0).tolist() == [True, True, True]
    kept = np.r_[0:5, 15 : whole.origins]
    assert np.array_equal(report.losses["model"][kept], losses)


def test_forecasts_beyond_the_last_price_are_listed_and_the_others_scored(forecast, home, judged, tmp_path):
    bars = pd.read_csv(home / "prices.csv")
    bars.iloc[:-2].to_csv(tmp_path / "prices.csv", index=False)
    judgement = judged(hubverse(forecast), tmp_path / "prices.csv")
    (series,) = judgement.to_json()["models"][0]["series"]
    assert series["unscored"]["beyond"] == bars["Date"].iloc[-2:].tolist()
    # Forecasts of three days: of the last two origins, one and two days, and of the one before none are missing.
    assert series["split"]["forecasts"] == 3 * len(forecast.origin_dates) - 3
    assert any(bars["Date"].iloc[-1] in sentence for sentence in judgement.unscored)


def test_several_models_and_series_are_pooled_and_compared(forecast, home, judged):
    other = sc.read_prices(home / "other.csv")
    closes = other.column("Close")[np.searchsorted(other.dates, forecast.origin_dates)]
    elsewhere = replace(
        forecast, quantiles=forecast.quantiles * (closes / forecast.last_close)[:, None, None], last_close=closes
    )
    wide = {
        series: replace(each, quantiles=each.median[..., None] * (each.quantiles / each.median[..., None]) ** 4)
        for series, each in (("prices", forecast), ("other", elsewhere))
    }
    frames = [hubverse(each, model="good", series=name) for name, each in (("prices", forecast), ("other", elsewhere))]
    frames += [hubverse(each, model="drift", series=name) for name, each in wide.items()]
    judgement = judged(pd.concat(frames), [home / "prices.csv", home / "other.csv"])
    assert {model.name: len(model.series) for model in judgement.models} == {"good": 2, "drift": 2}
    found = judgement.to_json()["confidence_sets"]["1"]
    assert "good" in found["models"]
    assert "drift" not in found["models"]  # a model of that name is not the baseline of that name
    assert "drift" in found["baselines"]
    assert "worse than some baseline and better than none: drift;" in judgement.verdict[-1]
    frame = judgement.to_frame()
    assert set(frame["model"]) == {"good", "drift"}
    assert set(frame["forecast"]) == {"model", *registry.BASELINES}


def test_one_model_in_two_files_is_one_model(forecast, judged, tmp_path):
    frame = hubverse(forecast)
    early = frame["reference_date"] < forecast.origin_dates[30]
    frame[early].to_csv(tmp_path / "a.csv", index=False)
    frame[~early].to_parquet(tmp_path / "b.parquet", index=False)
    both = judged([tmp_path / "a.csv", tmp_path / "b.parquet"])
    assert both.models[0].verdict == judged(frame).models[0].verdict
    with pytest.raises(DataError, match="Keep one"):
        judged([tmp_path / "a.csv", tmp_path / "a.csv"])


def test_the_verdict_states_what_no_file_can_show(forecast, judged):
    verdict = judged(hubverse(forecast)).verdict
    assert set(UNKNOWN) <= set(verdict)
    assert verdict[-1].startswith("In short: ")


def test_a_cheat_is_in_the_last_sentence(forecast, judged, home):
    prices = sc.read_prices(home / "prices.csv")
    actual = prices.column("Close")[np.searchsorted(prices.dates, forecast.target_dates)]
    knowing = replace(forecast, quantiles=forecast.quantiles * (actual / forecast.median)[..., None])
    judgement = judged(hubverse(knowing, model="prophet"))
    assert [each.kind for each in judgement.suspicions] == ["foresight"]
    assert judgement.verdict[-1].endswith("None of it counts for prophet, see what is suspicious.")


def test_costly_baselines_are_estimated_once(forecast, home, judged, monkeypatch):
    first = judged(hubverse(forecast)).verdict
    monkeypatch.setattr("stockcast.evaluation.baselines.garch._estimate", None)
    assert judged(hubverse(forecast)).verdict == first


def test_judging_without_a_cache_writes_nothing_and_scores_the_same(forecast, home, judged, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sc.judge(hubverse(forecast), home / "prices.csv").verdict == judged(hubverse(forecast)).verdict
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("named", [True, False])
def test_prices_may_be_a_frame(named, forecast, home, judged):
    bars = pd.read_csv(home / "prices.csv")
    if named:
        bars.attrs["name"] = "prices"
    assert judged(hubverse(forecast), bars).models[0].series[0].name == "prices"


def test_series_that_have_no_prices_are_listed_and_none_at_all_is_an_error(forecast, judged):
    both = pd.concat([hubverse(forecast), hubverse(forecast, series="AAPL")])
    assert any("AAPL" in sentence for sentence in judged(both).unscored)
    with pytest.raises(DataError, match="AAPL") as refused:
        judged(hubverse(forecast, series="AAPL"))
    assert refused.value.key == "--data"


def test_forecasts_that_name_no_series_need_one_price_file(forecast, home, judged):
    frame = hubverse(forecast).drop(columns="unique_id")
    assert judged(frame).models[0].series[0].name == "prices"
    with pytest.raises(DataError) as refused:
        judged(frame, [home / "prices.csv", home / "other.csv"])
    assert refused.value.column == "unique_id"


def test_a_day_that_is_none_is_an_error_of_the_argument(forecast, judged):
    with pytest.raises(StockcastError) as refused:
        judged(hubverse(forecast), train_end="soon")
    assert refused.value.key == "train_end"


def test_one_forecast_is_scored_and_not_tested(forecast, judged):
    judgement = judged(hubverse(forecast.rows(slice(1))))
    assert "no test" in judgement.verdict[-1]


@pytest.mark.parametrize("content", [b"", b"no zip", None], ids=["empty", "text", "directions"])
def test_arrays_that_are_no_forecasts_of_prices_are_refused(content, tmp_path, judged):
    path = tmp_path / "forecasts.npz"
    if content is None:
        np.savez(path, origin_dates=np.array(["2020-01-01"], "datetime64[D]"), probabilities=np.ones((1, 1, 2)))
    else:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"forecasts\.npz"):
        judged(path)


def test_the_command_writes_scores_verdict_and_pictures(forecast, home, tmp_path):
    shutil.copytree(home / "cache", tmp_path / "out" / "baselines")
    hubverse(forecast).to_csv(tmp_path / "theirs.csv", index=False)
    done = stockcast("judge", "theirs.csv", "--data", str(home / "prices.csv"), "--output", "out", cwd=tmp_path)
    assert (done.returncode, "hubverse" in done.stderr) == (0, True)
    (folder,) = [path for path in (tmp_path / "out").iterdir() if path.name != "baselines"]
    assert {path.name for path in folder.rglob("*.*")} == {
        "scores.csv", "verdict.txt", "judgement.json", "skill-theirs.png", "coverage-theirs.png"
    }  # fmt: skip
    verdict = (folder / "verdict.txt").read_text().splitlines()
    assert done.stdout.rstrip().splitlines()[-1] == verdict[-1]
    as_json = stockcast(
        "judge",
        "theirs.csv",
        "--data",
        str(home / "prices.csv"),
        "--output",
        "out",
        "--json",
        "--no-plot",
        cwd=tmp_path,
    )
    stored = json.loads((folder / "judgement.json").read_text())
    assert stored.pop("created")
    assert json.loads(as_json.stdout) == stored


def test_names_of_models_and_series_are_text_everywhere(forecast, home, tmp_path):
    bars = pd.read_csv(home / "prices.csv")
    bars.attrs["name"] = HOSTILE
    judgement = sc.judge(hubverse(forecast, model=HOSTILE, series=HOSTILE), bars, cache=home / "cache")
    folder = sc.save_judgement(judgement, tmp_path)
    assert folder.parent == tmp_path
    with (folder / "scores.csv").open(newline="") as stream:
        (names,) = {row["model"] for row in csv.DictReader(stream)}
    assert names == f"'{HOSTILE}"
    for file in ("verdict.txt", "judgement.json"):
        assert "\x1b" not in (folder / file).read_text()
    hubverse(forecast, model=HOSTILE).to_csv(tmp_path / "theirs.csv", index=False)
    done = stockcast(
        "judge", "theirs.csv", "--data", str(home / "prices.csv"), "--output", str(home), "--verbose", cwd=tmp_path
    )
    assert (done.returncode, "\x1b" in done.stdout + done.stderr) == (0, False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.csv", "--data", "prices.csv"], "none.csv"),
        (["prices.csv", "--data", "prices.csv"], "MODEL-lo-90"),
        (["theirs.csv", "--data", "none.csv"], "none.csv"),
        (["theirs.csv", "--data", "prices.csv", "--train-end", "2010-01-04"], "--train-end"),
    ],
)
def test_a_command_that_cannot_be_done_says_why_in_one_message(arguments, words, forecast, home, tmp_path):
    shutil.copy(home / "prices.csv", tmp_path)
    hubverse(forecast).to_csv(tmp_path / "theirs.csv", index=False)
    done = stockcast("judge", *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert words in done.stderr or "baselines need" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_picture_of_coverage_draws_the_bands_that_there_are_over_the_days_that_are_known(forecast, judged):
    levels = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
    few = forecast.part(np.arange(len(forecast.origin_dates)), horizon=3, levels=levels)
    frame = hubverse(few, model="their $LSTM$")
    gone = frame["reference_date"].isin(few.origin_dates[10:20]) & (frame["horizon"] == 2)
    (model,) = judged(frame[~gone]).models
    of_model, baselines, actual = model.stacked()
    figure = sc.plots.coverage(of_model, baselines, actual, "made", subject=model.name)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["all days ahead", "80 % band", "50 % band"]
    (line,) = [line for line in figure.axes[1].lines if line.get_label() == r"their \$LSTM\$"]
    lower, upper = few.band(0.8)
    inside = (lower <= actual) & (actual <= upper)
    kept = np.r_[0:10, 20 : len(actual)]
    shares = [inside[:, 0].mean(), inside[kept, 1].mean(), inside[:, 2].mean()]
    assert line.get_ydata() == pytest.approx(shares)
