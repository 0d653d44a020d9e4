import re
from datetime import date
from pathlib import Path

import pytest
from made import make_bars

from stockcast.config.bundled import bundled_configs, bundled_folder, find_config
from stockcast.config.errors import RENAMED
from stockcast.config.load import load_config, parse_config
from stockcast.config.schema import Config
from stockcast.data.csv.options import CsvOptions
from stockcast.data.features import FEATURES
from stockcast.data.known_days import KNOWN_DAYS
from stockcast.errors import ConfigError

SHIPPED = sorted((Path(__file__).parents[1] / "configs").rglob("*.yaml"))
FOLDER = Path("/no-such-folder/configs")

SMALLEST = "name: ge\ndata: {path: ge.csv}\n"
RECURSIVE = SMALLEST + "strategy: recursive\nfeatures: [log_return]\nmodel: {head: point}\n"


def config(text: str = "", *overrides: str) -> Config:
    """The smallest config and some more lines, of which the first is line 3."""
    return parse_config(SMALLEST + text, source="my.yaml", folder=FOLDER, overrides=overrides)


def error_of(text: str = "", *overrides: str) -> ConfigError:
    """The error of the smallest config with some more lines; without its first two, if they are given."""
    whole = text if text.startswith("name:") else SMALLEST + text
    with pytest.raises(ConfigError) as refused:
        parse_config(whole, source="my.yaml", folder=FOLDER, overrides=overrides)
    return refused.value


def refusal(text: str = "", *overrides: str) -> str:
    return str(error_of(text, *overrides))


def place(error: ConfigError) -> tuple[str | None, int | None, str | None]:
    return error.file, error.line, error.key


# --- What is read -----------------------------------------------------------------------------------------------------


def test_a_name_and_a_price_file_are_enough():
    smallest = config()

    assert smallest.name == "ge"
    assert smallest.data.path == (FOLDER / "ge.csv",)
    assert (smallest.window, smallest.horizon, smallest.model.layers) == (50, 50, (50, 100))
    assert (smallest.strategy, smallest.target.column, smallest.target.transform) == ("direct", "Close", "log_return")


def test_every_key_of_the_file_is_kept():
    text = """
features: [Close, Volume]
target: {column: Open, transform: price, adjusted: false}
split: {validation: 0.15, calibration: 0.05, test: 2015-01-02}
window: 20
horizon: 7
scaler: robust
model: {cell: lstm, layers: [8], dropout: 0, head: point}
training: {epochs: 3, batch_size: 16, learning_rate: 2e-3, optimizer: sgd, clip_norm: null, patience: 2, seed: 9}
"""
    read = config(text)

    assert read.features == ("Close", "Volume")
    assert (read.target.column, read.target.transform, read.target.adjusted) == ("Open", "price", False)
    assert (read.split.validation, read.split.calibration, read.split.test) == (0.15, 0.05, date(2015, 1, 2))
    assert (read.window, read.horizon, read.scaler) == (20, 7, "robust")
    assert (read.model.layers, read.model.dropout, read.model.head) == ((8,), 0.0, "point")
    assert (read.training.epochs, read.training.batch_size, read.training.learning_rate) == (3, 16, 0.002)
    assert (read.training.optimizer, read.training.clip_norm, read.training.patience) == ("sgd", None, 2)
    assert read.training.seed == 9


def test_a_linear_network_has_no_layers_unless_somebody_says_so():
    assert config("model: {cell: linear}\n").model.layers == ()
    assert config("model: {cell: linear, layers: []}\n").model.layers == ()
    assert config("", "model.cell=linear").model.layers == ()
    assert config("", "model.cell=gru").model.layers == (50, 100)


@pytest.mark.parametrize(
    ("model", "value", "word"),
    [("{cell: linear, layers: [50]}", [50], "leave it out"), ("{cell: gru, layers: []}", [], "model.cell linear")],
)
def test_layers_of_a_linear_network_are_refused_and_so_is_none_of_any_other(model, value, word):
    error = error_of(f"model: {model}\n")
    assert (*place(error), error.value) == ("my.yaml", 3, "model.layers", value)
    assert word in str(error)


def test_a_linear_network_comes_back_from_its_own_yaml():
    before = config("model: {cell: linear}\n")
    assert parse_config(before.to_yaml(), source="config.yaml", folder=FOLDER) == before


def test_gradients_are_bounded_by_their_norm_or_by_their_value():
    training = config().training
    assert (training.clip_norm, training.clip_value) == (1.0, None)
    training = config("training: {clip_value: 0.5}\n").training
    assert (training.clip_norm, training.clip_value) == (None, 0.5)
    training = config("training: {clip_norm: null}\n").training
    assert (training.clip_norm, training.clip_value) == (None, None)
    again = parse_config(config("training: {clip_value: 0.5}\n").to_yaml(), source="config.yaml", folder=FOLDER)
    assert (again.training.clip_norm, again.training.clip_value) == (None, 0.5)


def test_two_bounds_of_a_gradient_are_one_too_many():
    error = error_of("training: {clip_norm: 1.0, clip_value: 0.5}\n")
    assert (*place(error), error.value) == ("my.yaml", 3, "training.clip_norm", 1.0)
    assert "training.clip_value" in str(error)


def test_1e_minus_3_is_a_number():
    assert config("training: {learning_rate: 1e-3}\n").training.learning_rate == 0.001


def test_dates_may_stand_with_or_without_quotes():
    plain = parse_config("name: x\ndata: {path: a, start: 1999-01-04}\n", source="my.yaml", folder=FOLDER)
    quoted = parse_config("name: x\ndata: {path: a, start: '1999-01-04'}\n", source="my.yaml", folder=FOLDER)

    assert plain.data.start == quoted.data.start == date(1999, 1, 4)


def test_a_direct_network_answers_the_whole_horizon_at_once_and_a_recursive_one_a_day():
    assert config("horizon: 20\n").steps == 20
    assert parse_config(RECURSIVE, source="my.yaml", folder=FOLDER).steps == 1


