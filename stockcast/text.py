"""How numbers, names and lists stand in a sentence, and how text from elsewhere is made safe to print."""

import unicodedata
from collections.abc import Sequence


def price_text(price: float) -> str:
    """Write a price as people read it: with cents, and below one with the digits that tell small ones apart."""
    return f"{price:,.2f}" if abs(price) >= 1 else f"{price:.4g}"


def file_number(price: float) -> float:
    """Return a price as its file has it: 27.95, where computing with it has left 27.949999999999996."""
    return float(f"{price:.10g}")


def plural(number: float, noun: str) -> str:
    """Write a number of things: `1 row`, `2 rows`."""
    return f"{number:.0f} {noun}{'' if number == 1 else 's'}"


def p_value_text(p_value: float) -> str:
    """Write a p-value as people read it."""
    return f"p = {p_value:.2f}" if p_value >= 0.095 else f"p = {p_value:.3f}" if p_value >= 0.001 else "p < 0.001"


def percent_text(share: float) -> str:
    """Write a share that may be tiny."""
    return f"{100 * share:.1f} %" if share >= 0.001 else f"{100 * share:.1g} %" if share > 0 else "nothing"


def bytes_text(size: int) -> str:
    """Write a number of bytes as people read it: `950 bytes`, `1.4 MB`."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return plural(size, "byte")


def join_words(words: Sequence[str], *, last: str = "and") -> str:
    """Write "a", "a and b" or "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def capital(sentence: str) -> str:
    """Return a sentence with its first letter a capital."""
    return sentence[:1].upper() + sentence[1:]


def printable(text: str) -> str:
    """Return text that can only be read: what would steer a terminal, turn the writing or fail to print is a `?`."""
    return "".join(
        character if character in "\n\t" or unicodedata.category(character) not in _UNPRINTABLE else "?"
        for character in text
    )


def printable_name(name: str) -> str:
    """Return a name that can only be read, on one line: a line break in it would begin a line of its own making."""
    return printable(name).replace("\n", "?").replace("\t", "?")


_UNPRINTABLE = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
