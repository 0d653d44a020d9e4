"""Values -> matplotlib figures; nothing here shows or saves one.

A function is imported when it is first used: matplotlib takes a third of a second.
"""

from importlib import import_module
from typing import Any

_MODULES = {
    "backtest": ("coverage_through_time", "skill_through_time"),
    "chances": ("level_reliability",),
    "compare": ("side_by_side",),
    "directions": ("confusion_matrices", "direction_chart", "reliability_curves"),
    "explain": ("gates", "gradient_through_time", "importance", "units"),
    "forecast": ("fan_chart", "forecast_sequences"),
    "many": ("fan_charts",),
    "attribution": ("saliency",),
    "scores": ("coverage", "pit_histograms"),
    "skill": ("pool_skill", "skill_by_horizon"),
    "style": ("price_label",),
    "training": ("loss_curve",),
    "tuning": ("key_importance", "tuning_history"),
}

__all__ = [name for names in _MODULES.values() for name in names]


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