def test_a_config_cannot_be_changed_after_it_is_read():
    with pytest.raises(ValueError, match="frozen"):
        config().window = 3


# --- Paths ------------------------------------------------------------------------------------------------------------


def test_paths_are_relative_to_the_file_they_stand_in(tmp_path, monkeypatch):
    (tmp_path / "configs").mkdir()
    path = tmp_path / "configs" / "my.yaml"
    path.write_text("name: x\ndata: {path: ../data/prices.csv}\n")
    monkeypatch.chdir("/")

    assert load_config(path).data.path == (tmp_path.resolve() / "data" / "prices.csv",)


def test_absolute_paths_stay_and_the_home_directory_is_known(monkeypatch):
    monkeypatch.setenv("HOME", "/no-such-home")

    assert config("", "data.path=/prices/ge.csv").data.path == (Path("/prices/ge.csv"),)
    assert config("", "data.path=~/ge.csv").data.path == (Path("/no-such-home/ge.csv"),)


def test_a_path_given_by_override_is_relative_to_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert config("", "data.path=mine.csv").data.path == (tmp_path.resolve() / "mine.csv",)


@pytest.mark.parametrize("address", ["https://example.com/ge.csv", "http://example.com/ge.csv", "s3://prices/ge.csv"])
def test_an_address_for_a_path_is_refused_with_the_advice_to_download(address):
    error = error_of(f"name: x\ndata: {{path: '{address}'}}\n")
    assert (*place(error), error.value) == ("my.yaml", 2, "data.path", address)
    override = error_of("", f"data.path={address}")
    assert (*place(override), override.value) == (None, None, "data.path", address)
    assert "Download it first" in str(error)
    assert "Download it first" in str(override)


# --- Strangers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "key", "meant"),
    [
        ("windw: 60", "windw", "window"),
        ("feature: [Close]", "feature", "features"),
        ("training: {epoch: 3}", "training.epoch", "training.epochs"),
        ("model: {dropuot: 0.1}", "model.dropuot", "model.dropout"),
        ("split: {tset: 0.1}", "split.tset", "split.test"),
    ],
)
def test_an_unknown_key_is_refused_with_its_line_and_the_nearest_known_one(line, key, meant):
    error = error_of(line)
    assert place(error) == ("my.yaml", 3, key)
    assert str(error).endswith(f"unknown key {key}. Did you mean {meant}?")


def test_a_key_like_no_other_is_refused_without_a_guess():
    assert refusal("zzzz: 1\n") == "my.yaml, line 3: unknown key zzzz."


def test_a_key_that_stands_twice_is_refused_with_both_lines():
    error = error_of("training:\n  epochs: 3\n  seed: 1\n  epochs: 4\n")
    assert place(error) == ("my.yaml", 6, "training.epochs")
    assert "line 4" in str(error)


def test_all_wrong_keys_are_problems_in_the_order_of_the_file_and_overrides_come_first():
    error = error_of("windw: 3\nwindow: 0\nhorizon: 0\n", "training.seed=-1")
    found = [(problem.file, problem.line, problem.key, problem.value) for problem in error.problems]

    assert found == [
        (None, None, "training.seed", -1),
        ("my.yaml", 3, "windw", 3),
        ("my.yaml", 4, "window", 0),
        ("my.yaml", 5, "horizon", 0),
    ]
    assert [problem.sentence for problem in error.problems] == str(error).splitlines()
    assert (*place(error), error.value) == found[0]


def test_an_error_that_is_one_problem_has_it_among_its_problems(tmp_path):
    with pytest.raises(ConfigError) as refused:
        load_config(tmp_path / "none.yaml")
    (problem,) = refused.value.problems
    assert (problem.file, problem.sentence) == (str(tmp_path / "none.yaml"), str(refused.value))


def test_a_rule_across_sections_names_the_first_of_its_keys_with_line_and_value():
    error = error_of("model: {head: histogram,\n  loss: mse}\n")
    assert (*place(error), error.value) == ("my.yaml", 4, "model.loss", "mse")


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_an_old_key_is_refused_with_its_new_name(old, new):
    *sections, key = old.split(".")
    text = "".join(f"{section}:\n  " for section in sections) + f"{key}: 1\n"

    for error, where in [(error_of(text), ("my.yaml", 3 + len(sections))), (error_of("", f"{old}=1"), (None, None))]:
        assert (*place(error), error.value) == (*where, old, 1)
        assert str(error).endswith(f"key {old} is now {new}.")
        assert len(error.problems) == 1
    known = Config.model_json_schema()
    for part in new.split("."):
        known = known["properties"][part]
        known = Config.model_json_schema()["$defs"][known["$ref"].rpartition("/")[2]] if "$ref" in known else known


def test_an_old_section_is_refused_as_a_whole_and_by_any_of_its_keys():
    from_file, from_override = error_of("beside: {layers: [32]}\n"), error_of("", "beside.layers=[32]")
    assert (place(from_file), place(from_override)) == (("my.yaml", 3, "beside"), (None, None, "beside"))
    assert from_file.value == from_override.value == {"layers": [32]}
    assert "ensemble.mlp" in str(from_file)
    assert "ensemble.mlp" in str(from_override)


@pytest.mark.parametrize(("text", "key"), [("name: x\n", "data"), ("data: {path: a}\n", "name")])
def test_a_missing_key_is_named(text, key):
    with pytest.raises(ConfigError, match="missing") as refused:
        parse_config(text, source="my.yaml", folder=FOLDER)
    assert (*place(refused.value), refused.value.value) == ("my.yaml", None, key, None)


def test_a_missing_price_file_is_named_by_its_key_and_meaning():
    error = error_of("name: x\ndata: {}\n")
    assert place(error) == ("my.yaml", None, "data.path")
    assert "Price file" in str(error)


