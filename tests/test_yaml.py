import re
import time

import pytest
import yaml

from stockcast.config import yaml as config_yaml
from stockcast.errors import ConfigError


def error_of(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as refused:
        config_yaml.parse(text, source="my.yaml")
    return refused.value


def value(text: str):
    """The value in a YAML file of one key."""
    return config_yaml.parse(f"key: {text}\n", source="my.yaml")["key"]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1e-3", 0.001),
        ("1E-3", 0.001),
        ("3e-4", 0.0003),
        ("-2e5", -200000.0),
        ("+1e3", 1000.0),
        ("1.5e2", 150.0),
        ("1.0e-3", 0.001),
        ("0.001", 0.001),
    ],
)
def test_a_number_with_an_exponent_is_a_number(text, meant):
    assert isinstance(value(text), float)
    assert value(text) == meant


@pytest.mark.parametrize("text", ["e3", "1e", "1e3x", "x1e3", "1-e3", "'1e3'"])
def test_what_only_looks_like_a_number_stays_text(text):
    assert value(text) == text.strip("'")


def test_plain_data_come_as_plain_data():
    text = "a: 1\nb: [x, 2.5, true, null]\nc: {d: {e: 'NO'}}\n"

    assert config_yaml.parse(text, source="my.yaml") == {"a": 1, "b": ["x", 2.5, True, None], "c": {"d": {"e": "NO"}}}


def test_nothing_at_all_is_null():
    assert config_yaml.parse("", source="my.yaml") is None
    assert config_yaml.parse("# only a comment\n", source="my.yaml") is None


def test_every_key_and_item_has_the_line_it_stands_in():
    text = "name: x\n\ndata:\n  path: a.csv   # where\nfeatures:\n  - Close\n  - Open\n"
    text += "model: {cell: lstm,\n  head: point}\n"

    _, lines = config_yaml.parse_mapping(text, source="my.yaml")

    assert lines == {
        ("name",): 1,
        ("data",): 3,
        ("data", "path"): 4,
        ("features",): 5,
        ("features", "0"): 6,
        ("features", "1"): 7,
        ("model",): 8,
        ("model", "cell"): 8,
        ("model", "head"): 9,
    }


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n- b\n", "hello\n", "3\n"])
def test_a_file_without_keys_is_refused_with_an_example(text):
    with pytest.raises(ConfigError, match="window: 50") as refused:
        config_yaml.parse_mapping(text, source="my.yaml")
    assert (refused.value.file, refused.value.line) == ("my.yaml", None)


@pytest.mark.parametrize(
    ("text", "key", "second", "first"),
    [
        ("a: 1\nb: 2\na: 1\n", "a", 3, 1),
        ("top:\n  x: 1\n\n  y: 2\n  x: 3\n", "top.x", 5, 2),
        ("top: {x: 1, x: 2}\n", "top.x", 1, 1),
        ("list:\n  - x: 1\n    x: 1\n", "list.0.x", 3, 2),
    ],
)
def test_a_key_that_stands_twice_is_refused_with_both_lines(text, key, second, first):
    error = error_of(text)
    assert (error.file, error.line, error.key) == ("my.yaml", second, key)
    assert f"line {first}" in str(error)


def test_the_same_key_in_two_sections_is_two_keys():
    assert config_yaml.parse("a: {x: 1}\nb: {x: 2}\n", source="my.yaml") == {"a": {"x": 1}, "b": {"x": 2}}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: [1\n", 3),
        ("a: 1\n\tb: 2\n", 2),
        ("a: 1\nb: %d/%m/%Y\n", 2),
        ("a: 'x\n", 2),
        ("a: 1\n---\nb: 2\n", 2),
        ("a: *nowhere\n", 1),
    ],
)
def test_what_is_no_yaml_is_refused_by_its_line(text, line):
    error = error_of(text)
    assert (error.file, error.line) == ("my.yaml", line)


@pytest.mark.parametrize("text", ["a: x\x00\n", "a: \x07\n"])
def test_control_characters_are_refused(text):
    error = error_of(text)
    assert (error.file, error.line) == ("my.yaml", None)
    assert "not allowed" in str(error)


def test_a_tag_that_would_run_something_is_refused_and_nothing_is_run(tmp_path):
    made = tmp_path / "made"
    payload = f"key: !!python/object/apply:os.mkdir ['{made}']\n"

    error = error_of(payload)
    assert (error.file, error.line) == ("my.yaml", 1)
    assert "python/object/apply:os.mkdir" in str(error)
    assert not made.exists()

    yaml.unsafe_load(payload)  # the payload was live
    assert made.exists()


@pytest.mark.parametrize(
    "tagged",
    [
        "!!python/name:os.system",
        "!!python/module:os",
        "!!python/tuple [1, 2]",
        "!!python/object:os.stat_result {}",
        "!!python/object/new:os.system ['true']",
        "!!set {a, b}",
        "!!omap [a: 1]",
        "!custom x",
        "!custom [x]",
    ],
)
def test_tags_that_say_more_than_plain_data_are_refused_by_their_line(tagged):
    error = error_of(f"a: 1\nkey: {tagged}\n")
    assert (error.file, error.line) == ("my.yaml", 2)
    assert "tag" in str(error)


def test_a_tag_that_says_text_keeps_text():
    assert value("!!str NO") == "NO"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: " + "[" * 3000 + "]" * 3000, id="lists"),
        pytest.param("a: " + "{x: " * 3000 + "}" * 3000, id="mappings"),
        pytest.param("\n".join(" " * depth + "a:" for depth in range(400)), id="lines"),
        pytest.param("- " * 3000, id="dashes"),
        pytest.param("a: " + "[" * 21 + "]" * 21, id="one too many"),
        pytest.param("a: &x\n  b: *x\n", id="an alias of itself"),
    ],
)
def test_nesting_without_end_is_refused_soon(text):
    started = time.process_time()

    error = error_of(text)
    assert error.file == "my.yaml"
    assert re.search("20 levels|aliases", str(error))

    assert time.process_time() - started < 2  # half a second when measured; a busy machine may take longer


def test_nesting_that_a_person_would_write_is_read():
    text = "a: " + "[" * 10 + "1" + "]" * 10

    assert str(config_yaml.parse(text, source="my.yaml")["a"]) == "[" * 10 + "1" + "]" * 10


def test_a_file_is_read_without_its_byte_order_mark(tmp_path):
    path = tmp_path / "my.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: caf\xc3\xa9\r\n")

    assert config_yaml.parse_mapping(config_yaml.read(path), source="my.yaml") == ({"name": "café"}, {("name",): 1})


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(ConfigError, match="No such file") as refused:
        config_yaml.read(tmp_path / "none.yaml")
    assert refused.value.file == str(tmp_path / "none.yaml")


def test_a_directory_is_refused_by_name(tmp_path):
    with pytest.raises(ConfigError, match="directory") as refused:
        config_yaml.read(tmp_path)
    assert refused.value.file == str(tmp_path)


@pytest.mark.parametrize("content", [b"name: caf\xe9\n", "name: x\n".encode("utf-16"), bytes(range(256))])
def test_a_file_that_is_not_utf_8_is_refused_by_name(tmp_path, content):
    path = tmp_path / "my.yaml"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match="UTF-8") as refused:
        config_yaml.read(path)
    assert refused.value.file == str(path)


def test_a_file_too_large_for_a_config_is_refused(tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text("# " + "x" * 200_000)

    with pytest.raises(ConfigError, match="100,000") as refused:
        config_yaml.read(path)
    assert refused.value.file == str(path)
