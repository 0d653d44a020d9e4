"""`stockcast report` and `sc.report`: which file is written, what is in it, and what is refused."""

import json
import shlex
import shutil
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from made import make_bars
from program import stockcast
from test_golden import materialise

import stockcast as sc
from stockcast.errors import DataError, RunError, StockcastError
from stockcast.plots import style
from stockcast.reports.axes import Scale, Tick, apart, date_ticks, price_scale, price_ticks
from stockcast.reports.coverage import coverage_chart
from stockcast.reports.scores import CoverageRow, scores_of
from stockcast.runs.evaluations import EvaluationIndex

RUN = "student_t_lstm"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, and price files that it has not seen."""
    home = tmp_path_factory.mktemp("report")
    materialise(RUN, home)
    for seed, name in enumerate(("a/GE", "b/GE", "b/KO"), start=1):
        path = home / f"{name}.csv"
        path.parent.mkdir(exist_ok=True)
        make_bars(400, seed=seed).to_csv(path, index=False)
    return home


@pytest.fixture
def home(stored: Path, tmp_path: Path) -> Path:
    """The same, for one test to write into."""
    return Path(shutil.copytree(stored, tmp_path / "home"))


def reported(home: Path, *arguments: str) -> Path:
    """Write a report by the command, and return its path."""
    done = stockcast("report", RUN, "--runs", ".", *arguments, cwd=home)
    assert done.returncode == 0, done.stderr
    return home / done.stdout.removesuffix("\n")


def test_by_default_the_page_is_in_the_run_and_named_by_series_and_last_day(home: Path) -> None:
    own, other = reported(home), reported(home, "--data", "b/KO.csv")
    further = reported(home, "--data", "b/KO.csv", "--horizon", "2")
    names = [path.relative_to(home).as_posix() for path in (own, other, further)]
    assert names == [f"{RUN}/reports/A-2011-08-12.html", f"{RUN}/reports/KO-2011-07-15.html",
                     f"{RUN}/reports/KO-2011-07-15-2-days.html"]  # fmt: skip
    assert len({path.read_text(encoding="utf-8") for path in (own, other, further)}) == 3


def test_pages_of_several_series_are_named_by_their_folder_and_never_share_a_file(home: Path) -> None:
    first = reported(home, "--data", "b")
    assert first.name.startswith("b-2011-07-15-")
    again, both = reported(home, "--data", "b"), reported(home, "--data", "a", "--data", "b")
    assert first == again
    assert both.name.startswith("3-series-2011-07-15-")


def test_files_of_one_name_are_told_apart_by_their_folders(home: Path) -> None:
    page = reported(home, "--data", "a", "--data", "b").read_text(encoding="utf-8")
    for heading in ("GE (a/GE.csv)", "GE (b/GE.csv)", "KO"):
        assert f"<h2><bdi>{heading}</bdi></h2>" in page


def test_a_file_that_is_given_twice_is_there_once(home: Path) -> None:
    page = sc.report(home / RUN, [home / "b", home / "b" / "KO.csv"])
    assert [series.name for series in page.series] == ["GE", "KO"]


def test_five_series_of_many_years_take_less_than_two_and_a_half_megabytes_and_one_script(home: Path) -> None:
    for seed in range(5):
        make_bars(2500, seed=seed).to_csv(home / "a" / f"S{seed}.csv", index=False)
    page = reported(home, *(word for seed in range(5) for word in ("--data", f"a/S{seed}.csv")))
    assert page.stat().st_size < 2_500_000
    text = page.read_text(encoding="utf-8")
    assert (text.count("<script>"), text.count("<style>")) == (1, 1)
    assert "http:" not in text
    assert "https:" not in text


def test_a_bad_file_of_several_costs_its_own_section(home: Path) -> None:
    (home / "b" / "BAD.csv").write_text("Date,Close\n2020-01-01,x\n")
    done = stockcast("report", RUN, "--runs", ".", "--data", "b", "--json", "--output", "x.html", cwd=home)
    assert done.returncode == 1
    assert "1 of 3 series could not be forecast:\n  BAD: b/BAD.csv, line 2, Close 'x': not a number." in done.stderr
    stated = json.loads(done.stdout)
    assert (stated["run"], stated["file"], list(stated["failures"])) == (RUN, "x.html", ["BAD"])
    assert [series["series"] for series in stated["series"]] == ["GE", "KO"]
    page = (home / "x.html").read_text(encoding="utf-8")
    assert "Not forecast: b/BAD.csv, line 2, Close &#39;x&#39;: not a number." in page


def test_nothing_is_written_where_no_series_can_be_forecast(home: Path) -> None:
    for name in ("X", "Y"):
        (home / f"{name}.csv").write_text("Date,Close\n2020-01-01,x\n")
    with pytest.raises(DataError, match=r"None of 2 series.*\nX: .*line 2.*\nY: .*line 2"):
        sc.report(home / RUN, [home / "X.csv", home / "Y.csv"])
    assert stockcast("report", RUN, "--runs", ".", "--data", "X.csv", cwd=home).returncode == 1
    assert not (home / RUN / "reports").exists()


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("b", ["--output b is a folder", "b/report.html"]),
        ("x.pdf", ["--output x.pdf does not end in .html", "x.html"]),
        ("x", ["--output x does not end in .html", "x.html"]),
        ("b/KO.csv/x.html", ["Cannot make the folder", "a file has that name"]),
    ],
)
def test_an_output_that_is_no_page_is_refused_with_the_way_out(output: str, words: list[str], home: Path) -> None:
    refused = stockcast("report", RUN, "--runs", ".", "--output", output, cwd=home)
    assert (refused.returncode, refused.stdout) == (1, "")
    for word in words:
        assert word in refused.stderr
    assert not (home / RUN / "reports").exists()


def test_an_output_that_is_no_page_is_refused_before_anything_is_read(home: Path) -> None:
    refused = stockcast("report", RUN, "--runs", ".", "--data", "nowhere.csv", "--output", "x.pdf", cwd=home)
    assert "--output x.pdf does not end in .html" in refused.stderr


def test_without_jinja2_the_command_to_install_it_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = sc.report(home / RUN)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(StockcastError, match=r'pip install -c constraints\.txt -e "\.\[report\]"') as refused:
        sc.save_report(sc.RunDirectory.find(home, RUN), page)
    assert refused.value.value == "jinja2"


def test_a_series_without_scores_has_the_command_that_makes_them(home: Path) -> None:
    make_bars(500, seed=2).to_csv(home / "NEW.csv", index=False)
    run = str(home / RUN)
    page = sc.report(run, home / "NEW.csv")
    assert page.series[0].scores is None
    assert page.series[0].missing == "NEW is not scored yet."
    words = shlex.split(page.series[0].command)
    assert words[:3] == ["stockcast", "evaluate", run]
    done = stockcast(*words[1:], cwd=home)
    assert done.returncode == 0, done.stderr
    scored = sc.report(run, home / "NEW.csv").series[0]
    assert (scored.missing, scored.command) == ("", "")
    metrics = json.loads((home / RUN / "evaluation-test-NEW" / "metrics.json").read_text())
    first = scored.scores.rows[0]
    assert (first.step, first.forecast) == ("1", "network")
    assert first.cells[0] == f"{1e4 * metrics['horizons']['1']['model']['crps']:.1f}"
    assert {row.forecast for row in scored.scores.rows} == {"network", *metrics["horizons"]["1"]["baselines"]}
    assert scored.trust[0] == f"Forecast: {scored.prediction.sentence()}"
    assert [line for line in scored.trust if line.startswith("Skill: ")]
    html = sc.report(run, home / "NEW.csv").html()
    assert metrics["verdict"][0].split(":")[0] in html


def test_a_file_that_ends_before_the_test_days_has_no_command(home: Path) -> None:
    make_bars(300, seed=2).to_csv(home / "OLD.csv", index=False)
    (series,) = sc.report(home / RUN, home / "OLD.csv").series
    assert series.command == ""
    assert "OLD.csv ends before 2011-06-16" in series.missing


def test_the_page_names_the_file_its_hash_the_run_and_its_config(home: Path) -> None:
    import hashlib

    page = reported(home, "--data", "b/KO.csv").read_text(encoding="utf-8")
    digest = hashlib.sha256((home / "b" / "KO.csv").read_bytes()).hexdigest()
    manifest = json.loads((home / RUN / "run.json").read_text())
    for word in ("KO.csv", digest, "2011-07-15", RUN, sc.__version__, f"Python {sys.version.split()[0]}",
                 manifest["versions"]["keras"], "cell: lstm"):  # fmt: skip
        assert word in page


def test_what_was_noticed_in_the_data_is_on_the_page(home: Path) -> None:
    messages: list[str] = []
    page = sc.report(home / RUN, home / "b" / "KO.csv", callbacks=sc.Callbacks(on_message=messages.append))
    assert messages
    assert list(page.series[0].notes) == messages


def test_what_was_noticed_in_the_run_s_own_file_is_on_the_page(tmp_path: Path) -> None:
    run, _ = materialise(RUN, tmp_path)
    header, *rows = (tmp_path / "prices" / "A.csv").read_text().splitlines()
    (tmp_path / "prices" / "A.csv").write_text("\n".join([header, *rows[::-1]]))
    (series,) = sc.report(run).series
    assert "A.csv: rows were not oldest first; sorted by date." in series.notes


def test_a_frame_is_reported_like_a_file(home: Path) -> None:
    frame = make_bars(400, seed=3)
    frame.attrs["name"] = "KO"
    of_frame, of_file = (sc.report(home / RUN, source).series[0] for source in (frame, home / "b" / "KO.csv"))
    assert (of_frame.name, of_frame.command) == ("KO", "")
    assert np.allclose(of_frame.prediction.forecast.quantiles, of_file.prediction.forecast.quantiles, rtol=1e-12)


def evaluation(run: Path, folder: str, *, content: str, name: str = "KO.csv") -> None:
    """Write what an evaluation leaves behind, as far as it is looked for."""
    (run / folder).mkdir()
    data = {"name": name, "sha256": "of the file", "content_sha256": content}
    (run / folder / "metrics.json").write_text(json.dumps({"data": data, "mark": folder}, indent=2))
    (run / folder / "verdict.txt").write_text(f"first.\n{folder}.\n")


def test_the_evaluation_of_the_very_content_comes_first_then_one_before_it_grew(tmp_path: Path) -> None:
    def found() -> tuple[str, bool] | None:
        index = EvaluationIndex.of(tmp_path)
        of_series = index.find(
            file="KO.csv", sha256="new", content="new", is_earlier=lambda data: data["content_sha256"] == "old"
        )
        return None if of_series is None else (of_series.metrics["mark"], of_series.is_of_file)

    evaluation(tmp_path, "evaluation-test-KO-from-2020-01-02-insisted", content="new")
    evaluation(tmp_path, "evaluation-validation-KO", content="new")
    evaluation(tmp_path, "evaluation-test-KO-other", content="another stock of that name")
    evaluation(tmp_path, "evaluation-test-X", content="old", name="X.csv")
    assert found() is None
    evaluation(tmp_path, "evaluation-test-KO", content="old")
    assert found() == ("evaluation-test-KO", False)
    evaluation(tmp_path, "evaluation-test-KO-from-2021-01-04", content="new")
    assert found() == ("evaluation-test-KO-from-2021-01-04", True)
    evaluation(tmp_path, "evaluation-test-COPY", content="new", name="COPY.csv")
    assert found() == ("evaluation-test-COPY", True)
    (tmp_path / "evaluation-test-COPY" / "metrics.json").write_text("{")
    assert found() == ("evaluation-test-KO-from-2021-01-04", True)


def test_scores_of_an_older_file_carry_a_remark(home: Path) -> None:
    bars = make_bars(510, seed=2)
    bars[:500].to_csv(home / "NEW.csv", index=False)
    sc.save_evaluation(sc.RunDirectory(home / RUN), sc.evaluate(home / RUN, home / "NEW.csv"), plot=False)
    bars.to_csv(home / "NEW.csv", index=False)
    (series,) = sc.report(home / RUN, home / "NEW.csv").series
    assert series.scores is not None
    assert series.scores.remark.startswith("These scores are of another state of NEW.csv")
    assert series.scores.remark in sc.report(home / RUN, home / "NEW.csv").html().replace("&#39;", "'")


def test_a_value_of_the_wrong_kind_in_a_stored_evaluation_is_a_gap_on_the_page() -> None:
    model = {"crps": "x", "coverage_90": True, "mae": None, "coverage_50": 0.5}
    metrics = {
        "split": {"first_origin": 3, "origins": "many"},
        "horizons": {"1": {"model": model, "baselines": {"drift": 7}, "skill": [], "tests": {"drift": None}}, "x": {}},
        "overall": 5,
    }
    scores = scores_of(metrics, ["<b>"], unit="day", proven={})
    assert [(row.step, row.forecast, row.cells) for row in scores.rows] == [
        ("1", "network", ("", "", "", "", "")),
        ("1", "drift", ("", "", "", "", "")),
        ("all", "network", ("", "", "", "", "")),
    ]
    assert scores.coverage[0].shares == {50: 50.0, 80: None, 90: None, 95: None}


def test_a_difference_is_better_or_worse_only_where_it_is_significant() -> None:
    def tone(outcome: str) -> str:
        test = {"statistic": -3, "p_value": 0.04}
        comparison = {"model": {}, "baselines": {"drift": {}}, "skill": {"drift": 0.1}, "tests": {"drift": test}}
        proven = {"drift": {1: outcome}}
        return scores_of({"horizons": {"1": comparison}}, [], unit="day", proven=proven).rows[1].tone

    assert [tone("better"), tone("worse"), tone("open")] == ["better", "worse", ""]


def test_a_band_is_marked_where_it_misses_its_promise_by_more_than_five_points() -> None:
    rows = (CoverageRow("1", {50: 55.1, 80: 75.0, 90: None, 95: 20.0}, {}),)
    chart = coverage_chart(rows, unit="day")
    assert chart is not None
    assert [(promise, [point.is_off for point in points]) for promise, points in chart.points.items()] == [
        (50, [True]), (80, [False]), (90, []), (95, [True]),
    ]  # fmt: skip
    assert chart.points[50][0].text == "1 day ahead: 55.1 % in the 50 % band"
    assert chart.points[95][0].y == 100  # 20 % stands at the foot, which is 30 %
    assert coverage_chart((CoverageRow("1", {50: None, 80: None, 90: None, 95: None}, {}),), unit="day") is None


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0, 100, ["100", "80", "60", "40", "20", "0"]),
        (1.1, 1.9, ["1.8", "1.6", "1.4", "1.2"]),
        (99_000, 101_500, ["101,500", "101,000", "100,500", "100,000", "99,500", "99,000"]),
        (0.00010, 0.00022, ["0.00022", "0.00020", "0.00018", "0.00016", "0.00014", "0.00012", "0.00010"]),
    ],
)
def test_ticks_of_prices_are_round_and_written_alike(low: float, high: float, texts: list[str]) -> None:
    assert [tick.text for tick in price_ticks(Scale(low, high, 3400, falls=True))] == texts


def test_a_price_that_never_moves_stands_in_the_middle() -> None:
    scale = price_scale(5.0, 5.0)
    assert scale.tick(5.0, "").place == 50


def test_ticks_of_dates_are_first_days_of_months_away_from_the_edges() -> None:
    def days(first: str, last: str) -> list[tuple[str, float]]:
        ends = [float(np.datetime64(day).astype(int)) for day in (first, last)]
        return [(tick.text, tick.place) for tick in date_ticks(Scale(*ends, 10_000))]

    # 100 days from 20 January on: 1 February is the 12th, 1 March the 40th, 1 April the 71st, 1 May is the last.
    assert days("2022-01-20", "2022-04-30") == [("Feb 2022", 12.0), ("Mar 2022", 40.0), ("Apr 2022", 71.0)]
    assert [text for text, _ in days("2010-06-01", "2020-05-31")] == ["2012", "2014", "2016", "2018", "2020"]


def test_labels_that_are_too_close_are_moved_apart_and_keep_their_mean() -> None:
    moved = apart([Tick(11, "low"), Tick(10, "high"), Tick(60, "far")], least=4)
    assert [tick.text for tick in moved] == ["high", "low", "far"]
    assert [tick.place for tick in moved] == [9, 13, 59]


def test_the_page_has_the_colours_of_the_pictures() -> None:
    sheet = files("stockcast.reports").joinpath("templates", "style.css").read_text()
    light = sheet.partition("}")[0]
    for name, colour in (("price", style.PRICE), ("median", style.MEDIAN), ("band", style.BAND)):
        assert f"--{name}: {colour};" in light


def test_a_report_loads_no_deep_learning_library_and_draws_no_picture(home: Path, monkeypatch) -> None:
    from test_architecture import loaded_by

    monkeypatch.chdir(home)
    loaded = loaded_by("report", RUN, "--runs", ".", "--quiet")
    assert "jinja2" in loaded
    assert loaded.isdisjoint({"tensorflow", "keras", "sklearn", "matplotlib"})


def test_a_link_out_of_the_run_is_not_followed(home: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (home / RUN / "reports").symlink_to(tmp_path / "elsewhere")
    run = sc.RunDirectory.find(home, RUN)
    with pytest.raises(RunError, match="leads out of the run"):
        sc.save_report(run, sc.report(run))
    assert list((tmp_path / "elsewhere").iterdir()) == []
