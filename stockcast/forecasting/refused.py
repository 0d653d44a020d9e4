"""Price files that cannot be trained on: which training goes on without, and when there are too many of them."""

import textwrap
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from stockcast.config.schema import Config
from stockcast.data.stored_prices import StoredPrices
from stockcast.errors import DataError
from stockcast.forecasting.reading import OnMessage, raise_together
from stockcast.inputs import located
from stockcast.runs.directory import RefusedFile
from stockcast.text import plural

_SHOWN = 20
_LONGEST = 160  # letters of a reason


class Refusals:
    """The price files of a training that cannot be used.

    A file of a folder may be left out. One that `data.path` names itself is meant, so it must be usable, as must all
    series where `data.ticker` is all.
    """

    def __init__(self, config: Config, *, may_grow: bool) -> None:
        """Take what the config allows; `may_grow` is false once a training has begun, as its files are settled then."""
        self._most = config.data.refuse_at_most
        self._may_leave_out = may_grow and not config.data.csv_options.takes_all
        self._named = {path for path in config.data.path if not located(path).is_dir()}
        self._errors: list[tuple[Path, DataError]] = []

    @property
    def files(self) -> list[RefusedFile]:
        """The files, with the reason of each, in the order of their names."""
        return sorted(
            (RefusedFile(str(path), _reason(path, error)) for path, error in self._errors), key=lambda file: file.path
        )

    def add(self, path: Path, error: DataError) -> None:
        """Note why a file cannot be used."""
        self._errors.append((path, error))

    def add_repeated(self, prices: StoredPrices) -> StoredPrices:
        """Note the files of folders whose days and closes are those of an earlier one; return the other series."""
        labels: dict[str, str] = {}
        kept = []
        for number, series in enumerate(prices):
            closes = series.closes_sha256(first="", before=date.max)
            is_repeated = closes in labels
            label = labels.setdefault(closes, series.label)
            if not is_repeated or not self._is_optional(series.source):
                kept.append(number)
                continue
            message = f"{series.source}: it has the days and closes of {label}, one series under two names"
            self.add(series.source, DataError(f"{message}. Remove one of them.", file=series.source, key="data.path"))
        return prices.only(kept)

    def check(self, *, of: str, others: int) -> None:
        """Check that training may go on without these files.

        Args:
            of: what they are, `price files`.
            others: how many can be used.

        Raises:
            DataError: they are too many, or one of them must be usable; describes all, with the fields of the first.
        """
        errors, total = [error for _, error in self._errors], len(self._errors) + others
        if not errors or (all(self._is_optional(path) for path, _ in self._errors) and self._are_few(total)):
            return
        advice = (
            f"Training goes on without files of a folder that are at most {self._most:g} of all (data.refuse_at_most)."
        )
        raise_together(errors, of=f"{total} {of}", advice=advice if self._may_leave_out else "")

    def _is_optional(self, path: Path) -> bool:
        return self._may_leave_out and path not in self._named

    def _are_few(self, total: int) -> bool:
        return len(self._errors) < total and len(self._errors) / total <= self._most


def report_refused(refused: Sequence[RefusedFile], *, files: int, on_message: OnMessage) -> None:
    """Report which of so many price files are left out, with the reason of each."""
    if refused:
        shown = [f"{Path(file.path).name}: {file.reason}" for file in refused[:_SHOWN]]
        more = [f"and {len(refused) - _SHOWN} more"] if len(refused) > _SHOWN else []
        on_message(f"{len(refused)} of {plural(files, 'price file')} left out: {'; '.join([*shown, *more])}.")


def _reason(path: Path, error: DataError) -> str:
    """Return the first sentence of an error without the file's name."""
    first = str(error).splitlines()[0].removeprefix(str(path)).removeprefix(path.name).lstrip(":, ")
    more = f", and {len(error.problems) - 1} more" if len(error.problems) > 1 else ""
    return textwrap.shorten(first.split(". ")[0].rstrip("."), _LONGEST, placeholder=" ...") + more