# --- Types and bounds -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "key", "said"),
    [
        ("window: fifty", "window = 'fifty'", "integer"),
        ("window: '50'", "window = '50'", "integer"),
        ("window: 50.5", "window = 50.5", "integer"),
        ("window: true", "window = True", "integer"),
        ("window: null", "window = None", "integer"),
        ("window: [50]", "window = [50]", "integer"),
        ("training: {epochs: 1e2}", "training.epochs = 100.0", "integer"),
        ("training: {learning_rate: fast}", "training.learning_rate = 'fast'", "number"),
        ("target: {adjusted: 1}", "target.adjusted = 1", "boolean"),
        ("features: log_return", "features = 'log_return'", "array"),
        ("model: {layers: 50}", "model.layers = 50", "array"),
        ("model: {layers: [50, x]}", "model.layers.1 = 'x'", "integer"),
        ("training: 3", "training = 3", "object"),
        ("split: {test: banana}", "split.test = 'banana'", "first day"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_its_line_key_value_and_the_right_type(line, key, said):
    message = refusal(line)

    assert message.startswith(f"my.yaml, line 3: {key}: ")
    assert said in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "key", "bound"),
    [
        ("window: 0", "window = 0", "greater than or equal to 1"),
        ("window: -1", "window = -1", "greater than or equal to 1"),
        ("window: 1001", "window = 1001", "less than or equal to 1000"),
        ("horizon: 0", "horizon = 0", "greater than or equal to 1"),
        ("horizon: 251", "horizon = 251", "less than or equal to 250"),
        ("training: {epochs: 0}", "training.epochs = 0", "greater than or equal to 1"),
        ("training: {batch_size: 0}", "training.batch_size = 0", "greater than or equal to 1"),
        ("training: {learning_rate: 0}", "training.learning_rate = 0", "greater than 0"),
        ("training: {learning_rate: 11}", "training.learning_rate = 11", "less than or equal to 10"),
        ("training: {clip_norm: 0}", "training.clip_norm = 0", "greater than 0"),
        ("training: {patience: 0}", "training.patience = 0", "greater than or equal to 1"),
        ("training: {seed: -1}", "training.seed = -1", "greater than or equal to 0"),
        ("training: {seed: 99999999999999999999}", "training.seed = 99999999999999999999", "less than"),
        ("model: {dropout: 1}", "model.dropout = 1", "less than 1"),
        ("model: {dropout: -0.1}", "model.dropout = -0.1", "greater than or equal to 0"),
        ("model: {layers: [0]}", "model.layers.0 = 0", "greater than or equal to 1"),
        ("model: {layers: [2000000000]}", "model.layers.0 = 2000000000", "less than or equal to 2048"),
        ("model: {layers: []}", "model.layers = []", "at least 1"),
        ("model: {layers: [1, 1, 1, 1, 1, 1, 1, 1, 1]}", "model.layers = [1, ", "at most 8"),
        ("features: []", "features = []", "at least 1"),
        ("split: {test: 0}", "split.test = 0", "greater than 0"),
        ("split: {test: 1.0}", "split.test = 1.0", "less than 1"),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_the_bound(line, key, bound):
    message = refusal(line)

    assert message.startswith(f"my.yaml, line 3: {key}")
    assert bound in message


def test_the_bounds_themselves_are_allowed():
    edges = config(
        "window: 1000\nhorizon: 250\nmodel: {layers: [1, 2048], dropout: 0.99}\n"
        "training: {epochs: 1, batch_size: 1, learning_rate: 10, patience: 1, seed: 2147483647}\n"
    )

    assert (edges.window, edges.horizon, edges.model.layers) == (1000, 250, (1, 2048))


@pytest.mark.parametrize("key", ["training: {learning_rate", "training: {clip_norm", "model: {dropout", "split: {test"])
@pytest.mark.parametrize("number", [".nan", ".inf", "-.inf", "1e999"])
def test_no_number_may_be_infinite_or_none_at_all(key, number):
    assert "finite number" in refusal(f"{key}: {number}}}\n")


@pytest.mark.parametrize(
    ("line", "key", "choices"),
    [
        ("strategy: recursiv", "strategy = 'recursiv'", ["direct", "recursive"]),
        ("scaler: minmx", "scaler = 'minmx'", ["standard", "minmax", "robust", "none"]),
        ("target: {column: close}", "target.column = 'close'", ["Open", "High", "Low", "Close", "Adj Close"]),
        ("target: {transform: log}", "target.transform = 'log'", ["log_return", "price"]),
        ("model: {cell: lstn}", "model.cell = 'lstn'", ["lstm"]),
        ("model: {head: student}", "model.head = 'student'", ["student_t", "point"]),
        ("training: {optimizer: Adam}", "training.optimizer = 'Adam'", ["adam", "rmsprop", "sgd"]),
        ("features: [log_retrun]", "features.0 = 'log_retrun'", [*FEATURES, "perhaps log_return"]),
    ],
)
def test_a_value_that_is_none_of_the_choices_is_refused_with_all_of_them(line, key, choices):
    message = refusal(line)

    assert message.startswith(f"my.yaml, line 3: {key}: ")
    assert [choice for choice in choices if choice not in message] == []


@pytest.mark.parametrize("written", ["NO", "ON", "000660", "1e3", "12"])
def test_a_ticker_that_yaml_takes_for_something_else_is_told_to_be_quoted(written):
    error = error_of(f"name: {written}\ndata: {{path: a}}\n")
    assert place(error) == ("my.yaml", 1, "name")
    assert "quotes" in str(error)

    quoted = parse_config(f"name: '{written}'\ndata: {{path: a}}\n", source="my.yaml", folder=FOLDER)
    assert quoted.name == written


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a/b", ".", "..", ".hidden", "-x", "a b", "a\\0b", "a\\n", "", "x" * 65]
)
def test_a_name_that_is_no_plain_file_name_is_refused(name):
    error = error_of(f'name: "{name}"\ndata: {{path: a}}\n')
    assert place(error) == ("my.yaml", 1, "name")
    assert "letters, digits" in str(error)


def test_a_config_that_would_run_something_is_refused(tmp_path):
    made = tmp_path / "made"

    assert "line 3" in refusal(f"window: !!python/object/apply:os.mkdir ['{made}']\n")
    assert not made.exists()


def test_a_config_nested_3000_deep_is_refused():
    assert "nested deeper than 20 levels" in refusal("training: " + "[" * 3000 + "]" * 3000)


# --- What must fit together -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "split",
    [
        "{validation: 0.5, calibration: 0.3, test: 0.2}",
        "{validation: 0.5, calibration: 0.5, test: 0.5}",
        "{test: 0.8}",
        "{validation: 0.5, calibration: 0.5, test: 2015-01-02}",
    ],
)
def test_shares_that_leave_no_day_for_training_are_refused(split):
    message = refusal(f"split: {split}\n")

    assert message.startswith("my.yaml, line 3: split: ")
    assert "no day for training" in message


