"""The configs and data that ship: inside the installed package, or at the top of a checkout."""

import difflib
import os
from pathlib import Path

from stockcast.errors import ConfigError

DEFAULT = "sp500"


def bundled_folder() -> Path:
    """Return the folder that holds `configs` and `data` side by side."""
    package = Path(__file__).parent
    inside_wheel = package / "bundled"
    return inside_wheel if inside_wheel.is_dir() else package.parent


def bundled_configs() -> list[str]:
    """Return the names of the configs that ship, as `stockcast train NAME` takes them: sp500, lessons/direction."""
    folder = bundled_folder() / "configs"
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.yaml"))


def find_config(config: str | None) -> Path:
    """Return the file that a user means by a path, by the name of a shipped config, or by nothing.

    Raises:
        ConfigError: there is no such file or name.
    """
    if config is None:
        config = DEFAULT
    elif Path(config).is_file():
        return Path(config)
    if config in bundled_configs():
        return bundled_folder() / "configs" / f"{config}.yaml"
    elif os.path.exists(config):
        raise ConfigError(
            f"{config}: no such config file, but a folder or a device. A folder of price files is trained on by: "
            f"stockcast train many-stocks --set data.path=FOLDER"
        )
    near = _nearest(config)
    raise ConfigError(
        f"{config}: no such config file, and no config of that name ships with stockcast"
        f"{f'; perhaps {near}' if near else ''}. Those that ship are {', '.join(bundled_configs())}. Make one for your "
        f"own prices with: stockcast config init --data YOUR.csv"
    )


def _nearest(config: str) -> str | None:
    """The shipped config that was meant by a name with a slip in it, or without its folder: gru, lessons/grus."""
    meant = config.removesuffix(".yaml")
    by_name = {name.rpartition("/")[2]: name for name in bundled_configs()}
    by_name |= {name: name for name in bundled_configs()}
    near = difflib.get_close_matches(meant, by_name, n=1, cutoff=0.75) or difflib.get_close_matches(
        meant.rpartition("/")[2], by_name, n=1, cutoff=0.75
    )
    return by_name[near[0]] if near else None
