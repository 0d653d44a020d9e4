"""The file of the ledger: every change shows, and what was reported as recorded is never lost."""

import hashlib
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stockcast.errors import DamagedLedger, LedgerError
from stockcast.ledger.append import appending
from stockcast.ledger.chain import Chain, parse, read_chain

CHILD = """
import os, sys
from pathlib import Path
from stockcast.ledger.append import appending

write = os.write
os.write = lambda descriptor, content: write(descriptor, content[:100])  # a system may write as little as it likes
path, name, count, size = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
for number in range(count):
    sys.stdin.readline()  # until it is its turn, or at once where there is no input
    with appending(path, on_message=lambda _: None) as appender:
        lines = appender.append([{"kind": "note", "of": name, "number": number, "text": "x" * size}])
    print(lines[0].sha256, flush=True)
"""


def append(path: Path, *contents: dict[str, object]) -> list[str]:
    """Append notes; return the messages."""
    messages: list[str] = []
    with appending(path, on_message=messages.append) as appender:
        appender.append([{"kind": "note", **content} for content in contents])
    return messages


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Three lines: the header and two notes, the second with numbers that another program would write otherwise."""
    path = tmp_path / "ledger.jsonl"
    append(path, {"text": "näive"})
    append(path, {"prices": [0.1, 1e-07, 100.0, 12345678.9]})
    return path


def test_a_line_states_the_sha256_of_its_own_bytes_from_the_78th_on(ledger: Path) -> None:
    previous = "0" * 64
    for line in ledger.read_bytes().splitlines():
        stated = json.loads(line)
        assert stated["sha256"] == hashlib.sha256(line[77:]).hexdigest()
        assert stated["previous"] == previous
        previous = stated["sha256"]
    assert read_chain(ledger).head == previous


def test_each_changed_byte_is_found_and_its_line_is_named(ledger: Path) -> None:
    content = ledger.read_bytes()
    random.seed(0)
    for place, byte in enumerate(content):
        line = content[:place].count(b"\n") + 1
        for other in {byte ^ 1, byte ^ 32, byte ^ 128, ord("\n"), ord("\r"), random.randrange(256)} - {byte}:
            with pytest.raises(LedgerError) as caught:
                parse(ledger, content[:place] + bytes([other]) + content[place + 1 :])
            assert caught.value.line == line, (place, bytes([other]))


def test_a_line_that_is_left_out_repeated_or_moved_is_found(ledger: Path) -> None:
    append(ledger, {"text": "third"})
    first, second, third, fourth = ledger.read_bytes().splitlines(keepends=True)
    for changed, line in (
        ([first, third, fourth], 2),
        ([first, second, fourth], 3),
        ([first, third, second, fourth], 2),
        ([first, second, second, third, fourth], 3),
        ([second, third, fourth], 1),
    ):
        ledger.write_bytes(b"".join(changed))
        with pytest.raises(LedgerError) as caught:
            read_chain(ledger)
        assert caught.value.line == line


def test_a_cut_end_leaves_no_trace_but_the_hash_from_before(ledger: Path) -> None:
    head = read_chain(ledger).head
    append(ledger, {"text": "later"})
    assert read_chain(ledger).place_of(head) == 3
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:2]))
    assert read_chain(ledger).place_of(head) is None


def test_a_damaged_ledger_takes_no_further_line(ledger: Path) -> None:
    content = ledger.read_bytes().replace(b"[0.1,", b"[0.2,")
    ledger.write_bytes(content)
    with pytest.raises(DamagedLedger) as caught:
        append(ledger, {"text": "more"})
    assert caught.value.line == 3
    assert ledger.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"Date,Close\n2020-01-02,10\n", LedgerError),
        (b"Date,Close", LedgerError),
        (b'{"name": "other"}\n', LedgerError),
        (b"\n", LedgerError),
        (b"\xff\xfe\x00\x01", LedgerError),
        (b"\xef\xbb\xbf{", LedgerError),
    ],
)
def test_a_file_that_is_no_ledger_is_refused_and_left_alone(tmp_path: Path, content: bytes, kind: type) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(content)
    for use in (read_chain, append):
        with pytest.raises(kind) as caught:
            use(path)
        assert caught.value.line == 1
    assert path.read_bytes() == content


def test_converted_line_ends_are_named_with_the_way_back(ledger: Path) -> None:
    content = ledger.read_bytes()
    ledger.write_bytes(content.replace(b"\n", b"\r\n"))
    with pytest.raises(DamagedLedger, match="CR LF") as caught:
        read_chain(ledger)
    assert caught.value.line == 1
    assert "tr -d '\\r'" in str(caught.value)
    ledger.write_bytes(subprocess.run(["tr", "-d", "\\r"], input=ledger.read_bytes(), capture_output=True).stdout)
    assert len(read_chain(ledger).lines) == 3


def test_a_ledger_of_a_newer_version_is_refused_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    body = b'"previous":"%s","kind":"header","format":"stockcast-ledger","version":2}' % (b"0" * 64)
    path.write_bytes(b'{"sha256":"%s",%s\n' % (hashlib.sha256(body).hexdigest().encode(), body))
    for use in (read_chain, append):
        with pytest.raises(LedgerError) as caught:
            use(path)
        assert (caught.value.line, caught.value.value) == (1, 2)
        assert not isinstance(caught.value, DamagedLedger)


def test_a_missing_file_is_an_error_for_who_reads_and_a_beginning_for_who_appends(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with pytest.raises(LedgerError, match="no such file"):
        read_chain(path)
    append(path)
    assert not path.exists()  # nothing to record begins no ledger
    append(path, {})
    assert [line.kind for line in read_chain(path).lines] == ["header", "note"]


@pytest.mark.parametrize("kept", [1, 40, 78, 200])
def test_an_unfinished_line_is_set_aside_to_the_byte_and_the_rest_stands(ledger: Path, kept: int) -> None:
    whole = ledger.read_bytes()
    append(ledger, {"text": "y" * 200})
    torn = ledger.read_bytes()[len(whole) :][:kept]
    ledger.write_bytes(whole + torn)
    chain = read_chain(ledger)
    assert (len(chain.lines), chain.rest) == (3, torn)
    assert chain.unfinished is not None
    (message,) = append(ledger, {"text": "after"})
    assert "line 4" in message
    aside = [path for path in ledger.parent.iterdir() if "unfinished" in path.name]
    assert [path.read_bytes() for path in aside] == [torn]
    chain = read_chain(ledger)
    assert [line.kind for line in chain.lines] == ["header", "note", "note", "repair", "note"]
    repair = chain.lines[3].fields()
    assert (repair["file"], repair["bytes"]) == (aside[0].name, kept)
    assert ledger.read_bytes().startswith(whole)


def test_a_header_that_was_not_finished_is_set_aside_too(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b'{"sha256":"12')
    assert read_chain(path) == Chain((), b'{"sha256":"12')
    append(path, {})
    assert [line.kind for line in read_chain(path).lines] == ["header", "repair", "note"]


def test_a_line_that_lacks_its_line_feed_alone_is_finished(ledger: Path) -> None:
    whole = ledger.read_bytes()
    ledger.write_bytes(whole[:-1])
    (message,) = append(ledger, {})
    assert "line 3" in message
    assert ledger.read_bytes().startswith(whole)


def test_where_the_disk_is_full_the_file_is_as_it_was(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, write = ledger.read_bytes(), os.write

    def full(descriptor: int, content: bytes) -> int:
        write(descriptor, content[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(LedgerError, match="No space left"):
        append(ledger, {"text": "z" * 300})
    assert ledger.read_bytes() == before


def test_a_folder_that_is_not_there_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="No such file or directory"):
        append(tmp_path / "away" / "ledger.jsonl", {})


def test_two_processes_that_append_at_once_both_find_their_lines_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    children = [child(path, name, count=40, size=2000, turns=subprocess.PIPE) for name in ("a", "b")]
    reported = []
    for _ in range(40):  # both at once, each time
        for process in children:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        for process in children:
            assert process.stdout is not None
            reported.append(process.stdout.readline().strip())
    assert [process.communicate(timeout=60)[0] for process in children] == ["", ""]
    assert [process.returncode for process in children] == [0, 0]
    chain = read_chain(path)
    assert len(reported) == 80
    assert sorted(line.sha256 for line in chain.lines if line.kind == "note") == sorted(reported)
    names = [line.fields()["of"] for line in chain.lines if line.kind == "note"]
    assert all({*pair} == {"a", "b"} for pair in zip(names[::2], names[1::2], strict=True))


def test_after_fifty_kills_each_line_that_was_reported_stands(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    reported: list[str] = []
    random.seed(1)
    following = child(path, "0", count=10_000, size=100_000)
    for number in range(50):
        process, following = following, child(path, str(number + 1), count=10_000, size=100_000)
        assert process.stdout is not None
        reported.append(process.stdout.readline().strip())
        time.sleep(0.03 * random.random())
        process.kill()
        reported += [word for word in process.communicate()[0].split() if len(word) == 64]
    following.kill()
    following.communicate()
    append(path, {})
    whole = path.read_bytes()
    path.write_bytes(whole[: -len(whole.splitlines(keepends=True)[-1]) // 2])  # a kill in the middle of a line
    append(path, {})
    lines = read_chain(path).lines
    assert len(reported) >= 50
    assert set(reported) <= {line.sha256 for line in lines}
    assert lines[-2].kind == "repair"


def child(path: Path, name: str, *, count: int, size: int, turns: int = subprocess.DEVNULL) -> "subprocess.Popen[str]":
    arguments = [sys.executable, "-c", CHILD, str(path), name, str(count), str(size)]
    return subprocess.Popen(arguments, stdin=turns, stdout=subprocess.PIPE, text=True)