def test_shares_just_below_one_are_allowed():
    assert config("split: {validation: 0.3, calibration: 0.3, test: 0.3}\n").split.test == 0.3


POINT = "\nmodel: {head: point}\n"
PRICES = "\nstrategy: recursive\nfeatures: [Open, Close, Adj Close]" + POINT


def test_several_prices_are_forecast_together_and_the_close_is_the_one_that_is_judged():
    target = config("target: {columns: [Low, Close]}" + POINT).target

    assert (target.names, target.column) == (("Low", "Close"), "Close")
    assert config("target: {column: Low}").target.names == ("Low",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("target: {column: Close, columns: [Open, Close]}" + POINT, ["line 3", "both set", "leave column out"]),
        ("target: {columns: [Open, High]}" + POINT, ["line 3", "[Open, High]", "include Close"]),
        ("target: {columns: [Close]}" + POINT, ["line 3", "two or more", "set target.column"]),
        ("target: {columns: []}" + POINT, ["line 3", "two or more"]),
        ("target: {columns: [Close, Open, Close]}" + POINT, ["line 3", "each once"]),
        ("target: {columns: [Close, Volume]}" + POINT, ["line 3", "target.columns.1 = 'Volume'", "'Adj Close'"]),
        ("target: {columns: [Close, Adj Close]}" + POINT, ["leave Adj Close out", "target.adjusted to false"]),
        ("target: {columns: [Open, Close]}", ["model.head student_t", "model.head to point", "target.column "]),
        ("target: {columns: [Open, Close]}\nmodel: {head: quantile}", ["model.head quantile forecasts one price"]),
        ("target: {columns: [Open, Close]}\nmodel: {head: direction}", ["the direction of one", "set model.head"]),
        ("target: {columns: [Open, Close]}\nmodel: {head: point, loss: msle}", ["it needs target.transform price"]),
        ("target: {columns: [Open, Close]}\ncalibration: none" + POINT, ["calibration must be conformal"]),
        ("target: {columns: [Open, Close]}" + PRICES, ["target.transform to price", "strategy to direct"]),
        ("target: {columns: [High, Close], transform: price}" + PRICES, ["none of Open:", "to target.columns"]),
        (
            "target: {columns: [Open, Close], transform: price, adjusted: false}" + PRICES,
            ["none of Adj Close:", "to target.columns"],
        ),
    ],
)
def test_several_prices_that_make_no_sense_are_refused_with_what_would_fit(text, words):
    message = refusal(text)

    assert [word for word in words if word not in message] == []


def test_a_recursive_network_is_fed_with_the_columns_that_it_forecasts_and_an_adj_close_that_is_the_close():
    target = config("target: {columns: [Open, Close], transform: price}" + PRICES).target

    assert [target.source(name) for name in ("Open", "Close", "Adj Close", "High")] == ["Open", "Close", "Close", None]


def test_a_recursive_network_takes_back_the_price_or_the_return_that_it_forecasts():
    returns = parse_config(RECURSIVE, source="my.yaml", folder=FOLDER)
    prices = parse_config(
        RECURSIVE.replace("[log_return]", "[Open]") + "target: {column: Open, transform: price}\n",
        source="my.yaml",
        folder=FOLDER,
    )

    assert (returns.features, prices.features) == (("log_return",), ("Open",))


@pytest.mark.parametrize(
    ("features", "target", "needed"),
    [
        ("[Close]", "{transform: log_return}", "[log_return]"),
        ("[log_return, log_range]", "{transform: log_return}", "[log_return]"),
        ("[log_return]", "{transform: price}", "[Close]"),
        ("[Close]", "{transform: price, column: Open}", "[Open]"),
        ("[Close, Open]", "{transform: price}", "[Close]"),
    ],
)
def test_a_recursive_network_with_other_inputs_is_refused_with_the_one_it_needs(features, target, needed):
    message = refusal(f"strategy: recursive\nmodel: {{head: point}}\nfeatures: {features}\ntarget: {target}\n")

    assert f"features must be {needed}" in message


@pytest.mark.parametrize("head", ["student_t", "skewed_t", "histogram", "direction", "quantile"])
def test_a_head_that_says_no_single_number_cannot_be_recursive(head):
    message = refusal(f"strategy: recursive\nfeatures: [log_return]\nmodel: {{head: {head}}}\n")

    assert f"model.head {head} " in message
    assert "it needs strategy direct; for strategy recursive use model.head point" in message


@pytest.mark.parametrize("head", ["student_t", "skewed_t", "histogram", "direction"])
def test_a_head_in_units_of_returns_cannot_answer_prices(head):
    message = refusal(f"target: {{transform: price}}\nmodel: {{head: {head}}}\n")

    assert f"model.head {head} " in message
    assert "it needs target.transform log_return; for prices use model.head point or quantile" in message


def test_points_and_quantiles_can_answer_prices():
    for head in ("point", "quantile"):
        assert config(f"target: {{transform: price}}\nmodel: {{head: {head}}}\n").model.head == head


