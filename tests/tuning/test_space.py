"""The space of a tuning: read, checked against the config's schema, and refused with line, key and the way out."""

from pathlib import Path

import pytest

from stockcast.config.load import load_config
from stockcast.errors import ConfigError
from stockcast.tuning.space import Choices, Range, config_with, load_space, parse_space

CONFIG = load_config("quick")


def parse(text: str):
    return parse_space(text, source="space.yaml", config=CONFIG)


def test_ranges_and_choices_are_read() -> None:
    space = parse(
        "training.learning_rate: {low: 1e-4, high: 3e-3, log: true}\n"
        "model.dropout: {low: 0, high: 0.5}\n"
        "model.layers: [[32], [50, 100]]\n"
        "window: {low: 20, high: 100, step: 10}\n"
    )
    assert space.keys == {
        "training.learning_rate": Range(1e-4, 3e-3, log=True),
        "model.dropout": Range(0.0, 0.5),
        "model.layers": Choices(([32], [50, 100])),
        "window": Range(20, 100, step=10),
    }
    assert [values.is_whole for values in space.keys.values() if isinstance(values, Range)] == [False, False, True]


@pytest.mark.parametrize("name", ["quick", "sp500", "sp500-weekly", "many-stocks"])
def test_the_space_that_ships_fits_the_configs_that_ship(name: str) -> None:
    assert load_space(None, load_config(name)).keys


def test_the_starting_config_is_inside_or_not() -> None:
    assert parse("window: {low: 20, high: 80, step: 10}").values_in(CONFIG) == {"window": 50}
    assert parse("window: {low: 20, high: 100, step: 20}").values_in(CONFIG) is None, "50 is between two steps"
    assert parse("window: {low: 60, high: 80}").values_in(CONFIG) is None
    assert parse("model.layers: [[16, 16], [8]]").values_in(CONFIG) == {"model.layers": [16, 16]}


def test_a_hash_tells_spaces_apart_and_not_files() -> None:
    ours = parse("window: {low: 20, high: 80}")
    same = parse_space("# a remark\nwindow: {high: 80, low: 20}", source="other.yaml", config=CONFIG)
    assert ours.fingerprint() == same.fingerprint()
    assert ours.fingerprint() != parse("window: {low: 20, high: 81}").fingerprint()


def test_a_config_takes_values_of_a_trial() -> None:
    changed = config_with(CONFIG, {"window": 30, "model.layers": [8]})
    assert (changed.window, changed.model.layers) == (30, (8,))
    assert changed.model_copy(update={"window": CONFIG.window, "model": CONFIG.model}) == CONFIG


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("windw: {low: 20, high: 80}", "unknown key windw. Did you mean window?"),
        ("training.learning_rte: [1, 2]", "Did you mean training.learning_rate?"),
        ("model: [1, 2]", "model is a section: name one of its keys, such as model.cell"),
        ("window: {low: 80, high: 20}", "the range is empty: low 80 must be below high 20"),
        ("model.dropout: {low: 0.5, high: 0.5}", "the range is empty: low 0.5 must be below high 0.5"),
        ("window: {low: 20}", "the range has no high"),
        ("window: {low: 20, hihg: 80}", "unknown field hihg of a range; it has low, high, step, log"),
        ("window: {low: 20, high: 80, step: 25}", "do not reach high 80; the last value is 70"),
        ("window: {low: 20, high: 80, step: 0}", "step 0 must be above 0, and at most 60"),
        ("window: {low: 20, high: 80, step: 61}", "step 61 must be above 0, and at most 60"),
        ("window: {low: 20.5, high: 80}", "low = 20.5 must be a whole number"),
        ("window: {low: .nan, high: 80}", "low = nan must be a whole number"),
        ("window: {low: '20', high: 80}", "low = '20' must be a whole number"),
        ("model.dropout: {low: 0.0, high: 0.5, log: true}", "needs a low above 0"),
        ("model.dropout: {low: 0.1, high: 0.5, log: 1}", "log = 1 must be true or false"),
        ("model.cell: {low: 1, high: 2}", "takes no range of numbers: list its choices"),
        ("model.layers: {low: 1, high: 2}", "takes no range of numbers: list its choices"),
        ("window: 50", "a range, as {low: 1, high: 10}, or a list of choices is needed"),
        ("window: [50]", "1 of at least 2 choices"),
        ("window: [50, 60, 50]", "the choice 50 twice"),
        # against the schema
        ("window: {low: 0, high: 80}", "greater than or equal to 1"),
        ("model.dropout: {low: 0.0, high: 1.5}", "less than 1"),
        ("model.cell: [lstm, lstn]", "perhaps lstm"),
        ("model.layers: [[16], [0]]", "greater than or equal to 1"),
        ("training.optimizer: [adam, adm]", "adm"),
        # what may not be tuned
        ("data.start: [2001-01-01, 2005-01-01]", "must not be tuned: trials on other prices or other days"),
        ("data: [1, 2]", "must not be tuned"),
        ("split.test: [0.1, 0.2]", "must not be tuned: it decides which days are scored"),
        ("horizon: {low: 1, high: 50}", "must not be tuned: it decides what is scored"),
        ("target.column: [Close, High]", "must not be tuned: it decides what is scored"),
        ("name: [a, b]", "must not be tuned: it names the runs"),
        ("training.seed: {low: 0, high: 99}", "must not be tuned: the best seed on past days is the luckiest one"),
        ("tuned.trials: [1, 2]", "must not be tuned"),
        ("model.head: [student_t, quantile, direction]", "some heads forecast prices and others directions"),
    ],
)
def test_what_is_wrong_is_an_error_with_its_line(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(f"# what is tuned\ntraining.epochs: [3, 4]\n{text}\n")
    assert words in str(refused.value)
    assert str(refused.value).startswith("space.yaml, line 3: ")
    assert (refused.value.file, refused.value.line) == ("space.yaml", 3)
    assert refused.value.key == text.partition(":")[0]


def test_all_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        parse("windw: [1, 2]\nhorizon: [1, 2]\nmodel.dropout: {low: 1, high: 0}\n")
    assert [problem.line for problem in refused.value.problems] == [1, 2, 3]


def test_values_that_only_other_keys_make_valid_are_left_to_the_trials() -> None:
    assert parse("model.cell: [lstm, linear]").keys["model.cell"] == Choices(("lstm", "linear"))


def test_an_empty_space_and_a_file_that_is_not_there_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no keys to tune"):
        parse("{}")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_space(tmp_path / "none.yaml", CONFIG)
