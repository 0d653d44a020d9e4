"""What a figure shows: every text that is drawn, where it stands, and whether it was taken for mathematics."""

from dataclasses import dataclass
from itertools import combinations
from typing import Any

from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure


@dataclass(frozen=True)
class DrawnText:
    """A line of text as it was drawn.

    Attributes:
        text: its letters.
        box: left, top, right and bottom in pixels from the upper left corner.
        is_math: whether it was set as a formula.
    """

    text: str
    box: tuple[float, float, float, float]
    is_math: bool

    def overlaps(self, other: "DrawnText") -> bool:
        """Whether the two cover each other by more than a pixel in both directions."""
        left, top, right, bottom = self.box
        other_left, other_top, other_right, other_bottom = other.box
        across = min(right, other_right) - max(left, other_left)
        return across > 1 and min(bottom, other_bottom) - max(top, other_top) > 1


class _Recorder(RendererAgg):
    """Draws, and keeps every text: only the renderer knows which of the tick labels are drawn."""

    def __init__(self, figure: Figure) -> None:
        super().__init__(*figure.bbox.size, figure.dpi)
        self.texts: list[DrawnText] = []

    def draw_text(
        self, gc: Any, x: float, y: float, s: str, prop: Any, angle: float, ismath: Any = False, mtext: Any = None
    ) -> None:
        width, height, descent = self.get_text_width_height_descent(s, prop, ismath)
        upright = angle % 180 == 90
        box = (
            (x - height + descent, y - width, x + descent, y)
            if upright
            else (x, y - height + descent, x + width, y + descent)
        )
        self.texts.append(DrawnText(s, box, bool(ismath)))
        super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)


def texts_of(figure: Figure) -> list[DrawnText]:
    """Draw a figure, and return its texts."""
    recorder = _Recorder(figure)
    figure.draw(recorder)
    return [text for text in recorder.texts if text.text.strip()]


def unreadable(figure: Figure) -> list[str]:
    """Return what a reader of a figure could not read: texts that cover another or leave the page, and formulas."""
    texts = texts_of(figure)
    width, height = figure.bbox.size
    return [
        *(f"{first.text!r} covers {other.text!r}" for first, other in combinations(texts, 2) if first.overlaps(other)),
        *(
            f"{text.text!r} leaves the page"
            for text in texts
            if not (text.box[0] >= -1 and text.box[1] >= -1 and text.box[2] <= width + 1 and text.box[3] <= height + 1)
        ),
        *(f"{text.text!r} is a formula" for text in texts if text.is_math),
    ]