FITTING = [
    ("point", ("mse", "mae", "huber")),
    ("quantile", ("pinball",)),
    ("student_t", ("nll",)),
    ("skewed_t", ("nll",)),
    ("direction", ("binary_crossentropy",)),
    ("histogram", ("categorical_crossentropy", "kl_divergence")),
]
EVERY_LOSS = sorted({"msle", *(loss for _, losses in FITTING for loss in losses)})


@pytest.mark.parametrize(("head", "losses"), FITTING)
def test_a_head_takes_its_own_losses_and_refuses_all_others_with_its_own(head, losses):
    for loss in EVERY_LOSS:
        text = f"model: {{head: {head}, loss: {loss}}}\n"
        if loss in losses:
            assert config(text).model.loss == loss
        else:
            message = refusal(text)
            assert f"model.loss {loss}" in message
            assert any(own in message for own in losses)


def test_three_classes_have_the_categorical_loss_and_two_the_binary_one():
    three = "model: {head: direction, classes: 3, loss: categorical_crossentropy}\n"
    assert config(three).model.classes == 3
    assert "which is binary_crossentropy" in refusal(three.replace("3", "2"))
    assert "which is categorical_crossentropy" in refusal(three.replace("categorical", "binary"))


def test_msle_takes_prices_that_no_scaler_puts_below_zero():
    text = "model: {head: point, loss: msle}\ntarget: {transform: price}\n"
    for scaler in ("minmax", "none"):
        assert config(f"{text}scaler: {scaler}\n").model.loss == "msle"
    for scaler in ("standard", "robust"):
        assert "use scaler minmax or none" in refusal(f"{text}scaler: {scaler}\n")
    message = refusal("model: {head: point, loss: msle}\nscaler: minmax\n")
    assert "needs target.transform price; for log returns use mse, mae or huber" in message


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("{head: point, classes: 2}", "model.head point does not forecast: it needs model.head direction"),
        ("{head: direction, threshold: 0.5}", "it needs model.head direction with model.classes 3"),
        ("{head: direction, classes: 2, threshold: 0.5}", "two classes have no flat"),
        ("{head: student_t, threshold: 0.5}", "it needs model.head direction with model.classes 3"),
        ("{head: direction, classes: 4}", "2 or 3"),
        ("{head: direction, classes: 3, threshold: 0}", "greater than 0"),
        ("{head: point, loss: mze}", "perhaps mse"),
    ],
)
def test_keys_of_the_direction_that_mean_nothing_are_refused(model, said):
    assert said in refusal(f"model: {model}\n")


def test_a_direction_has_no_bands_so_calibration_need_not_be_said_and_must_not_be_otherwise():
    assert config("model: {head: direction}\n").calibration == "none"
    assert config("", "model.head=direction").calibration == "none"
    assert config("model: {head: student_t}\n").calibration == "adaptive"
    for calibration in ("adaptive", "conformal"):
        assert "leave the key calibration out" in refusal(f"model: {{head: direction}}\ncalibration: {calibration}\n")


@pytest.mark.parametrize("other", ["strategy: recursive\nfeatures: [log_return]\n", "target: {transform: price}\n"])
def test_a_student_t_head_answers_log_returns_all_days_at_once_only(other):
    message = refusal(other + "model: {head: student_t}\n")

    assert "model.head student_t" in message
    assert "model.head point" in message


# --- Overrides --------------------------------------------------------------------------------------------------------


def test_an_override_sets_a_key_of_a_section_that_the_file_has_and_leaves_its_others():
    overridden = config("training: {epochs: 9, seed: 4}\n", "training.epochs=3")

    assert (overridden.training.epochs, overridden.training.seed) == (3, 4)


@pytest.mark.parametrize(
    ("text", "override", "said"),
    [
        ("model: {head: histogram}\n", "model.loss=mse", "x.yaml, with --set model.loss=mse: model.loss mse does not"),
        ("model: {layers: [32]}\n", "model.cell=linear", "x.yaml, line 3, with --set model.cell=linear: model.layers"),
        ("", "model.layers=[2048, 2048, 2048]", "x.yaml, with --set model.layers=[2048, 2048, 2048]: model.cell lstm"),
        # What is wrong with the file alone, or with the override alone, is not said of both.
        ("window: 0\n", "horizon=3", "x.yaml, line 3: window = 0"),
        (
            "model: {head: point}\ncalibration: none\n",
            "horizon=3",
            "x.yaml, line 3: model.head point forecasts one number",
        ),
        ("", "window=0", "--set: window = 0"),
    ],
)
def test_a_file_is_not_blamed_for_what_an_override_makes_of_it(text, override, said):
    with pytest.raises(ConfigError) as refused:
        parse_config(SMALLEST + text, source="x.yaml", folder=Path("/"), overrides=[override])
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (
            "direction",
            "one of binary_crossentropy, categorical_crossentropy, which train model.head direction.",
        ),
        ("student_t", "nll, which trains model.head student_t."),
        ("nonsense", "one of binary_crossentropy, categorical_crossentropy, huber, kl_divergence, mae, mse, "),
    ],
)
def test_a_word_that_is_no_loss_gets_the_losses_of_the_head_alone(head, said):
    with pytest.raises(ConfigError) as refused:
        config(f"model: {{head: {head}, loss: crps}}\n")
    assert f"model.loss = 'crps': must be {said}" in str(refused.value)
    assert "perhaps binary_crossentropy" in refusal("model: {head: direction, loss: binary_crosentropy}\n")


def test_an_override_sets_a_key_of_a_section_that_the_file_lacks():
    assert config("", "training.epochs=3").training.epochs == 3


