"""What is printed fits the terminal, however narrow, and no number in it is cut."""

import io
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from made import make_bars
from test_run_names import make_run

from stockcast.cli.commands.runs import runs_list
from stockcast.cli.fitted_table import new_table, print_table
from stockcast.cli.tables import print_forecast, print_prediction, print_scores, print_sentences
from stockcast.evaluation.significance import SkillTest
from stockcast.forecast import LEVELS, DirectionPrediction, Directions, Forecast, Prediction
from stockcast.frequency import DAILY
from stockcast.pipeline.check import check
from stockcast.text import file_number

WIDTHS = (40, 80, 120)


class Stream(io.StringIO):
    def isatty(self) -> bool:
        return True


class Terminal:
    """Standard output that is a terminal of so many columns."""

    def __init__(self, columns: int) -> None:
        self.columns = columns

    def lines(self, printing: Callable[[], object]) -> list[str]:
        """What is printed, none of which is wider than the terminal."""
        stream = Stream()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdout", stream)
            patch.setenv("COLUMNS", str(self.columns))
            patch.setenv("TERM", "dumb")  # no escapes for bold letters
            printing()
        printed = stream.getvalue().splitlines()
        assert max(map(len, printed)) <= self.columns
        return printed

    def text(self, printing: Callable[[], object]) -> str:
        """The same with every line break and run of spaces as one space."""
        return " ".join(" ".join(self.lines(printing)).split())


@pytest.fixture(params=WIDTHS)
def terminal(request: pytest.FixtureRequest) -> Terminal:
    return Terminal(request.param)


def prediction(price: float = 1234.56, steps: int = 50) -> Prediction:
    target = np.datetime64("2020-01-02") + np.arange(1, steps + 1)
    quantiles = price * (1 + (LEVELS - 0.5)[None, None, :] * np.arange(1, steps + 1)[None, :, None] / 100)
    forecast = Forecast(
        origin_dates=np.array(["2020-01-02"], dtype="datetime64[D]"),
        target_dates=target[None],
        levels=LEVELS,
        quantiles=quantiles,
        last_close=np.array([price]),
    )
    history = np.full(3, price)
    return Prediction("sp500-20260101T000000Z", "SP500", forecast, target[:3], history)


def test_a_forecast_keeps_its_day_median_and_wide_band_at_every_width(terminal: Terminal) -> None:
    printed = terminal.text(lambda: print_forecast(prediction()))
    # 0.05 and 0.95 are 0.45 below and above the middle of the levels, so 22.5 % off on the fiftieth day
    assert "956.78 to 1,512.34" in printed
    assert "2020-02-21" in printed
    assert printed.count("1,234.56") == 12  # the title's and eleven days'
    is_narrow = terminal.columns == 40
    assert ("50 % band and step; forecast.csv has all." in printed) == is_narrow
    assert ("1,080.24 to 1,388.88" in printed) != is_narrow  # the 50 % band


def test_prices_of_seven_digits_fit_a_narrow_terminal_too(terminal: Terminal) -> None:
    # to six digits, as in forecast.csv
    assert "956,790.00 to 1,512,350.00" in terminal.text(lambda: print_forecast(prediction(price=1234567.89)))


def test_probabilities_of_directions_fit(terminal: Terminal) -> None:
    forecast = prediction().forecast
    shares = np.tile([0.3, 0.25, 0.45], (1, 50, 1))
    directions = Directions(
        forecast.origin_dates, forecast.target_dates, ("down", "flat", "up"), shares, forecast.last_close
    )
    of_directions = DirectionPrediction("mine", "SP500", directions, shares[0], np.full(50, 0.01))
    assert terminal.text(lambda: print_prediction(of_directions)).count("45 % (45 %)") == 11


def test_scores_keep_the_comparison_at_every_width_and_name_the_file_of_the_rest(terminal: Terminal) -> None:
    scores = SimpleNamespace(crps=0.02546, coverage_90=0.91, mae=1234.5, pinball={"0.05": 0.01, "0.5": 0.02})
    comparison = SimpleNamespace(
        model=scores,
        baselines={"volatility_20": scores, "gjr_skewt": scores},
        skill={"volatility_20": 0.124, "gjr_skewt": -0.02},
        tests={"volatility_20": SkillTest(-2.0, 0.0231), "gjr_skewt": None},
    )
    report: Any = SimpleNamespace(horizons={1: comparison, 250: comparison}, overall=comparison, frequency=DAILY)
    printed = terminal.text(lambda: print_scores(report, title="SP500.csv by mine, test days: 454 origins"))
    assert printed.count("12.4 % lower") == printed.count("volatility_20") == 3
    is_narrow = terminal.columns == 40
    assert ("1,234.50" in printed) != is_narrow
    assert ("metrics.json has all." in printed) == is_narrow


def test_runs_and_the_check_of_a_file_fit(terminal: Terminal, tmp_path: Path) -> None:
    make_run(tmp_path / "runs", "sp500-weekly-20260101T000000Z")
    assert "sp500-weekly-20260101T000000Z" in terminal.text(lambda: runs_list(runs=tmp_path / "runs"))
    make_bars(100).to_csv(tmp_path / "prices.csv", index=False)
    (report,) = check(tmp_path / "prices.csv")
    assert "100 days, 2010-01-04 to 2010-05-21" in terminal.text(lambda: print_sentences(report.summary()))


def test_columns_that_cannot_be_left_out_are_put_under_each_other(terminal: Terminal) -> None:
    table = new_table("Skill", None, "series", *map(str, (1, 5, 10, 20, 50)))
    table.add_row("SP500", "+10.1 %", "+10.5 %", "+11.0 %", "+12.0 %", "-15.0 %")
    printed = terminal.lines(lambda: print_table(table, file="series.csv"))
    assert sum(line.count(" %") for line in printed) == 5
    assert ([line.split() for line in printed if "15.0" in line] == [["-15.0", "%"]]) == (terminal.columns == 40)


def test_a_forecast_of_adjusted_prices_is_called_one_of_total_return(terminal: Terminal) -> None:
    assert "total return" not in terminal.text(lambda: print_forecast(prediction()))
    adjusted = replace(prediction(), adjusted=True)
    assert "total return, dividends put back in" in terminal.text(lambda: print_forecast(adjusted))


@pytest.mark.parametrize(
    ("computed", "in_the_file"), [(27.949999999999996, 27.95), (2506.850098, 2506.850098), (0.1 + 0.2, 0.3), (7.0, 7.0)]
)
def test_a_price_is_written_with_the_digits_of_its_file(computed: float, in_the_file: float) -> None:
    assert file_number(computed) == in_the_file
