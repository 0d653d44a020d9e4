"""Configs and file names that somebody got wrong, or meant badly."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from made import REPOSITORY

from stockcast.config import yaml
from stockcast.config.load import load_config, parse_config
from stockcast.config.starter import starter_config
from stockcast.errors import ConfigError, DataError

FOLDER = Path("/no-such-folder/configs")
SMALLEST = "name: ge\ndata: {path: ge.csv}\n"


def refusal(text="", *overrides):
    with pytest.raises(ConfigError) as refused:
        parse_config(SMALLEST + text, source="my.yaml", folder=FOLDER, overrides=overrides)
    return str(refused.value)


def test_aliases_of_aliases_are_refused_before_they_fill_the_memory():
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    code = (
        "from stockcast.config import yaml\n"
        f"try:\n    yaml.parse({chr(10).join(lines)!r}, source='my.yaml')\n"
        "except yaml.ConfigError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=20,
        cwd=REPOSITORY,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)),
    )
    assert "my.yaml" in done.stdout, done.stderr[-300:]


@pytest.mark.parametrize("value", ["2018-02-30", "9" * 5000])
def test_a_value_that_is_none_is_refused_by_its_line(value):
    with pytest.raises(ConfigError) as refused:
        yaml.parse(f"a: 1\nb: {value}\n", source="my.yaml")
    assert (refused.value.file, refused.value.line, refused.value.key) == ("my.yaml", 2, "b")


def test_binary_is_no_plain_data():
    with pytest.raises(ConfigError, match="tag") as refused:
        yaml.parse("a: !!binary aGVsbG8=\n", source="my.yaml")
    assert refused.value.line == 1


def test_a_key_that_is_a_list_is_refused_in_plain_words():
    with pytest.raises(ConfigError) as refused:
        parse_config(SMALLEST + "? [a, b]\n: 4\n", source="my.yaml", folder=FOLDER)
    assert "ScalarNode" not in str(refused.value)


@pytest.mark.parametrize("name", ["1e3", "1e-3", "12e1"])
def test_a_name_that_yaml_takes_for_something_else_comes_back_from_its_own_yaml(name):
    before = parse_config(f"name: '{name}'\ndata: {{path: a}}\n", source="my.yaml", folder=FOLDER)
    assert parse_config(before.to_yaml(), source="config.yaml", folder=FOLDER).name == name


@pytest.mark.parametrize("path", ["a\\0b", "~no-such-user/ge.csv"])
def test_a_path_that_cannot_be_is_refused_by_its_key(path):
    with pytest.raises(ConfigError) as refused:
        parse_config(f'name: x\ndata: {{path: "{path}"}}\n', source="my.yaml", folder=FOLDER)
    assert refused.value.key == "data.path"


def test_a_recursive_network_of_returns_forecasts_the_close_only():
    message = refusal("strategy: recursive\nfeatures: [log_return]\nmodel: {head: point}\ntarget: {column: Open}\n")
    assert "Close" in message


def test_a_section_given_by_override_has_its_path_resolved(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    read = parse_config(SMALLEST, source="my.yaml", folder=FOLDER, overrides=["data={path: mine.csv}"])
    assert read.data.path == (tmp_path.resolve() / "mine.csv",)
    assert "Download it first" in refusal("", "data={path: 'https://example.com/ge.csv'}")


def test_a_wrong_section_given_by_override_is_not_blamed_on_a_line_of_the_file():
    assert "line" not in refusal("training:\n  epochs: 3\n", "training={epochs: three}").partition(":")[0]


def test_a_price_file_may_replace_an_address_by_override():
    read = parse_config(
        "name: x\ndata: {path: 'https://a.b/c.csv'}\n", source="m", folder=FOLDER, overrides=["data.path=/ge.csv"]
    )
    assert read.data.path == (Path("/ge.csv"),)


def test_an_address_is_refused_by_file_and_line():
    with pytest.raises(ConfigError) as refused:
        parse_config("name: x\ndata: {path: 'https://a.b/c.csv'}\n", source="my.yaml", folder=FOLDER)
    assert (refused.value.file, refused.value.line) == ("my.yaml", 2)


def test_an_override_three_thousand_sections_deep_is_refused():
    assert refusal("", "a." * 3000 + "b=3")


@pytest.mark.parametrize("line", ["features: []", "model: {layers: []}"])
def test_a_refusal_speaks_of_lists_as_the_file_does(line):
    assert "Tuple" not in refusal(line)


def test_the_same_input_twice_is_refused():
    assert refusal("features: [log_return, log_return]\n")


def test_a_split_that_is_neither_share_nor_date_says_both():
    said = refusal("split: {test: 2015-01-02 10:00:00}\n").partition("Days that")[0]
    assert "date" in said


def test_a_unix_timestamp_is_no_date():
    assert refusal("split: {test: '1420156800'}\n")


@pytest.mark.parametrize(
    "name",
    [
        "1e3.csv",
        "1e-3.csv",
        "new\nline.csv",
        "x\nwindow: 3.csv",
        "bell\x07.csv",
        "del\x7f.csv",
        "nel\x85.csv",
        "separator\u2028x.csv",
    ],
)
def test_a_file_of_any_name_gets_a_config_that_loads_and_finds_it(tmp_path, name):
    data = tmp_path / name
    data.write_text("Date,Close\n2018-01-02,10\n")
    path = tmp_path / "made.yaml"
    path.write_text(starter_config(data, folder=tmp_path), encoding="utf-8")
    assert load_config(path).data.path == (data.resolve(),)


def test_a_file_whose_name_begins_with_a_tilde_is_no_home_directory(tmp_path):
    data = tmp_path / "~ge.csv"
    data.write_text("Date,Close\n2018-01-02,10\n")
    path = tmp_path / "made.yaml"
    path.write_text(starter_config(data, folder=tmp_path), encoding="utf-8")
    assert load_config(path).data.path == (data.resolve(),)


def test_a_file_name_that_is_not_utf_8_is_refused(tmp_path):
    data = tmp_path / "bytes\udcff.csv"
    data.write_text("Date,Close\n2018-01-02,10\n")
    with pytest.raises(DataError, match="Rename"):
        starter_config(data, folder=tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "model: {layers: [2048, 2048, 2048, 2048, 2048, 2048, 2048, 2048]}\nensemble: {members: 32}\n",
        "model: {layers: [700]}\nensemble: {members: 32}\n",  # 32 x 4 x 700 x (2 + 700 + 1) = 63 million
        # The others are larger or smaller than an LSTM; the dense layer's few thousand come on top.
        "model: {cell: peephole_lstm, layers: [624]}\nensemble: {members: 32}\n",  # 32 x (4 x 624 x 627 + 3 x 624)
        "model: {cell: bidirectional_lstm, layers: [450]}\nensemble: {members: 32}\n",  # 32 x 8 x 450 x 453
        "model: {cell: gru, layers: [2048, 2048, 2048]}\nensemble: {members: 1}\n",  # 3 x 2048 x (2052 + 2 x 4098)
        "model: {cell: simple_rnn, layers: [1300]}\nensemble: {members: 32}\n",  # 32 x 1300 x 1303
        "window: 1000\nmodel: {cell: conv, layers: [800]}\nensemble: {members: 32}\n",  # 32 x 800 x 1000 x 2
    ],
)
def test_a_network_that_no_memory_holds_is_refused_in_millions(text):
    assert "50 million is the most" in refusal(text)


def test_the_largest_network_is_told_by_its_parameters():
    text = SMALLEST + "model: {layers: [620]}\nensemble: {members: 32}\n"  # 32 x 4 x 620 x 623 = 49.4 million
    assert parse_config(text, source="my.yaml", folder=FOLDER).ensemble.members == 32