def test_the_last_override_wins():
    assert config("window: 10\n", "window=20", "window=30").window == 30


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("training.learning_rate=1e-3", lambda read: read.training.learning_rate == 0.001),
        ("training.clip_norm=null", lambda read: read.training.clip_norm is None),
        ("model.layers=[8, 16]", lambda read: read.model.layers == (8, 16)),
        ("features=[Close]", lambda read: read.features == ("Close",)),
        ("split.test=2015-01-02", lambda read: read.split.test == date(2015, 1, 2)),
        ("training={epochs: 3}", lambda read: read.training.epochs == 3),
        ("name='NO'", lambda read: read.name == "NO"),
        (" window = 7 ", lambda read: read.window == 7),
    ],
)
def test_the_value_of_an_override_is_yaml(override, value):
    assert value(config("", override))


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("training.epochs=three", "training.epochs = 'three'"),
        ("training.epochs=0", "greater than or equal to 1"),
        ("training.learning_rate=.nan", "finite number"),
        ("window=2.5", "integer"),
        ("name=NO", "quotes"),
        ("data.start=2018-02-30", "data.start"),
        ("training.epochs=[3", "training.epochs"),
        ("training={epochs: 3, epochs: 4}", "duplicate"),
        ("window=!!python/name:os.system", "python/name"),
    ],
)
def test_an_override_is_checked_like_the_file(override, said):
    assert said in refusal("", override)


def test_an_override_of_an_unknown_key_is_refused_with_the_nearest_known_one():
    assert "unknown key training.epoch. Did you mean training.epochs?" in refusal("", "training.epoch=3")
    assert "unknown key windw. Did you mean window?" in refusal("", "windw=3")


def test_an_override_that_is_wrong_is_not_blamed_on_a_line_of_the_file():
    error = error_of("window: 10\n", "window=0")
    assert (*place(error), error.value) == (None, None, "window", 0)
    assert str(error).startswith("--set: ")


@pytest.mark.parametrize(
    ("text", "key", "value", "file"),
    [
        ("", "training.epochs", "x", None),
        ("", "training.epoch", 3, None),
        ("", "training.", 3, None),
        ("window: 3\n", "window.days", 3, None),
        ("", "data.path", "https://example.com/ge.csv", None),
        ("", "name", True, None),
        ("model: {head: histogram}\n", "model.loss", "mse", "my.yaml"),
    ],
)
def test_a_value_from_python_is_named_by_its_key_and_not_as_an_option(text, key, value, file):
    with pytest.raises(ConfigError, match=re.escape(key)) as refused:
        parse_config(SMALLEST + text, source="my.yaml", folder=FOLDER, overrides={key: value})
    assert (*place(refused.value), refused.value.value) == (file, None, key, value)
    assert "--set" not in str(refused.value)


@pytest.mark.parametrize("override", ["window", "=3", "training.=3", ".epochs=3", "training..epochs=3", ""])
def test_an_override_that_is_no_key_and_value_is_refused_with_an_example(override):
    error = error_of("", override)
    key, equals, value = override.partition("=")
    assert (*place(error), error.value) == (None, None, key if equals else None, int(value) if equals else override)
    assert "KEY=VALUE" in str(error)


def test_an_override_below_a_plain_value_is_refused():
    error = error_of("window: 10\n", "window.days=3")
    assert (*place(error), error.value) == (None, None, "window.days", 3)


# --- Out again --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "split: {validation: 2013-01-02, calibration: 2014-01-02, test: 2015-01-02}\n",
        "training: {learning_rate: 1e-5, clip_norm: null}\nmodel: {layers: [1, 2, 3]}\nwindow: 3\n",
        "strategy: recursive\nfeatures: [Open]\ntarget: {column: Open, transform: price}\nmodel: {head: point}\n",
        "target: {columns: [Open, Close]}\nmodel: {head: point}\n",
    ],
)
def test_a_config_comes_back_from_its_own_yaml(lines):
    before = config(lines)

    assert parse_config(before.to_yaml(), source="config.yaml", folder=Path("/elsewhere")) == before


@pytest.mark.parametrize("path", ["a: b.csv", "été.csv", "a 'b' \"c\".csv", "#1.csv", "{x}.csv", "1e3", "NO", "-x.csv"])
def test_a_price_file_of_any_name_comes_back_from_its_configs_own_yaml(tmp_path, path):
    text = f"name: x\ndata:\n  path: '{path.replace(chr(39), chr(39) * 2)}'\n"
    before = parse_config(text, source="my.yaml", folder=tmp_path.resolve())

    assert before.data.path == (tmp_path.resolve() / path,)
    assert parse_config(before.to_yaml(), source="config.yaml", folder=Path("/elsewhere")) == before


@pytest.mark.parametrize("name", ["NO", "000660", "null", "1_000", "0x1f", "2018-01-01", "1.5", "true"])
def test_a_name_that_yaml_takes_for_something_else_comes_back_from_its_own_yaml(name):
    before = parse_config(f"name: '{name}'\ndata: {{path: a}}\n", source="my.yaml", folder=FOLDER)

    assert parse_config(before.to_yaml(), source="config.yaml", folder=FOLDER).name == name


# --- What ships -------------------------------------------------------------------------------------------------------


def test_some_configs_ship():
    assert {"sp500", "sp500-lab", "ge", "quick"} <= {path.stem for path in SHIPPED}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_config_loads_finds_its_data_and_comes_back_from_its_own_yaml(path):
    shipped = load_config(path)

    assert shipped.name == path.stem
    assert all(path.exists() for path in shipped.data.path)
    assert parse_config(shipped.to_yaml(), source="config.yaml", folder=Path("/elsewhere")) == shipped


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_config_names_the_schema_for_editors(path):
    assert path.read_text().startswith("# yaml-language-server: $schema=")


def test_the_classroom_lab_takes_50_closes_and_feeds_the_51st_back():
    lab = load_config(find_config("sp500-lab"))

    assert (lab.features, lab.window, lab.steps, lab.horizon) == (("Close",), 50, 1, 50)
    assert (lab.strategy, lab.target.transform, lab.model.head) == ("recursive", "price", "point")


def test_without_a_config_the_sp500_is_meant():
    assert find_config(None) == find_config("sp500") == bundled_folder() / "configs" / "sp500.yaml"


