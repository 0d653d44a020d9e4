"""Train the network that ships with stockcast, and put it into the package.

    python benchmarks/pretrain.py FOLDER          # trains configs/pretrained.yaml on the price files of FOLDER
    python benchmarks/pretrain.py --run RUN       # takes a finished run of it, trained elsewhere
    python benchmarks/pretrain.py --pool FOLDER   # states the scores of `stockcast evaluate pretrained --data UNSEEN`

Left out of FOLDER are the twenty stocks of `HELD_OUT`, which the network is scored on. Of the run, only what forecasts
is kept, and paths of price files become their names. The network that ships now is replaced once the new one is whole.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

import stockcast as sc
from stockcast.config.load import load_config
from stockcast.config.schema import Config
from stockcast.data.calendar import sessions_around
from stockcast.data.features import MARKET
from stockcast.errors import StockcastError
from stockcast.runs import layout
from stockcast.runs.integrity import check_integrity

CONFIG = "pretrained"
HELD_OUT = {
    *("ABT", "ADSK", "ASML", "BP", "CTSH", "DHI", "DTE", "EQR", "IDXX", "LOW"),
    *("MCK", "MET", "NEM", "ODFL", "PCAR", "PNC", "SPG", "TRV", "WFC", "YUM"),
}
COMMAND = f"stockcast train {CONFIG} --set data.path=FOLDER"
KEPT = (layout.SCALER, layout.CALIBRATION, layout.HISTORY, layout.ONNX, layout.WEIGHTS)
LEFT_OUT = ("columns", "notes")
"""Of each series in run.json: half of its bytes, which `predict` would read for nothing."""

MOST_BYTES = 3_000_000
"""Of all files together: they are in every download of the package."""

_YEARS_BACK, _YEARS_AHEAD = (np.timedelta64(365 * years, "D") for years in (25, 3))
"""The sessions that are kept: a file may end on any day, and to build its calendar takes `predict` 0.3 s."""


def main() -> None:
    """Train, or take a run; then put it into the package."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("folder", type=Path, nargs="?", help="folder of price files")
    source.add_argument("--run", type=Path, help="finished run, by its path")
    source.add_argument("--pool", type=Path, help="folder with pool.json of the stocks that are held out")
    options = parser.parse_args()
    if options.pool is not None:
        scores = scores_of(json.loads((options.pool / "pool.json").read_text(encoding="utf-8")))
        text = json.dumps(scores, indent=2)
        (layout.pretrained_folder() / layout.SCORES).write_text(text + "\n", encoding="utf-8")
        print(text)
        return
    try:
        if options.run is not None:
            run = sc.RunDirectory.find(Path("runs"), options.run)
        else:
            scratch = Path(mkdtemp(prefix="stockcast-pretrain-"))
            run = train(options.folder, scratch)
            print(f"Trained: {run.path}", file=sys.stderr)  # kept until it is in the package: hours of work
        size = install(run, layout.pretrained_folder())
        if options.run is None:
            shutil.rmtree(scratch)
    except StockcastError as error:
        sys.exit(f"pretrain: {error}")
    print(f"{layout.pretrained_folder()}: {size:,} bytes")


def train(folder: Path, scratch: Path) -> sc.RunDirectory:
    """Train on links to the price files of a folder but those held out; return the run, below `scratch`."""
    config = sc.load_config(CONFIG)
    check_needs(config)
    links = scratch / folder.resolve().name
    links.mkdir()
    for path in sorted(folder.resolve().iterdir()):
        if path.is_file() and path.name.partition(".")[0].upper() not in HELD_OUT:
            (links / path.name).symlink_to(path)
    callbacks = sc.Callbacks(
        on_message=lambda message: print(message, file=sys.stderr, flush=True),
        on_epoch_end=lambda epoch: print(epoch, file=sys.stderr, flush=True),
    )
    return sc.train(sc.load_config(CONFIG, {"data.path": str(links)}), runs=scratch / "runs", callbacks=callbacks)


def install(run: sc.RunDirectory, destination: Path) -> int:
    """Put what ships of a run in the place of `destination`, whole or not at all; return its bytes.

    Raises:
        StockcastError: it needs the files that it was trained on, names a held-out stock, keeps a path of this machine,
            is damaged, or too large. What was there stays.
    """
    new, old = (destination.with_name(f".{destination.name}-{which}") for which in ("new", "old"))
    if old.exists() and not destination.exists():  # an earlier call ended between two renames
        old.rename(destination)
    for left_over in (new, old):
        shutil.rmtree(left_over, ignore_errors=True)
    try:
        size = pack(run, new)
        if destination.exists():
            destination.rename(old)
        try:
            new.rename(destination)
        except OSError:
            if old.exists():
                old.rename(destination)
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
    return size


