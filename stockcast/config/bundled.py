"""The configs and data that ship: inside the installed package, or at the top of a checkout."""

import difflib
import os
from pathlib import Path

from stockcast.errors import ConfigError
from stockcast.tickers import how_to_get

DEFAULT = "sp500"


def bundled_folder() -> Path:
    """Return the folder that holds `configs` and `data` side by side."""
    package = Path(__file__).parents[1]
    inside_wheel = package / "bundled"
    return inside_wheel if inside_wheel.is_dir() else package.parent


def bundled_configs() -> list[str]:
    """Return the names of the configs that ship, as `stockcast train NAME` takes them: sp500, lessons/direction."""
    folder = bundled_folder() / "configs"
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.yaml"))


def find_config(config: str | None) -> Path:
    """Return the file of a config: by its path, or by the name of a shipped one; None for the default.

    Raises:
        ConfigError: there is no such file or name.
    """
    if config is None:
        config = DEFAULT
    elif Path(config).is_file():
        return Path(config)
    if config in bundled_configs():
        return bundled_folder() / "configs" / f"{config}.yaml"
    if os.path.exists(config):
        raise ConfigError(
            f"{config}: no such config file, but a device. Name a config, a price file, or a folder of price files.",
            file=config,
        )
    near, advice = _nearest(config), how_to_get(config)
    raise ConfigError(
        f"{config}: no such config file, and no config of that name ships with stockcast"
        f"{f'. Did you mean {near}?' if near else '.'} These ship: {', '.join(bundled_configs())}. To make one for "
        f"your own prices: stockcast config init --data YOUR.csv{advice and f'.{advice}'}",
        file=config,
    )


def _nearest(config: str) -> str | None:
    """The shipped config whose name is nearest, with or without its folder: gru, lessons/grus."""
    typed = config.removesuffix(".yaml")
    names = bundled_configs()
    by_name = {name.rpartition("/")[2]: name for name in names} | {name: name for name in names}
    for candidate in (typed, typed.rpartition("/")[2]):
        if near := difflib.get_close_matches(candidate, by_name, n=1, cutoff=0.75):
            return by_name[near[0]]
    return None