def test_a_lesson_is_found_by_its_name_and_listed_among_those_that_ship():
    assert find_config("lessons/direction") == bundled_folder() / "configs" / "lessons" / "direction.yaml"
    assert {"sp500", "lessons/direction", "lessons/histogram"} <= set(bundled_configs())


def test_a_lesson_tells_in_three_lines_what_to_look_for():
    for path in SHIPPED:
        if path.parent.name == "lessons":
            lines = path.read_text().splitlines()
            assert lines[0] == "# yaml-language-server: $schema=../schema.json"
            assert [line.startswith("# ") for line in lines[1:5]] == [True, True, True, False]


def test_a_config_of_ones_own_is_found_by_its_path(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(SMALLEST)

    assert find_config(str(path)) == path


def test_a_config_that_is_neither_a_file_nor_shipped_is_refused_with_those_that_are(tmp_path):
    with pytest.raises(ConfigError) as refused:
        find_config("sp501")
    assert refused.value.file == "sp501"
    assert ", ".join(bundled_configs()) in str(refused.value)
    with pytest.raises(ConfigError, match="folder") as refused:
        find_config(str(tmp_path))
    assert refused.value.file == str(tmp_path)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gru", "lessons/gru"),
        ("gru.yaml", "lessons/gru"),
        ("lessons/vanishing-gradients", "lessons/vanishing-gradient"),
        ("lesson/ohlc", "lessons/ohlc"),
        ("sp501", "sp500"),
    ],
)
def test_a_name_with_a_slip_in_it_gets_the_shipped_config_that_was_meant(typed, meant):
    with pytest.raises(ConfigError, match=f"Did you mean {meant}[?]"):
        find_config(typed)


def test_a_name_like_none_that_ships_gets_no_guess():
    with pytest.raises(ConfigError) as refused:
        find_config("nowhere.yaml")
    assert "Did you mean" not in str(refused.value)


def test_the_json_schema_describes_every_key_and_refuses_strangers():
    schema = Config.model_json_schema()
    sections = [schema, *schema["$defs"].values()]
    undescribed = []
    for section in sections:
        assert section["additionalProperties"] is False
        for key, value in section["properties"].items():
            described = schema["$defs"][value["$ref"].split("/")[-1]] if "$ref" in value else value
            if len(described.get("description", "")) < 10:
                undescribed.append(key)

    assert len(sections) == 10
    assert undescribed == []


def test_the_json_schema_offers_the_features_that_there_are():
    offered, own = Config.model_json_schema()["properties"]["features"]["items"]["anyOf"]

    assert offered["enum"] == [*FEATURES, *KNOWN_DAYS]
    assert re.match(own["pattern"], "own:VIX")


@pytest.mark.parametrize("ticker", ["ON", "NO", "000660", "1e3"])
def test_a_ticker_that_yaml_takes_for_something_else_must_be_quoted(ticker):
    error = error_of(f"name: x\ndata: {{path: a.csv, ticker: {ticker}}}\n")
    assert place(error) == ("my.yaml", 2, "data.ticker")
    assert "quotes" in str(error)
    assert parse_config(
        f"name: x\ndata: {{path: a.csv, ticker: '{ticker}'}}\n", source="my.yaml", folder=FOLDER
    ).data.ticker == (ticker,)


@pytest.mark.parametrize("encoding", ["utf-99", "base64", "zip"])
def test_an_encoding_that_makes_no_text_is_refused(encoding):
    error = error_of(f"name: x\ndata: {{path: a.csv, encoding: {encoding}}}\n")
    assert (*place(error), error.value) == ("my.yaml", 2, "data.encoding", encoding)


@pytest.mark.parametrize(
    ("override", "read"),
    [
        ("data.separator=;", CsvOptions(separator=";")),
        ("data.separator=|", CsvOptions(separator="|")),
        ("data.separator=tab", CsvOptions(separator="\t")),
        ("data.separator=\t", CsvOptions(separator="\t")),
        ("data.separator=,", CsvOptions()),
        ("data.decimal=,", CsvOptions(decimal=",")),
        ("data.decimal=.", CsvOptions(decimal=".")),
        ("data.date_format=%d/%m/%Y", CsvOptions(date_format="%d/%m/%Y")),
        ("data.date_format=%b %d, %Y", CsvOptions(date_format="%b %d, %Y")),
        ('data.ticker="000660"', CsvOptions(tickers=("000660",))),
    ],
)
def test_a_key_of_reading_is_set_by_what_a_user_types(override, read):
    assert config("", override).data.csv_options == read


@pytest.mark.parametrize("line", ["separator: ' '", "separator: ab", "decimal: ';'", "ticker: ''"])
def test_a_key_of_reading_that_cannot_be_is_refused_by_its_line(line):
    error = error_of(f"name: x\ndata:\n  path: a.csv\n  {line}\n")
    assert place(error) == ("my.yaml", 4, f"data.{line.partition(':')[0]}")


# Columns of one's own.

OWN = 'name: x\ndata: {path: a.csv}\nfeatures: [log_return, "own:VIX", "own:Put Call"]\n'


def parse(text: str) -> Config:
    return parse_config(text, source="my.yaml", folder=FOLDER)


def own_settings(text: str) -> list[tuple[str, str, int]]:
    return [(each.name, each.transform, each.carry) for each in parse(text).own_columns]


def test_an_own_column_has_the_safe_defaults_unless_its_settings_are_stated():
    assert own_settings(OWN) == [("VIX", "zscore_250", 5), ("Put Call", "zscore_250", 5)]
    stated = OWN + "covariates:\n  vix: {transform: log_change}\n  put_call: {carry: 0}\n"
    assert own_settings(stated) == [("VIX", "log_change", 5), ("Put Call", "zscore_250", 0)]
    assert parse(stated).csv_options.own == parse(stated).own_columns


def test_a_config_with_own_columns_comes_back_from_its_own_yaml():
    config = parse(OWN.replace("path: a.csv", "path: a.csv, covariates: b.csv") + "covariates: {VIX: {carry: 1}}\n")
    assert parse(config.to_yaml()) == config
    assert config.data.covariates is not None
    assert config.data.covariates.is_absolute()


