"""How numbers stand in sentences."""

from collections.abc import Iterable


def p_text(p_value: float) -> str:
    """Write a p-value as people read it."""
    return f"p = {p_value:.2f}" if p_value >= 0.095 else f"p = {p_value:.3f}" if p_value >= 0.001 else "p < 0.001"


def share_text(share: float) -> str:
    """Write a share that may be tiny."""
    return f"{100 * share:.1f} %" if share >= 0.001 else f"{100 * share:.1g} %" if share > 0 else "nothing"


def days(steps: Iterable[int]) -> str:
    """Write "1 day", "5 days" or "1, 5 and 10 days"."""
    steps = list(steps)
    return f"{listed([str(step) for step in steps])} {'day' if steps == [1] else 'days'}"


def listed(words: list[str], *, last: str = "and") -> str:
    """Write "a", "a and b" or "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