def pack(run: sc.RunDirectory, folder: Path) -> int:
    """Write what ships of a run into a new folder; return its bytes. Errors as of `install`."""
    check_whole(run)
    config, made = load_config(run.config_path()), run.manifest()
    check_needs(config)
    if layout.ONNX not in made["files"]:
        raise StockcastError(f"{run.name} has no {layout.ONNX}, so each forecast would load Keras. Train another.")
    names = {name.partition(".")[0].upper() for series in run.trained_on() for name in (series.name, series.ticker)}
    if held_out := sorted(names & HELD_OUT):
        raise StockcastError(f"{run.name} was trained on {', '.join(held_out)}, which it is to be scored on.")
    files = [*made["series"], *made.get("refused", [])]
    parents = {parent for each in files for parent in (Path(each["path"]).parent, Path(each["path"]).resolve().parent)}
    series = [{key: value for key, value in each.items() if key not in LEFT_OUT} for each in made["series"]]
    folder.mkdir()
    for name in KEPT:
        if name in made["files"]:
            shutil.copyfile(run.path / name, folder / name)
    data = config.data.model_copy(update={"path": tuple(Path(path.name) for path in config.data.path)})
    (folder / layout.CONFIG).write_text(config.model_copy(update={"data": data}).to_yaml(), encoding="utf-8")
    packed = sc.RunDirectory(folder)
    today = np.datetime64("today")
    sessions = sessions_around(today - _YEARS_BACK, today + _YEARS_AHEAD, calendar=config.data.calendar)
    packed.write_json(layout.SESSIONS, sessions.to_json())
    stated = without_paths({**made, "series": series, "data": series[0]}, parents)
    packed.finish({**stated, "command": COMMAND})
    check(packed)
    return size_of(packed)


def scores_of(pool: dict[str, Any]) -> dict[str, Any]:
    """Return what `runs show` prints of the pooled scores of the stocks that are held out.

    Raises:
        SystemExit: other stocks are among them.
    """
    names = {row["series"] for row in pool["series"] if row.get("series")}
    if names != HELD_OUT:
        sys.exit(f"pretrain: the pool must be of the {len(HELD_OUT)} stocks that are held out, and of no others")
    rows = {baseline: at["skill"] for baseline, at in next(iter(pool["horizons"].values()))["against"].items()}
    return {
        "stocks": f"{pool['members']} that it was not trained on",
        "days": f"{pool['split']['first_origin']} to {pool['split']['last_target']}",
        "percent_lower_crps": {
            f"{step} ahead": {name: round(100 * at["against"][name]["skill"], 2) for name in rows}
            for step, at in pool["horizons"].items()
        },
        "coverage_90": {f"{step} ahead": round(at["coverage_90"], 3) for step, at in pool["horizons"].items()},
        "verdict": pool["verdict"][-1],
    }


def check_needs(config: Config) -> None:
    """Check that a network of this config needs nothing but the prices of the series that it forecasts."""
    needs_columns = any(":" in feature for feature in config.features)
    if set(config.features) & set(MARKET) or needs_columns or config.target.scale != "volatility":
        raise StockcastError(
            f"A network of {config.name} needs the files that it was trained on, which do not ship. Train without "
            f"market_..., own:... and known:... among the features, and with target.scale: volatility."
        )


def without_paths(value: Any, parents: set[Path]) -> Any:
    """Return a value of run.json whose texts have names of files in place of paths, and of folders."""
    if isinstance(value, dict):
        return {key: without_paths(inner, parents) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_paths(inner, parents) for inner in value]
    if isinstance(value, str):
        for parent in sorted(parents, key=lambda parent: len(str(parent)), reverse=True):
            value = value.replace(f"{parent}/", "").replace(str(parent), parent.name)
    return value


def check(packed: sc.RunDirectory) -> None:
    """Check that a packed run is whole, small, loads, and holds no path of this machine."""
    check_whole(packed)
    if (size := size_of(packed)) > MOST_BYTES:
        raise StockcastError(f"{packed.path} has {size:,} bytes, more than {MOST_BYTES:,}. Train a smaller network.")
    config = (packed.path / layout.CONFIG).read_text(encoding="utf-8")
    for text in (*texts(packed.manifest()), *config.split()):
        if any(word.startswith(("/", "~")) or word[1:3] in (":\\", ":/") for word in text.split()):
            raise StockcastError(f"{packed.path} holds a path of this machine: {text}")
    sc.Predictor.load(packed)


def check_whole(run: sc.RunDirectory) -> None:
    """Check every file of a run by its hash."""
    condition = check_integrity(run.path)
    if condition.state != "whole":
        raise StockcastError(f"{run.path} is {condition.state}: {'; '.join(condition.faults)}.")


def size_of(run: sc.RunDirectory) -> int:
    """Return the bytes of all files of a packed run."""
    return sum(path.stat().st_size for path in run.path.iterdir())


def texts(value: Any) -> Iterator[str]:
    """Yield every text of a value of run.json."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)


if __name__ == "__main__":
    main()
