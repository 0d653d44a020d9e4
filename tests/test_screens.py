"""What a first-time reader finds on a screen: which stock, which day, how likely, and how far to trust it."""

import re
from pathlib import Path

import pandas as pd
import pytest
from made import make_bars
from program import stockcast
from test_predict_many import CONFIG

import stockcast as sc
from stockcast.config.load import load_config


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scored run of prices.csv, a run of directions, and a folder of two other files, one with adjusted prices."""
    home = tmp_path_factory.mktemp("screens")
    make_bars().to_csv(home / "prices.csv", index=False)
    (home / "folder").mkdir()
    for seed, name in enumerate(("AA", "BB"), 3):
        bars = make_bars(seed=seed)
        bars.assign(**{"Adj Close": 0.9 * bars["Close"]} if name == "BB" else {}).to_csv(
            home / "folder" / f"{name}.csv", index=False
        )
    (home / "bad.csv").write_text("Date,Close\n2018-01-02,twelve\n")
    for name, more in (("first", ""), ("ways", "model: {cell: last_day, layers: [4], head: direction}\n")):
        text = CONFIG if not more else re.sub(r"model: .*\n", more, CONFIG)
        (home / f"{name}.yaml").write_text(text)
        run = sc.train(load_config(home / f"{name}.yaml"), runs=home / "runs", name=name)
        sc.save_evaluation(run, sc.evaluate(run), plot=False)
    return home


ONE = ("predict", "first", "--no-plot")
SCREENS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "a scored series": (ONE, ("prices by first: after 2012-09-07", "3   ", "Held: ", "Skill: ")),
    "two days ahead": (
        (*ONE, "--horizon", "2"),
        ("2012-09-11      2", "Forecast: prices, after 2012-09-07: "),
    ),
    "an earlier day": (
        (*ONE, "--date", "2012-08-31"),
        ("after 2012-08-31", "actual", "on 2012-09-06.", "prices to 2012-08-31"),
    ),
    "a level": (
        (*ONE, "--above", "150", "--by", "2"),
        ("of closing above 150.00 on 2012-09-11", "of a close at 150.00 or"),
    ),
    "value at risk": ((*ONE, "--by", "3"), ("prices: a chance of 5 % of closing below", "the mean of such closes")),
    "another series": (
        (*ONE, "--data", "folder/AA.csv"),
        ("AA by first", "Held: not known for AA", "on 1 series, not on it."),
    ),
    "adjusted prices": ((*ONE, "--data", "folder/BB.csv"), ("BB by first", "total return")),
    "a folder": ((*ONE, "--data", "folder"), ("2 series by first, 3 days ahead (2012-09-12)", "AA", "BB", "90 % band")),
    "a folder and a bad file": (
        (*ONE, "--data", "folder", "--data", "bad.csv"),
        ("not forecast", "bad: bad.csv, line 2, Close 'twelve': not a number", "for example AA"),
    ),
    "the riskiest": ((*ONE, "--data", "folder", "--top", "1", "--sort", "fall"), ("1 of 2 series by first", "fall")),
    "directions": (("predict", "ways", "--no-plot"), ("prices by ways", "down", "up", 'by "always up"')),
    "an evaluation": (
        ("evaluate", "first", "--no-plot"),
        ("prices.csv by first, test days", "random_walk", "Skill: "),
    ),
}


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_names_the_stock_the_day_the_chance_and_how_far_to_trust_it(home: Path, name: str) -> None:
    command, words = SCREENS[name]
    screen = stockcast(*command, cwd=home).stdout
    for word in (*words, "Forecast: ", "% chance of closing", "Known: prices to"):
        assert word in screen, screen
    trust = screen[screen.index("Forecast: ") :].splitlines()
    assert len(trust) <= 8
    assert max(map(len, trust)) <= 100
    forecast = " ".join(" ".join(trust).split())
    ((origin, day),) = re.findall(r"after (\S+): \d.* on (\S+)\.", forecast.partition("Held")[0])
    assert pd.Timestamp(day) > pd.Timestamp(origin) >= pd.Timestamp("2012-08-31")
