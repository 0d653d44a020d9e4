"""The section `data` of a config: where the prices are, and how their files are read."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from stockcast.config.values import Columns, Day, Encoding, Paths, Section, Separator, Ticker, as_list
from stockcast.data.calendar import calendar_named
from stockcast.data.csv.options import STDIN, CsvOptions
from stockcast.frequency import DAILY, FREQUENCIES, RESAMPLED, Frequency, FrequencyName


def _frequency_of(known: dict[str, Any]) -> FrequencyName:
    """Return the frequency that the other keys imply."""
    if known.get("resample"):
        return RESAMPLED[known["resample"]].name
    return "weekly" if known.get("bar_date") else "daily"


class DataConfig(Section):
    """Where the prices are."""

    path: Paths = Field(
        description="Price file (CSV, Excel or Parquet with at least Date and Close), relative to this file; or a "
        "folder of such files, or a list of either: one network is trained on all; evaluate and predict use the first."
    )
    calendar: str = Field(
        "XNYS",
        description="Exchange whose sessions date the forecasts (see exchange_calendars); FX is 24/5, crypto 24/7.",
    )
    start: Day | None = Field(None, description="First day to use, such as 1999-01-04; null for the file's first.")
    end: Day | None = Field(None, description="Last day to use; null for the file's last.")
    date_format: str | None = Field(None, description="strptime format of dates, as '%d/%m/%Y'; null to detect it.")
    encoding: Encoding | None = Field(None, description="Encoding of the file, such as cp1252; null for UTF-8.")
    separator: Separator = Field(",", description="Separator of the cells; tab is the tab character.")
    decimal: Literal[".", ","] | None = Field(
        None, description="Decimal mark; the other one groups thousands. null for a point, unless a price contradicts."
    )
    ticker: Ticker | None = Field(
        None,
        description="Series to read from a file of several; quote it. all takes every one as a series of its own. A "
        "list joins series that share no day, such as a stock's old symbol and its new one.",
    )
    columns: Columns | None = Field(
        None,
        description="The file's own names of its columns, such as {Date: Tag, Close: Kurs}, or their numbers from 1 "
        "where it has no header; null for the names that vendors give.",
    )
    resample: Literal["1d", "1w", "1mo"] | None = Field(
        None,
        description="1d puts the bars of each day together, as of hours or minutes; 1w those of each week, Monday to "
        "Sunday, and 1mo those of each month; null for the file's own bars.",
    )
    bar_date: Literal["start", "end"] | None = Field(
        None,
        description="Of weekly bars that are dated on Sundays: whether the Sunday begins the week (start) or ends it "
        "(end); null where the dates tell.",
    )
    frequency: FrequencyName = Field(
        default_factory=_frequency_of,
        description="What a bar is: a day, a week or a month; window, horizon and features count these. The dates "
        "of the file must be of such bars, or data.resample make them, which sets the default.",
        json_schema_extra={"default": "daily"},
    )
    accept_damage: bool = Field(
        False,
        description="Train on prices that no market can have made, such as a spike that comes back, as they stand.",
    )
    may_lack: tuple[Literal["Open", "High", "Low", "Volume"], ...] = Field(
        (),
        strict=False,
        description="Columns that a file to forecast may lack: every series is trained on once more without them, and "
        "a file that lacks one is forecast without all of them.",
    )
    refuse_at_most: float = Field(
        0.1,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Share of the price files that training may leave out where those of a folder cannot be used; 0 "
        "for none.",
    )
    sheet: str | None = Field(
        None, min_length=1, description="Sheet of an Excel workbook, or file in a zip; null for the only one."
    )

    covariates: Annotated[Path, Field(strict=False)] | None = Field(
        None,
        description="File with a Date and columns of numbers, joined to the prices by date: their own columns "
        "(own:NAME in features), and those that are known ahead (known:NAME); relative to this file. null for columns "
        "of the price file alone.",
    )

    @field_validator("calendar")
    @classmethod
    def _by_its_name(cls, calendar: str) -> str:
        return calendar_named(calendar)

    @field_validator("covariates", mode="before")
    @classmethod
    def _is_one_file(cls, path: Any) -> Any:
        if path is not None and not isinstance(path, str):
            raise ValueError("should be the path of one file")
        return path

    @field_validator("path", "covariates", mode="before")
    @classmethod
    def _is_a_file(cls, paths: Any) -> Any:
        if any(isinstance(path, str) and "://" in path for path in as_list(paths)):
            raise ValueError("is a URL, and stockcast reads files. Download it first")
        if str(STDIN) in as_list(paths):
            raise ValueError("is standard input, which cannot be read again later. Save it to a file first")
        return paths

    @property
    def bars(self) -> Frequency:
        """Frequency of the bars that the network is given."""
        return FREQUENCIES[self.frequency]

    @property
    def file_bars(self) -> Frequency:
        """Frequency of the bars of the file, once those within the day are put together."""
        return DAILY if self.resample else self.bars

    @property
    def csv_options(self) -> CsvOptions:
        """How the price files are read."""
        return CsvOptions(
            date_format=self.date_format,
            encoding=self.encoding,
            separator="\t" if self.separator == "tab" else self.separator,
            decimal=self.decimal,
            tickers=self.ticker or (),
            columns=tuple((self.columns or {}).items()),
            resample=self.resample,
            calendar=self.calendar if self.resample else None,
            frequency=self.file_bars,
            bar_date=self.bar_date,
            sheet=self.sheet,
        )