@pytest.mark.parametrize(
    ("lines", "line", "key"),
    [
        ("covariates:\n  VIX: {transform: root}\n", 5, "covariates.VIX.transform"),
        ("covariates:\n  VIX:\n    carry: 251\n", 6, "covariates.VIX.carry"),
        ("covariates:\n  VIX: {carry: -1}\n", 5, "covariates.VIX.carry"),
        ("covariates:\n  VIX: {cary: 1}\n", 5, "covariates.VIX.cary"),
        ("covariates:\n  VIX: level\n", 5, "covariates.VIX"),
        ("covariates: [VIX]\n", 4, "covariates"),
        ("covariates:\n  Rate of Fed: {carry: 1}\n", 5, "covariates.Rate of Fed"),
        ("covariates:\n  VIX: {carry: 1}\n  vix: {carry: 2}\n", 6, "covariates.vix"),
    ],
)
def test_settings_that_fit_no_own_column_are_refused_by_line_and_key(lines, line, key):
    assert place(error_of(OWN + lines)) == ("my.yaml", line, key)


@pytest.mark.parametrize("name", ["own:", "own: ", "own:$a$", f"own:{'x' * 65}", '"own:a\\nb"', "VIX", "own"])
def test_a_feature_that_names_no_column_is_refused_by_its_place(name):
    name = name if name.startswith('"') else f'"{name}"'
    error = error_of(f"name: x\ndata: {{path: a.csv}}\nfeatures: [log_return, {name}]\n")
    assert place(error) == ("my.yaml", 3, "features.1")
    assert "own:NAME" in str(error)


def test_two_names_of_one_own_column_are_refused():
    error = error_of(OWN.replace("own:Put Call", "own:v ix"))
    assert place(error) == ("my.yaml", 3, "features")


@pytest.mark.parametrize("value", ["b.csv", "http://b.csv", "'-'", "3", "[b.csv]"])
def test_a_file_of_covariates_that_nothing_reads_or_that_is_no_file_is_refused(value):
    features = 'features: ["own:VIX"]\n' if value != "b.csv" else ""
    error = error_of(f"name: x\ndata: {{path: a.csv, covariates: {value}}}\n{features}")
    assert place(error) == ("my.yaml", 2, "data.covariates")


def test_own_columns_cannot_be_fed_back():
    error = error_of(OWN + "strategy: recursive\nmodel: {head: point}\n")
    assert error.key in ("strategy", "features")


def test_a_price_file_with_covariates_and_own_features_gets_a_config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_bars(300).assign(VIX=range(300)).to_csv(tmp_path / "a.csv", index=False)
    overrides = {"data.covariates": "b.csv", "features": ["return_in_volatility", "own:VIX"]}
    config = load_config("a.csv", overrides)
    assert config.data.covariates == tmp_path / "b.csv"
    assert [column.name for column in config.own_columns] == ["VIX"]


EVERY_DAY = "training: {targets: every_day}\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("training: {sequence_length: 100}", ["no effect with training.targets last_day", "leave it out"]),
        (
            EVERY_DAY + "model: {cell: bidirectional_lstm}",
            ["bidirectional_lstm sees later days", "targets to last_day", "or model.cell to", "lstm", "conv"],
        ),
        (EVERY_DAY + "model: {cell: linear}", ["model.cell linear sees a whole window", "targets to last_day"]),
        (EVERY_DAY + PRICES.replace("\n", "\n", 1), ["needs strategy direct", "targets to last_day"]),
        ("window: 50\ntraining: {targets: every_day, sequence_length: 50}", ["50 must be more than window 50", "200"]),
    ],
)
def test_sequences_that_no_network_can_take_are_refused_with_what_can(text, words):
    message = refusal(text)

    assert [word for word in words if word not in message] == []


def test_sequences_are_four_windows_long_unless_their_length_is_set():
    assert config("window: 30").sequence_length is None
    assert config(EVERY_DAY + "window: 30").sequence_length == 120
    assert config("window: 30\ntraining: {targets: every_day, sequence_length: 31}").sequence_length == 31


@pytest.mark.parametrize(
    ("validation", "words"),
    [
        ("[[2001-01-01, 2000-01-01]]", ["in the order of time"]),
        ("[[2001-01-01, 2003-01-01], [2002-01-01, 2004-01-01]]", ["none overlapping"]),
        ("[[2001-01-01]]", ["split.validation"]),
        ("[]", ["split.validation"]),
        ("[[2001-01-01, 2015-01-01]]", ["up to 2015-01-01", "split.calibration begins on 2015-01-01", "before it"]),
    ],
)
def test_blocks_of_validation_that_are_none_are_refused(validation, words):
    message = refusal(f"split: {{validation: {validation}, calibration: 2015-01-01, test: 2016-01-01}}")

    assert [word for word in words if word not in message] == []


def test_blocks_of_validation_are_stored_as_they_were_given():
    text = "split: {validation: [[2001-01-01, 2002-12-31], [2008-07-01, 2009-06-30]], calibration: 0.1, test: 0.2}"
    stored = parse_config(config(text).to_yaml(), source="my.yaml", folder=FOLDER)

    assert (
        stored.blocks
        == config(text).blocks
        == (
            (date(2001, 1, 1), date(2002, 12, 31)),
            (date(2008, 7, 1), date(2009, 6, 30)),
        )
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("target: {column: Open, scale: volatility}", ["data.may_lack has Open, which is forecast"]),
        ("", ["need target.scale volatility"]),
    ],
)
def test_columns_that_a_file_may_not_lack_are_refused(text, words):
    message = refusal(text, "data.may_lack=[Open, Volume]")

    assert [word for word in words if word not in message] == []


def test_a_file_may_lack_none_of_date_and_close():
    message = refusal("target: {scale: volatility}", "data.may_lack=[Close]")

    assert "data.may_lack" in message
