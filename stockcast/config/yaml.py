"""YAML read as plain data, with the line of every key; no tag runs code."""

import re
from pathlib import Path
from typing import Any

import yaml

from stockcast.errors import ConfigError

Lines = dict[tuple[str, ...], int]
"""Path of a key, such as ("training", "epochs"), to its line, from 1."""

_MAX_CHARACTERS = 100_000
_MAX_DEPTH = 20
_TOO_DEEP = f"nested deeper than {_MAX_DEPTH} levels."


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which reads 1e-3 as a number and rejects aliases.

    A few lines of aliases of aliases stand for more values than any memory holds.
    """

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases (*) are not allowed in a config", problem_mark=mark)
        return super().compose_node(parent, index)


class _Dumper(yaml.SafeDumper):
    """Writes what `_Loader` reads back: the word '1e3' in quotes."""


for _style in (_Loader, _Dumper):
    _style.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(r"^[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
    )

_PLAIN = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str", "timestamp"))


def place_of(source: str, line: int | None) -> str:
    """Return a file, and the line in it, as messages begin with it."""
    return f"{source}, line {line}" if line else source


def _error(source: str | Path, reason: object, *, line: int | None = None, key: str | None = None) -> ConfigError:
    return ConfigError(f"{place_of(str(source), line)}: {reason}", file=source, line=line, key=key)


def read(path: Path) -> str:
    """Read the text of a YAML file.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig") as stream:
            text = stream.read(_MAX_CHARACTERS + 1)
    except OSError as error:
        raise _error(path, f"cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise _error(path, f"not UTF-8 text ({error.reason}). A config is a text file.") from error
    if len(text) > _MAX_CHARACTERS:
        raise _error(path, f"larger than {_MAX_CHARACTERS:,} characters, so hardly a config.")
    return text


def parse_mapping(text: str, *, source: str) -> tuple[dict[str, Any], Lines]:
    """Return the keys and values of a YAML text whose top level is a mapping, and the line of each key.

    Raises:
        ConfigError: it is not such a text.
    """
    lines: Lines = {}
    values = parse(text, source=source, lines=lines)
    if not isinstance(values, dict):
        raise _error(source, "expected keys and values, as in `window: 50`. See `stockcast config init`.")
    return values, lines


def parse(text: str, *, source: str, lines: Lines | None = None) -> Any:
    """Return the plain value of a YAML text; `source` names it in errors, `lines` receives the line of each key.

    Raises:
        ConfigError: it is not YAML, or holds more than plain data.
    """
    try:
        loader = _Loader(text)  # rejects control characters
        node = loader.get_single_node()
        return None if node is None else _plain(loader, node, (), source, {} if lines is None else lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise _error(source, f"{error.problem or error}.", line=mark.line + 1 if mark else None) from error
    except yaml.YAMLError as error:
        raise _error(source, f"{error}.") from error
    except RecursionError:
        raise _error(source, _TOO_DEEP) from None


def _plain(loader: _Loader, node: yaml.Node, key: tuple[str, ...], source: str, lines: Lines) -> Any:
    """Turn a node into plain data; reject duplicate keys and endless nesting."""
    line = node.start_mark.line + 1
    if len(key) > _MAX_DEPTH:
        raise _error(source, _TOO_DEEP, line=line)
    if isinstance(node, yaml.ScalarNode) and node.tag in _PLAIN:
        try:
            return loader.construct_object(node)
        except ValueError as error:  # 2018-02-30 looks like a date and is not one
            raise _error(source, f"{node.value[:40]}: {error}.", line=line, key=".".join(key)) from error
    if node.tag not in ("tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"):
        raise _error(source, f"tag {node.tag} is not allowed in a config.", line=line)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*key, str(index))] = item.start_mark.line + 1
        return [_plain(loader, item, (*key, str(index)), source, lines) for index, item in enumerate(node.value)]
    values: dict[str, Any] = {}
    for name_node, value_node in node.value:
        line = name_node.start_mark.line + 1
        if not isinstance(name_node, yaml.ScalarNode):
            raise _error(source, "a key must be a word, as in `window: 50`.", line=line)
        name = str(name_node.value)
        path = (*key, name)
        if name in values:
            reason = f"duplicate key {name}; the first is in line {lines[path]}. Remove one."
            raise _error(source, reason, line=line, key=".".join(path))
        lines[path] = line
        values[name] = _plain(loader, value_node, path, source, lines)
    return values


def dump(value: Any) -> str:
    """Return plain data as YAML that `parse` turns back into it; a single value stands on a line of its own."""
    for as_written in (True, False):
        text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=as_written, width=1000)
        if not set("\x85\u2028\u2029") & set(text):  # line breaks that PyYAML writes but folds when it reads
            break
    return text.removesuffix("...\n")
