"""The page of `stockcast report` in a real browser: what a reader sees, and that nothing leaves the page."""

import csv
import shutil
from pathlib import Path

import pandas as pd
import pytest
from browser import Browser
from made import make_bars
from program import stockcast
from selenium.webdriver import ActionChains, Keys
from test_golden import materialise

pytestmark = pytest.mark.slow

HOSTILE = "<script>alert(1)<"  # with /script>.csv behind it a path that is a tag
LONG = 150 * "W"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs, one of prices and one of directions, and pages of them."""
    home = tmp_path_factory.mktemp("pages")
    materialise("student_t_lstm", home)
    shutil.rmtree(home / "prices")
    materialise("direction_three_last_day", home)
    assert stockcast("evaluate", "student_t_lstm", "--runs", ".", cwd=home).returncode == 0
    made = stockcast("report", "student_t_lstm", "--runs", ".", "--output", "own.html", cwd=home)
    assert made.returncode == 0, made.stderr
    assert made.stdout == "own.html\n"
    made = stockcast("report", "direction_three_last_day", "--runs", ".", "--output", "ways.html", cwd=home)
    assert made.returncode == 0, made.stderr
    return home


@pytest.fixture(scope="module")
def several(home: Path) -> Path:
    """A page of files whose names and tickers are tags, formulas and marks that turn the writing."""
    (home / "x" / HOSTILE).mkdir(parents=True)
    bars = make_bars(400, seed=3)
    for path in (
        f"x/{HOSTILE}/script>.csv",
        "x/script>.csv",
        "x/<img src=x onerror=alert(2)>.csv",
        "x/a\u202egpj.csv",
        f"x/{LONG}.csv",
    ):
        bars.to_csv(home / path, index=False)
    (home / "x" / "BAD.csv").write_text("Date,Close\n2020-01-01,<b>x</b>\n")
    tickers = ['=HYPERLINK("http://x")', "\x07\u202e</td>", "@x"]
    both = [bars.assign(Ticker=ticker) for ticker in tickers]
    pd.concat(both).to_csv(home / "all.csv", index=False)
    done = stockcast("report", "student_t_lstm", "--runs", ".", "--data", "x", "--data", f"x/{HOSTILE}/script>.csv",
                     "--output", "several.html", cwd=home)  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[-2:] == [
        "stockcast: 1 of 6 series could not be forecast:",
        "  BAD: x/BAD.csv, line 2, Close '<b>x</b>': not a number. Correct the cell, or empty it.",
    ]
    done = stockcast("report", "student_t_lstm", "--runs", ".", "--data", "all.csv", "--ticker", "all", "--output",
                     "tickers.html", cwd=home)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return home / "several.html"


def text(browser: Browser, selector: str) -> list[str]:
    """The text of every element that a selector finds."""
    return browser.run("return [...document.querySelectorAll(arguments[0])].map(each => each.textContent)", selector)


def table_cells(browser: Browser, selector: str) -> list[list[str]]:
    """The text of the cells of a table, row by row, without its header."""
    return browser.run(
        "const rows = document.querySelectorAll(arguments[0] + ' tbody tr');"
        "return [...rows].map(row => [...row.cells].map(cell => cell.textContent))",
        selector,
    )


def forecast_rows(home: Path, run: str) -> list[dict[str, str]]:
    """The rows of forecast.csv as `predict` writes them."""
    done = stockcast("predict", run, "--runs", ".", "--no-plot", "--output", f"out-{run}", cwd=home)
    assert done.returncode == 0, done.stderr
    with (home / f"out-{run}" / "forecast.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize("name", ["own.html", "ways.html", "several.html", "tickers.html"])
def test_a_page_asks_for_nothing_but_itself_and_logs_nothing(name: str, several: Path, browser: Browser) -> None:
    page = several.with_name(name)
    browser.open(page)
    assert browser.addresses() == [page.as_uri()]
    assert browser.console() == []


def test_a_page_can_open_no_connection_and_run_no_script_but_its_own(home: Path, browser: Browser) -> None:
    browser.open(home / "own.html")
    refused = browser.driver.execute_async_script(
        "const done = arguments[0];fetch('http://127.0.0.1:9/x').then(() => done('open'), error => done(String(error)))"
    )
    assert "Failed to fetch" in refused
    browser.run(
        "const script = document.createElement('script'); script.textContent = 'window.injected = 1';"
        "document.body.append(script); const image = document.createElement('img');"
        "image.src = 'http://127.0.0.1:9/y'; document.body.append(image)"
    )
    assert browser.run("return window.injected") is None
    refusals = [line for line in browser.console() if "Content Security Policy" in line]
    for what in ("connect", "inline script", "image"):
        assert any(what in line for line in refusals), what
    assert browser.addresses() == [(home / "own.html").as_uri()]


def test_the_numbers_are_those_of_forecast_csv(home: Path, browser: Browser) -> None:
    browser.open(home / "own.html")
    rows = forecast_rows(home, "student_t_lstm")
    cells = table_cells(browser, ".days")
    assert [row[:2] for row in cells] == [[row["date"], row["step"]] for row in rows]
    names = ("median", "lower_50", "upper_50", "lower_90", "upper_90")
    assert [[float(cell.replace(",", "")) for cell in row[2:]] for row in cells] == [
        [float(row[name]) for name in names] for row in rows
    ]
    assert text(browser, ".days th")[2:] == [name.replace("_", " ") for name in names]


def test_hovering_shows_the_date_the_median_and_the_bands(home: Path, browser: Browser) -> None:
    browser.open(home / "own.html")
    plot = browser.driver.find_element("css selector", ".fan.shown .plot")
    assert not browser.driver.find_element("css selector", ".fan.shown .hover").is_displayed()
    ActionChains(browser.driver).move_to_element_with_offset(plot, plot.size["width"] // 2 - 1, 0).perform()
    last = forecast_rows(home, "student_t_lstm")[-1]
    shown = browser.driver.find_element("css selector", ".fan.shown .hover")
    assert shown.is_displayed()
    first, *lines = shown.text.splitlines()
    assert first == f"{last['date']}, day {last['step']}"
    numbers = [[float(word.replace(",", "")) for word in line.split() if word[0].isdigit()] for line in lines]
    assert numbers == [
        [float(last["median"])],
        [50, float(last["lower_50"]), float(last["upper_50"])],
        [90, float(last["lower_90"]), float(last["upper_90"])],
    ]


def test_hovering_over_the_past_shows_the_price_of_the_nearest_day(home: Path, browser: Browser) -> None:
    browser.open(home / "own.html")
    plot = browser.driver.find_element("css selector", ".fan.shown .plot")
    table = pd.read_csv(home / "prices" / "A.csv")
    quoted = table["Adj Close"] * table["Close"].iloc[-1] / table["Adj Close"].iloc[-1]  # in units of the last row
    ActionChains(browser.driver).move_to_element_with_offset(plot, 1 - plot.size["width"] // 2, 0).perform()
    day, price = browser.driver.find_element("css selector", ".fan.shown .hover").text.splitlines()
    assert day == table["Date"].iloc[-60]  # of history, 60 days are shown at first
    assert float(price.removeprefix("price ")) == pytest.approx(quoted.iloc[-60], abs=1e-4)


def test_the_arrow_keys_move_from_the_last_price_into_the_forecast(home: Path, browser: Browser) -> None:
    browser.open(home / "own.html")
    rows = forecast_rows(home, "student_t_lstm")
    fan = browser.driver.find_element("css selector", ".fan.shown")
    for row in rows[:2]:
        fan.send_keys(Keys.ARROW_RIGHT)
        assert text(browser, ".fan.shown .hover")[0].startswith(f"{row['date']}, day {row['step']}\n")


def test_more_history_is_shown_where_it_is_chosen(home: Path, browser: Browser) -> None:
    browser.open(home / "own.html")
    fans = browser.driver.find_elements("css selector", ".fan")
    assert [label.strip() for label in text(browser, ".choice label")] == ["60 days", "300 days"]
    assert [fan.is_displayed() for fan in fans] == [True, False]
    browser.driver.find_elements("css selector", ".choice input")[1].click()
    assert [fan.is_displayed() for fan in fans] == [False, True]


@pytest.mark.parametrize("name", ["own.html", "several.html", "ways.html"])
def test_a_page_400_pixels_wide_does_not_scroll_sideways(name: str, several: Path, browser: Browser) -> None:
    page = several.with_name(name)
    browser.open(page, width=400, height=800)
    assert browser.run("return document.documentElement.clientWidth") <= 400
    assert browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    sizes = browser.run(
        "const size = (each) => parseFloat(getComputedStyle(each).fontSize);"
        "return [...document.querySelectorAll('text, td, li, p')].map(size)"
    )
    assert min(sizes) >= 11  # and so it can be read


def test_a_page_is_dark_where_the_reader_s_screen_is(home: Path, browser: Browser) -> None:
    def brightness() -> list[float]:
        style = "const style = getComputedStyle(document.body); return [style.backgroundColor, style.color]"
        return [sum(map(float, colour[4:-1].split(","))) / 3 for colour in browser.run(style)]

    browser.open(home / "own.html", scheme="light")
    page, letters = brightness()
    assert (page, letters < 60) == (255, True)
    browser.open(home / "own.html", scheme="dark")
    page, letters = brightness()
    assert (page < 40, letters > 200) == (True, True)


def test_a_printed_page_has_no_controls_and_all_that_is_folded_away(home: Path, browser: Browser) -> None:
    browser.open(home / "own.html", scheme="dark")
    assert not browser.driver.find_element("css selector", "details pre").is_displayed()
    browser.driver.execute_cdp_cmd("Page.printToPDF", {})  # as a print command does: it calls what listens to it
    assert browser.driver.find_element("css selector", "details pre").is_displayed()
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert not browser.driver.find_element("css selector", ".choice").is_displayed()
        assert browser.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_names_that_are_tags_are_text(several: Path, browser: Browser) -> None:
    browser.open(several)  # an alert would be an exception of the driver
    headings = text(browser, "h2")
    assert f"script> (x/{HOSTILE}/script>.csv)" in headings
    assert "<img src=x onerror=alert(2)>" in headings
    assert browser.run("return document.querySelectorAll('img, b').length") == 0
    assert browser.run("return document.querySelectorAll('script:not([type])').length") == 1
    assert any("<b>x</b>" in sentence for sentence in text(browser, ".worse"))


def test_marks_that_turn_the_writing_are_seen_as_such(several: Path, browser: Browser) -> None:
    browser.open(several)
    assert "a?gpj" in text(browser, "h2")
    browser.open(several.with_name("tickers.html"))
    assert text(browser, "nav td:first-child") == ['=HYPERLINK("http:--x")', "--<-td>", "@x"]
    for name in ("several.html", "tickers.html", "own.html"):
        page = several.with_name(name).read_text(encoding="utf-8")
        assert not {"\x07", "\u202e"} & set(page)


def test_a_path_that_is_printed_cannot_steer_a_terminal(several: Path) -> None:
    shutil.copy(several.parent / "x" / "script>.csv", several.parent / "\x1b[2J\u202e.csv")
    done = stockcast("report", "student_t_lstm", "--runs", ".", "--data", "\x1b[2J\u202e.csv", cwd=several.parent)
    assert done.stdout == "student_t_lstm/reports/?[2J?-2011-07-15.html\n"
    assert not {"\x1b", "\u202e"} & set(done.stderr)


def test_the_index_leads_to_a_section_for_each_series(several: Path, browser: Browser) -> None:
    browser.open(several)
    links = browser.run("return [...document.querySelectorAll('nav a')].map(each => [each.textContent, each.hash])")
    assert len(links) == 6
    for name, place in links:
        heading = browser.run("return document.querySelector(arguments[0] + ' h2').textContent", place)
        assert heading == name
    assert text(browser, "nav tr:last-child td:last-child") == ["not forecast"]


def test_a_run_of_directions_has_its_probabilities_and_no_fan(home: Path, browser: Browser) -> None:
    browser.open(home / "ways.html")
    assert browser.run("return document.querySelectorAll('.fan').length") == 0
    rows = forecast_rows(home, "direction_three_last_day")
    cells = table_cells(browser, ".days")
    assert text(browser, ".days th")[2:5] == ["down", "flat", "up"]
    assert [[round(float(cell.removesuffix(" %")) / 100, 4) for cell in row[2:5]] for row in cells] == [
        [float(row[f"p_{name}"]) for name in ("down", "flat", "up")] for row in rows
    ]
