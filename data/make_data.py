"""Write SP500.csv, GE.csv and stocks/ from the packages that carry their figures.

    python -m pip install arch==8.0.0 pandas && python -m pip install --no-deps skfolio==1.12.2
    python data/make_data.py

Needs no network. The files are committed, so only a change of their source calls for this.
"""

from importlib.metadata import distribution
from pathlib import Path

import pandas as pd
from arch.data import sp500

HERE = Path(__file__).parent


def write_sp500() -> None:
    """S&P 500, daily bars as `arch` carries them; prices with the source's six decimals."""
    bars = sp500.load().rename_axis("Date")
    bars.to_csv(HERE / "SP500.csv", float_format="%.6f", lineterminator="\n")


def write_stocks() -> None:
    """Twenty stocks of the S&P 500, daily adjusted closes as `skfolio` carries them; GE has a file of its own.

    The file behind `skfolio.datasets.load_sp500_dataset`, found without importing skfolio and its solvers.
    """
    stored = distribution("skfolio").locate_file("skfolio/datasets/data/sp500_dataset.csv.gz")
    for name, closes in pd.read_csv(Path(str(stored)), index_col="Date").items():
        path = HERE / "GE.csv" if name == "GE" else HERE / "stocks" / f"{name}.csv"
        path.parent.mkdir(exist_ok=True)
        closes.rename("Close").dropna().to_csv(path, lineterminator="\n")


if __name__ == "__main__":
    write_sp500()
    write_stocks()
