"""`stockcast config`: show, describe or make config files."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from stockcast.cli.options import ConfigName, Overrides, load_chosen, print_json, stated_reading
from stockcast.errors import StockcastError

READING_KEYS = ("data.date_format", "data.encoding", "data.separator", "data.decimal", "data.ticker")

app = typer.Typer(help="Show, describe or make config files.", no_args_is_help=True)


@app.command("show")
def config_show(config: ConfigName = None, overrides: Overrides = None) -> None:
    """Print a config as it will be used, every default filled in."""
    print(load_chosen(config, overrides).to_yaml(), end="")


@app.command("schema")
def config_schema() -> None:
    """Print the JSON Schema of the config, for editors."""
    from stockcast.config import Config

    print_json(Config.model_json_schema())


@app.command("init")
def config_init(
    data: Annotated[Path, typer.Option("--data", metavar="CSV", help="Your price file.")],
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write (default: NAME.yaml).")] = None,
    date_format: Annotated[
        str | None, typer.Option(help="Format of its dates, '%d/%m/%Y' (default: the one that all have).")
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="How to read it: data.date_format, encoding, separator, decimal, ticker."
        ),
    ] = None,
) -> None:
    """Write a config for your own prices."""
    from stockcast.starter import config_name, starter_config

    path = output or Path(f"{config_name(data)}.yaml")
    if other := [one for one in overrides or () if one.partition("=")[0].strip() not in READING_KEYS]:
        raise StockcastError(
            f"--set {other[0]}: init takes {', '.join(READING_KEYS)} only. Change the others in the file it writes."
        )
    reading = stated_reading([*(overrides or ()), *([f"data.date_format={date_format}"] if date_format else [])])
    text = starter_config(data, folder=path.parent, reading=reading)
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise StockcastError(f"{path} exists. Remove it, or choose another with --output.") from None
    except OSError as error:
        raise StockcastError(f"Cannot write {path}: {error.strerror}. Choose another place with --output.") from error
    print(path)
    print(f"Next: stockcast train {path}", file=sys.stderr)
