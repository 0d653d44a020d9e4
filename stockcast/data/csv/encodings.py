"""Encodings of a price file: what its byte-order mark says, and which fit where it has none."""

import codecs
import csv
import re
import unicodedata
from itertools import pairwise

from stockcast.data.csv.header import has_header
from stockcast.data.csv.header_forms import HEADER_WITHIN
from stockcast.data.csv.problems import Source, setting

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark its own begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Windows' and East Asian ones; where several make the same of a file, the first stands for all.
_CANDIDATES = (
    *("cp1252", "cp932", "euc_jp", "gb18030", "big5", "cp949"),
    *("cp1251", "cp1250", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "koi8_r"),
)
_SHOWN = 8
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_CHUNK = 1_000_000


def marked_encoding(raw: bytes) -> str | None:
    """Return the encoding that a byte-order mark states; None without one, and for UTF-8."""
    return next((encoding for mark, encoding in _MARKS if raw.startswith(mark)), None)


def refuse_undeclared_utf_16(source: Source, raw: bytes, encoding: str | None) -> None:
    """Refuse text in UTF-16 without a mark: it has a zero byte in every character that English writes."""
    begin, declared = raw[:1000], (encoding or "").lower().replace("_", "-")
    if b"\0" not in begin or (declared.startswith(("utf-16", "utf16", "utf-32", "utf32"))):
        return
    encodings = {
        "utf-16": begin.startswith((b"\xff\xfe", b"\xfe\xff")),
        "utf-16-le": begin[1::2].count(0) > len(begin) / 3,
        "utf-16-be": begin[::2].count(0) > len(begin) / 3,
    }
    likely = next((name for name, fits in encodings.items() if fits), None)
    advice = f", or set its encoding: {setting('data.encoding', likely)}" if likely else "."
    kind = "UTF-16 text" if likely else "UTF-16, or not text"
    raise source.error(f"{kind}. Save it as CSV in UTF-8{advice}", key="data.encoding", value=likely)


def proposals(source: Source, raw: bytes, *, declared: str | None) -> tuple[str, list[str]]:
    """Return how to go on with text that is not UTF-8, and the encodings that fit it, the likeliest first.

    Each is shown with what it makes of the first line that is not plain ASCII: mostly the header.
    """
    found = _BEYOND_ASCII.search(raw)
    begin = found.start() if found else 0
    number = raw.count(b"\n", 0, begin) + 1
    line = raw[raw.rfind(b"\n", 0, begin) + 1 :][:_CHUNK].split(b"\n", 1)[0]
    head = raw[:_CHUNK].split(b"\n", HEADER_WITHIN)[:HEADER_WITHIN]
    shown: dict[str, str] = {}
    heads: dict[str, str] = {}  # two encodings may agree on the header, and not on the days below it
    ranks: dict[str, tuple[bool, int, int]] = {}
    for encoding in _CANDIDATES:
        text_lines = [part.decode(encoding, "replace") for part in head]
        text, whole = (
            line.decode(encoding, "replace").strip(),
            "\n".join([*text_lines, line.decode(encoding, "replace")]),
        )
        if encoding == declared or whole in heads.values() or not _fits(raw, encoding):
            continue
        shown[encoding], heads[encoding] = text, whole
        ranks[encoding] = (not _has_header(source, text_lines), _oddness(text), _oddness(whole))
    fitting = sorted(ranks, key=lambda encoding: ranks[encoding])[:_SHOWN]
    if not fitting:
        return ".", []
    ways = [f"{setting('data.encoding', encoding)} makes it {shown[encoding][:120]!r}" for encoding in fitting]
    return "\n".join([f", or choose the encoding that makes sense of line {number}:", *ways]), fitting


def _fits(raw: bytes, encoding: str) -> bool:
    """Whether every byte has a meaning in an encoding; a part at a time, so that no second copy is made."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(raw), _CHUNK):
            decoder.decode(raw[start : start + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _has_header(source: Source, lines: list[str]) -> bool:
    """Whether lines hold the header of a table of prices, whatever separates its cells."""
    for separator in ",;\t|":
        try:
            rows = [row for row in enumerate(csv.reader(lines, delimiter=separator), 1) if any(row[1])]
        except csv.Error:
            continue
        if has_header(source, rows):
            return True
    return False


def _oddness(text: str) -> int:
    """Count what is rare in a header: beyond ASCII, no letter and no mark on one, and accented letters in a row."""
    beyond = ["" if letter.isascii() else unicodedata.category(letter)[0] for letter in text]
    is_latin = [
        bool(kind) and unicodedata.name(letter, "").startswith("LATIN")
        for letter, kind in zip(text, beyond, strict=True)
    ]
    return sum(kind not in ("", "L", "M") for kind in beyond) + sum(map(all, pairwise(is_latin)))
