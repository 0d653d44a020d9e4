"""What vendors and languages call the columns of daily bars: one line for each source, all in one place.

A name counts whatever its case, spaces, underscores, angle brackets and footnote stars. Where a table has several
columns that may be one thing, a standard name wins over a vendor's, and this over a last resort.
"""

import unicodedata
from functools import lru_cache
from types import MappingProxyType

PRICE_COLUMNS = ("Open", "High", "Low", "Close", "Adj Close")
COLUMNS = (*PRICE_COLUMNS, "Volume")

_Names = dict[str, tuple[str, ...]]

# The source of each line is named in its comment: the site or the package whose export has these names.
_STANDARD: _Names = {
    "Date": ("Date",),
    "Open": ("Open",),
    "High": ("High",),
    "Low": ("Low",),
    "Close": ("Close",),
    "Adj Close": ("Adj Close",),  # Yahoo
    "Volume": ("Volume",),
    "Ticker": ("Ticker",),
}
_ORDER = ("Date", "Close", "Open", "High", "Low", "Volume")  # as Investing.com has them
_INVESTING = (
    "Date, Price, Open, High, Low, Vol.",  # English
    "Datum, Zuletzt, Eröffn., Hoch, Tief, Vol.",  # German
    "Date, Dernier, Ouv., Plus Haut, Plus Bas, Vol.",  # French
    "Fecha, Último, Apertura, Máximo, Mínimo, Vol.",  # Spanish
    "Data, Ultimo, Apertura, Massimo, Minimo, Vol.",  # Italian
    "Data, Último, Abertura, Máxima, Mínima, Vol.",  # Portuguese
    "Datum, Laatste, Open, Hoog, Laag, Vol.",  # Dutch
    "Data, Ostatnio, Otwarcie, Max., Min., Wol.",  # Polish
    "Дата, Цена, Откр., Макс., Мин., Объём",  # Russian
    "Tarih, Şimdi, Açılış, Yüksek, Düşük, Hac.",  # Turkish
    "日付け, 終値, 始値, 高値, 安値, 出来高",  # Japanese
    "날짜, 종가, 시가, 고가, 저가, 거래량",  # Korean
    "日期, 收盘, 开盘, 高, 低, 交易量",  # Chinese, simplified
    "日期, 收市, 開市, 高, 低, 成交量",  # Chinese, traditional
    "Datum, Senaste, Öppen, Högst, Lägst, Vol.",  # Swedish
    "Päivämäärä, Viimeisin, Avaus, Ylin, Alin, Vol.",  # Finnish
    "Ημερομηνία, Τελευταία, Άνοιγμα, Υψηλό, Χαμηλό, Όγκος",  # Greek
    "Ngày, Lần cuối, Mở, Cao, Thấp, KL",  # Vietnamese
    "Tanggal, Terakhir, Pembukaan, Tertinggi, Terendah, Vol.",  # Indonesian
    "תאריך, שער, פתיחה, גבוה, נמוך, נפח",  # Hebrew
    "التاريخ, الأخير, الفتح, مرتفع, منخفض, الحجم",  # Arabic
)
_VENDORS: tuple[_Names, ...] = (
    {"Date": ("timestamp",), "Adj Close": ("adjusted_close",)},  # Alpha Vantage
    {"Date": ("Datetime",), "Adj Close": ("Adj. Close",)},  # yfinance for bars within the day; Quandl
    {"Close": ("Close/Last",)},  # Nasdaq.com
    {"Close": ("Latest",)},  # Barchart
    {"Close": ("Last",)},  # Euronext, NSE
    {"Date": ("Exchange Date",)},  # Refinitiv
    {"Open": ("PX_OPEN",), "High": ("PX_HIGH",), "Low": ("PX_LOW",), "Close": ("PX_LAST",), "Volume": ("PX_VOLUME",)},
    {"Date": ("time",), "Volume": ("vol",)},  # TradingView, Kraken, Stooq in bulk
    {"Date": ("Open Time",)},  # Binance
    {"Date": ("Gmt time", "Local time", "EET")},  # Dukascopy
    {"Date": ("DTYYYYMMDD", "YYYYMMDD")},  # MetaStock
    {"Date": ("unix",)},  # CryptoDataDownload, where there is no date
    {"Date": ("snapped_at",), "Volume": ("total_volume",)},  # CoinGecko
    {"Date": ("observation_date",)},  # FRED, whose other column is the series
    {"Date": ("trade_date",), "Ticker": ("ts_code",)},  # tushare
    {"Date": ("TRADEDATE",), "Ticker": ("SECID",)},  # Moscow Exchange
    {"Open": ("Open Price",), "High": ("High Price",), "Low": ("Low Price",), "Close": ("Close Price",)},  # BSE
    {"Open": ("Opening Price",), "Volume": ("No. of Shares", "Total Traded Quantity")},  # BSE, NSE
    {"High": ("最高",), "Low": ("最低",), "Volume": ("成交量",), "Ticker": ("股票代码",)},  # akshare
    {"Open": ("开盘价",), "High": ("最高价",), "Low": ("最低价",), "Close": ("收盘价",)},  # NetEase, Wind
    {"Date": ("window_start",)},  # Polygon
    {"Volume": ("Number of Shares",)},  # Euronext
    {"Close": ("Closing price",), "Volume": ("Total volume",)},  # Nasdaq Nordic
    {"Date": ("データ日付",)},  # Nikkei
    {"Date": ("日付",), "Adj Close": ("調整後終値", "調整後終値*")},  # Yahoo Japan
    {"Date": ("일자",)},  # Korea Exchange
    {"Open": ("Otwarcie",), "High": ("Najwyzszy", "Najwyższy"), "Low": ("Najnizszy", "Najniższy")},  # Stooq, Polish
    {"Close": ("Zamkniecie", "Zamknięcie"), "Volume": ("Wolumen",)},  # Stooq, Polish
    {"Open": ("Erster",), "Close": ("Schlusskurs",), "Volume": ("Stücke", "Stuecke")},  # Ariva
    {"Open": ("Eröffnung",), "Close": ("Schluss",)},  # Onvista
    {"High": ("Tageshoch",), "Low": ("Tagestief",)},  # Börse Frankfurt, finanzen.net
    {"Open": ("Ouverture",), "High": ("Haut",), "Low": ("Bas",), "Close": ("Clôture",)},  # Zonebourse
    {"Open": ("ouv",), "Close": ("clot",)},  # Boursorama
    {"Close": ("Cierre",)},  # Bolsa de Madrid
    {"Ticker": ("Symbol",)},  # NSE, CryptoDataDownload
)
_LAST_RESORT: _Names = {
    "Volume": ("Volumen",),  # Ariva: where there are Stücke, it is their price in euros
    "Ticker": ("Name", "Stock", "Instrument"),  # Kaggle
    "Adj Close": ("Adjusted",),  # R's quantmod, as AAPL.Adjusted
}


@lru_cache(maxsize=10_000)
def spelling(name: str) -> str:
    """A column's name without what vendors vary: case, spaces, underscores, angle brackets, footnote stars."""
    plain = unicodedata.normalize("NFKC", name).casefold().strip().rstrip("*").strip()
    return "".join(plain.removeprefix("<").removesuffix(">").replace("_", " ").split())


def _meanings() -> dict[str, tuple[str, int]]:
    found: dict[str, tuple[str, int]] = {}
    languages: list[_Names] = [
        {name: (word,) for name, word in zip(_ORDER, line.split(", "), strict=True)} for line in _INVESTING
    ]
    for rank, sources in enumerate(([_STANDARD], [*_VENDORS, *languages], [_LAST_RESORT])):
        for source in sources:
            for name, words in source.items():
                for word in words:
                    found.setdefault(spelling(word), (name, rank))
    return found


MEANINGS = MappingProxyType(_meanings())
"""Spelling of a column's name -> the standard name that it stands for, and its rank, best first."""
