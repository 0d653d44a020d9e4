"""`stockcast config`."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from stockcast.cli.options import ConfigName, Overrides, takes_calendar, takes_ticker
from stockcast.cli.output import print_json, print_message
from stockcast.errors import StockcastError

app = typer.Typer(help="Show or make a config, or print its schema.", no_args_is_help=True)


@app.command("show")
def config_show(config: ConfigName = None, overrides: Overrides = None) -> None:
    """Print a config as train uses it, with all defaults."""
    from stockcast.config.load import load_config

    print(load_config(config, overrides or ()).to_yaml(), end="")


@app.command("schema")
def config_schema() -> None:
    """Print the JSON Schema of configs, for editors."""
    from stockcast.config.schema import Config

    print_json(Config.model_json_schema())


@app.command("init")
@takes_calendar
@takes_ticker
def config_init(
    data: Annotated[
        list[Path],
        typer.Option("--data", metavar="PATH", help="Price file, or a folder of them; may be repeated."),
    ],
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="File to write (default: NAME.yaml).")] = None,
    date_format: Annotated[
        str | None, typer.Option(help="strptime format of the dates, such as '%d/%m/%Y' (default: detected).")
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Set data.calendar, or how the file is read: data.date_format, .encoding, .separator, .decimal, "
            ".ticker, .columns, .resample, .frequency, .bar_date or .sheet.",
        ),
    ] = None,
) -> None:
    """Write a config for a price file, or for many: one network is trained on all."""
    from stockcast.config.load import calendar_of, check_reading, csv_options
    from stockcast.config.starter import config_name, starter_config

    path = output or Path(f"{config_name(data[0])}.yaml")
    calendar_key = "data.calendar"
    check_reading(
        [override for override in overrides or () if override.partition("=")[0].strip() != calendar_key],
        advice=f"Set the exchange with {calendar_key}, and change other keys in the file.",
    )
    chosen = [*(overrides or ()), *([f"data.date_format={date_format}"] if date_format else [])]
    text = starter_config(
        data,
        folder=path.parent,
        options=csv_options(chosen),
        calendar=calendar_of(chosen),
        on_message=print_message,
    )
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise StockcastError(f"{path} exists. Remove it, or choose another file with --output.", file=path) from None
    except OSError as error:
        raise StockcastError(
            f"Cannot write {path}: {error.strerror}. Choose another file with --output.", file=path
        ) from error
    print(path)
    print(f"Next: {shlex.join(['stockcast', 'train', str(path)])}", file=sys.stderr)
