"""Exports in the shapes of vendors and programs, each with its clean twin and the settings that it needs."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from stockcast.data.csv.options import CsvOptions

# Three days around a year's end, so that no vendor's dates can be read in two ways.
CLEAN = """\
Date,Open,High,Low,Close,Volume
2018-12-28,1049.62,1055.56,1033.1,1037.08,1414800
2018-12-31,1050.96,1052.7,1023.59,1035.61,1493700
2019-01-02,1016.57,1052.32,1015.71,1045.85,1532600
"""
ADJUSTED = """\
Date,Open,High,Low,Close,Adj Close,Volume
2018-12-28,1049.62,1055.56,1033.1,1037.08,518.54,1414800
2018-12-31,1050.96,1052.7,1023.59,1035.61,1035.61,1493700
2019-01-02,1016.57,1052.32,1015.71,1045.85,1045.85,1532600
"""
WITHOUT_VOLUME = "\n".join(line.rpartition(",")[0] for line in CLEAN.splitlines())
GERMAN = CsvOptions(separator=";", decimal=",")

WITHOUT_OPEN = "\n".join(",".join(line.split(",")[i] for i in (0, 4, 5)) for line in CLEAN.splitlines())
CLOSES = "\n".join(",".join(line.split(",")[i] for i in (0, 4)) for line in CLEAN.splitlines())
COMMA = CsvOptions(decimal=",")


class Day(NamedTuple):
    """A day of CLEAN as a row of a format string names its parts; v is the volume, s and ms count since 1970."""

    day: datetime
    o: str
    h: str
    l: str  # noqa: E741
    c: str
    v: str
    s: int
    ms: int


def american(number: str) -> str:
    return f"{float(number):,.2f}"


def european(number: str) -> str:
    return american(number).translate(str.maketrans(",.", ".,"))


def swiss(number: str) -> str:
    return american(number).replace(",", "'")


def export(header: str, row: str, write: Callable[[str], str] = str, *, newest_first: bool = False) -> str:
    """A header, and each day of CLEAN by a format string."""
    days = []
    for line in CLEAN.splitlines()[1:]:
        date, *prices, volume = line.split(",")
        day = datetime.fromisoformat(f"{date}T00:00:00+00:00")
        seconds = int(day.timestamp())
        days.append(Day(day, *map(write, prices), volume, seconds, 1000 * seconds))
    rows = [row.format(**day._asdict()) for day in (days[::-1] if newest_first else days)]
    return "\n".join([header, *rows, ""])


SHAPES: dict[str, tuple[str, str, CsvOptions]] = {
    "Yahoo's site": (ADJUSTED, ADJUSTED, CsvOptions()),
    "yfinance before 0.2.50": (
        ADJUSTED.replace("518.54", "518.540000").replace("1033.1,", "1033.100000,"),
        ADJUSTED,
        CsvOptions(),
    ),
    "yfinance, three rows of header": (
        """\
Price,Close,High,Low,Open,Volume
Ticker,GOOG,GOOG,GOOG,GOOG,GOOG
Date,,,,,
2018-12-28,1037.08,1055.56,1033.1,1049.62,1414800
2018-12-31,1035.61,1052.7,1023.59,1050.96,1493700
2019-01-02,1045.85,1052.32,1015.71,1016.57,1532600
""",
        CLEAN,
        CsvOptions(),
    ),
    "yfinance's history(), with a zone": (
        """\
Date,Open,High,Low,Close,Volume,Dividends,Stock Splits
2018-12-28 00:00:00-05:00,1049.62,1055.56,1033.1,1037.08,1414800,0.0,0.0
2018-12-31 00:00:00-05:00,1050.96,1052.7,1023.59,1035.61,1493700,0.0,0.0
2019-01-02 00:00:00-04:00,1016.57,1052.32,1015.71,1045.85,1532600,0.0,0.0
""",
        CLEAN,
        CsvOptions(),
    ),
    "yfinance, several tickers, the names above": (
        """\
,Adj Close,Adj Close,Close,Close,High,High,Low,Low,Open,Open,Volume,Volume
,GOOG,MSFT,GOOG,MSFT,GOOG,MSFT,GOOG,MSFT,GOOG,MSFT,GOOG,MSFT
Date,,,,,,,,,,,,
2018-12-28,518.54,1,1037.08,2,1055.56,3,1033.1,1,1049.62,2,1414800,7
2018-12-31,1035.61,1,1035.61,2,1052.7,3,1023.59,1,1050.96,2,1493700,7
2019-01-02,1045.85,1,1045.85,2,1052.32,3,1015.71,1,1016.57,2,1532600,7
""",
        ADJUSTED,
        CsvOptions(tickers=("GOOG",)),
    ),
    "yfinance, several tickers, the tickers above": (
        """\
Ticker,MSFT,MSFT,GOOG,GOOG,GOOG,GOOG,GOOG
Price,Open,Close,Open,High,Low,Close,Volume
Date,,,,,,,
2018-12-28,1,2,1049.62,1055.56,1033.1,1037.08,1414800
2018-12-31,1,2,1050.96,1052.7,1023.59,1035.61,1493700
2019-01-02,1,2,1016.57,1052.32,1015.71,1045.85,1532600
""",
        CLEAN,
        CsvOptions(tickers=("GOOG",)),
    ),
    "Stooq": (CLEAN.replace("\n", "\r\n"), CLEAN, CsvOptions()),
    "Stooq's bulk text": (
        """\
<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>
GOOG.US,D,20181228,000000,1049.62,1055.56,1033.1,1037.08,1414800,0
GOOG.US,D,20181231,000000,1050.96,1052.7,1023.59,1035.61,1493700,0
GOOG.US,D,20190102,000000,1016.57,1052.32,1015.71,1045.85,1532600,0
""",
        CLEAN,
        CsvOptions(),
    ),
    "Nasdaq.com": (
        """\
Date,Close/Last,Volume,Open,High,Low
01/02/2019,$1045.85,1532600,$1016.57,$1052.32,$1015.71
12/31/2018,$1035.61,1493700,$1050.96,$1052.70,$1023.59
12/28/2018,$1037.08,1414800,$1049.62,$1055.56,$1033.10
""",
        CLEAN,
        CsvOptions(),
    ),
    "Investing.com": (
        """\
\ufeff"Date","Price","Open","High","Low","Vol.","Change %"
"01/02/2019","1,045.85","1,016.57","1,052.32","1,015.71","1.5326M","0.99%"
"12/31/2018","1,035.61","1,050.96","1,052.70","1,023.59","1493.7K","-0.14%"
"12/28/2018","1,037.08","1,049.62","1,055.56","1,033.10","1.4148M","-0.65%"
""",
        CLEAN,
        CsvOptions(),
    ),
    "Investing.com in German": (
        """\
"Datum","Zuletzt","Eröffn.","Hoch","Tief","Vol.","+/- %"
"02.01.2019","1.045,85","1.016,57","1.052,32","1.015,71","1,5326M","0,99%"
"31.12.2018","1.035,61","1.050,96","1.052,70","1.023,59","1,4937M","-0,14%"
"28.12.2018","1.037,08","1.049,62","1.055,56","1.033,10","1,4148M","-0,65%"
""",
        CLEAN,
        CsvOptions(decimal=","),
    ),
    "Alpha Vantage": (
        """\
timestamp,open,high,low,close,volume
2019-01-02,1016.5700,1052.3200,1015.7100,1045.8500,1532600
2018-12-31,1050.9600,1052.7000,1023.5900,1035.6100,1493700
2018-12-28,1049.6200,1055.5600,1033.1000,1037.0800,1414800
""",
        CLEAN,
        CsvOptions(),
    ),
    "Alpha Vantage, adjusted": (
        """\
timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient
2019-01-02,1016.5700,1052.3200,1015.7100,1045.8500,1045.85,1532600,0.0000,1.0
2018-12-31,1050.9600,1052.7000,1023.5900,1035.6100,1035.61,1493700,0.0000,1.0
2018-12-28,1049.6200,1055.5600,1033.1000,1037.0800,518.54,1414800,0.0000,1.0
""",
        ADJUSTED,
        CsvOptions(),
    ),
    "Google Sheets": (
        """\
Date,Open,High,Low,Close,Volume
12/28/2018 16:00:00,1049.62,1055.56,1033.1,1037.08,1414800
12/31/2018 16:00:00,1050.96,1052.7,1023.59,1035.61,1493700
1/2/2019 16:00:00,1016.57,1052.32,1015.71,1045.85,1532600
""",
        CLEAN,
        CsvOptions(),
    ),
    "Excel in German": (
        """\
Datum;Eröffnung;Hoch;Tief;Schluss;Volumen
28.12.2018;1.049,62;1.055,56;1.033,1;1.037,08;1.414.800
31.12.2018;1.050,96;1.052,7;1.023,59;1.035,61;1.493.700
02.01.2019;1.016,57;1.052,32;1.015,71;1.045,85;1.532.600
""",
        CLEAN,
        GERMAN,
    ),
    "Excel in French": (
        """\
Date;Ouverture;Plus haut;Plus bas;Clôture;Volume
28/12/2018;1\u202f049,62;1\u202f055,56;1\u00a0033,1;1\u00a0037,08;1 414 800
31/12/2018;1050,96;1052,7;1023,59;1035,61;1 493 700
02/01/2019;1016,57;1052,32;1015,71;1045,85;1 532 600
""",
        CLEAN,
        GERMAN,
    ),
    "Tiingo": (
        """\
date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,splitFactor
2018-12-28T00:00:00.000Z,1037.08,1055.56,1033.1,1049.62,1414800,518.54,527.78,516.55,524.81,1414800,0.0,1.0
2018-12-31T00:00:00.000Z,1035.61,1052.7,1023.59,1050.96,1493700,1035.61,1052.7,1023.59,1050.96,1493700,0.0,1.0
2019-01-02T00:00:00.000Z,1045.85,1052.32,1015.71,1016.57,1532600,1045.85,1052.32,1015.71,1016.57,1532600,0.0,1.0
""",
        ADJUSTED,
        CsvOptions(),
    ),
    "EODHD": (ADJUSTED.replace("Adj Close", "Adjusted_close"), ADJUSTED, CsvOptions()),
    "Quandl's WIKI": (
        """\
Date,Open,High,Low,Close,Volume,Ex-Dividend,Split Ratio,Adj. Open,Adj. High,Adj. Low,Adj. Close,Adj. Volume
2018-12-28,1049.62,1055.56,1033.1,1037.08,1414800.0,0.0,1.0,1,1,1,518.54,1
2018-12-31,1050.96,1052.7,1023.59,1035.61,1493700.0,0.0,1.0,1,1,1,1035.61,1
2019-01-02,1016.57,1052.32,1015.71,1045.85,1532600.0,0.0,1.0,1,1,1,1045.85,1
""",
        ADJUSTED,
        CsvOptions(),
    ),
    "MarketWatch": (
        """\
Date,Open,High,Low,Close,Volume
01/02/2019,"1,016.57","1,052.32","1,015.71","1,045.85","1,532,600"
12/31/2018,"1,050.96","1,052.70","1,023.59","1,035.61","1,493,700"
12/28/2018,"1,049.62","1,055.56","1,033.10","1,037.08","1,414,800"
""",
        CLEAN,
        CsvOptions(),
    ),
    "Wall Street Journal": (
        """\
Date, Open, High, Low, Close, Volume
01/02/19, 1016.57, 1052.32, 1015.71, 1045.85, 1532600
12/31/18, 1050.96, 1052.7, 1023.59, 1035.61, 1493700
12/28/18, 1049.62, 1055.56, 1033.1, 1037.08, 1414800
""",
        CLEAN,
        CsvOptions(),
    ),
    "Barchart": (
        """\
Symbol,Time,Open,High,Low,Last,Change,%Chg,Volume
GOOG,01/02/2019,1016.57,1052.32,1015.71,1045.85,10.24,+0.99%,1532600
GOOG,12/31/2018,1050.96,1052.7,1023.59,1035.61,-1.47,-0.14%,1493700
GOOG,12/28/2018,1049.62,1055.56,1033.1,1037.08,-6.8,-0.65%,1414800
"Downloaded from Barchart.com as of 01-03-2019 05:02pm CST"
""",
        CLEAN,
        CsvOptions(),
    ),
    "Macrotrends": (
        """\
Macrotrends Data Download

GOOG - Historical Price and Volume Data
Historical prices are adjusted for both splits and dividends

"Disclaimer and Terms of Use: Historical stock data is provided ""as is"", for information, not advice."


date,open,high,low,close,volume
2018-12-28,1049.62,1055.56,1033.1,1037.08,1414800
2018-12-31,1050.96,1052.7,1023.59,1035.61,1493700
2019-01-02,1016.57,1052.32,1015.71,1045.85,1532600
""",
        CLEAN,
        CsvOptions(),
    ),
    "CryptoDataDownload": (
        """\
https://www.CryptoDataDownload.com
unix,date,symbol,open,high,low,close,Volume BTC,Volume
1546387200,2019-01-02 00:00:00,BTC/USD,1016.57,1052.32,1015.71,1045.85,3,1532600
1546214400,2018-12-31 00:00:00,BTC/USD,1050.96,1052.7,1023.59,1035.61,3,1493700
1545955200,2018-12-28 00:00:00,BTC/USD,1049.62,1055.56,1033.1,1037.08,3,1414800
""",
        CLEAN,
        CsvOptions(),
    ),
    "CBOE": (
        """\
DATE,OPEN,HIGH,LOW,CLOSE
12/28/2018,1049.620000,1055.560000,1033.100000,1037.080000
12/31/2018,1050.960000,1052.700000,1023.590000,1035.610000
01/02/2019,1016.570000,1052.320000,1015.710000,1045.850000
""",
        WITHOUT_VOLUME,
        CsvOptions(),
    ),
    "NSE India": (
        """\
"Date ","series ","OPEN ","HIGH ","LOW ","PREV. CLOSE ","ltp ","close ","vwap ","52W H ","52W L ","VOLUME ","VALUE "
"02-Jan-2019","EQ","1,016.57","1,052.32","1,015.71","1,035.61","1,045.00","1,045.85","1,040.1","1","1","15,32,600","1"
"31-Dec-2018","EQ","1,050.96","1,052.70","1,023.59","1,037.08","1,035.00","1,035.61","1,040.1","1","1","14,93,700","1"
"28-Dec-2018","EQ","1,049.62","1,055.56","1,033.10","1,043.88","1,037.00","1,037.08","1,040.1","1","1","14,14,800","1"
""",
        CLEAN,
        CsvOptions(),
    ),
    "Bloomberg": (
        """\
Security,GOOG US Equity
Start Date,12/28/2018
End Date,01/02/2019
Period,D

Date,PX_OPEN,PX_HIGH,PX_LOW,PX_LAST,PX_VOLUME
12/28/2018,1049.62,1055.56,1033.1,1037.08,1414800
12/31/2018,1050.96,1052.7,1023.59,1035.61,1493700
1/2/2019,1016.57,1052.32,1015.71,1045.85,1532600
""",
        CLEAN,
        CsvOptions(),
    ),
    "Refinitiv": (
        """\
Exchange Date,Close,Net,%Chg,Open,Low,High,Volume,Turnover - USD,Flow
02-Jan-2019,1045.85,10.24,0.99%,1016.57,1015.71,1052.32,"1,532,600",1,1
31-Dec-2018,1035.61,-1.47,-0.14%,1050.96,1023.59,1052.7,"1,493,700",1,1
28-Dec-2018,1037.08,-6.80,-0.65%,1049.62,1033.1,1055.56,"1,414,800",1,1
""",
        CLEAN,
        CsvOptions(),
    ),
    "MetaTrader": (
        """\
<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>
2018.12.28\t1049.62\t1055.56\t1033.1\t1037.08\t9\t1414800\t1
2018.12.31\t1050.96\t1052.7\t1023.59\t1035.61\t9\t1493700\t1
2019.01.02\t1016.57\t1052.32\t1015.71\t1045.85\t9\t1532600\t1
""",
        CLEAN,
        CsvOptions(separator="\t"),
    ),
    "Ariva": (
        """\
Datum;Erster;Hoch;Tief;Schlusskurs;Stuecke;Volumen
2019-01-02;1.016,57;1.052,32;1.015,71;1.045,85;1.532.600;1602870000
2018-12-31;1.050,96;1.052,70;1.023,59;1.035,61;1.493.700;1546890000
2018-12-28;1.049,62;1.055,56;1.033,10;1.037,08;1.414.800;1467260000
""",
        CLEAN,
        GERMAN,
    ),
    "Comdirect": (
        """\
"Alphabet Inc. C"

"Datum";"Eröffnung";"Hoch";"Tief";"Schluss";"Volumen"
"02.01.2019";"1.016,57";"1.052,32";"1.015,71";"1.045,85";"1.532.600"
"31.12.2018";"1.050,96";"1.052,70";"1.023,59";"1.035,61";"1.493.700"
"28.12.2018";"1.049,62";"1.055,56";"1.033,10";"1.037,08";"1.414.800"
""",
        CLEAN,
        GERMAN,
    ),
    "months in words": (
        """\
Date,Open,High,Low,Close*,Adj Close**,Volume
"Jan 02, 2019",1016.57,1052.32,1015.71,1045.85,1045.85,"1,532,600"
"Dec 31, 2018",1050.96,1052.70,1023.59,1035.61,1035.61,"1,493,700"
"Dec 28, 2018",1049.62,1055.56,1033.10,1037.08,518.54,"1,414,800"
""",
        ADJUSTED,
        CsvOptions(),
    ),
}

_BARS = "{o},{h},{l},{c},{v}"
SHAPES |= {
    "tushare": (
        export(
            "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount",
            "600000.SH,{day:%Y%m%d}," + "{o},{h},{l},{c},1035.61,10.24,0.9888,{v},1602870.5",
            newest_first=True,
        ),
        CLEAN,
        CsvOptions(),
    ),
    "akshare": (
        export(
            "日期,股票代码,开盘,收盘,最高,最低,成交量,成交额,振幅,涨跌幅,涨跌额,换手率",
            "{day:%Y-%m-%d},600000,{o},{c},{h},{l},{v},1602870000.0,3.53,0.99,10.24,0.5",
        ),
        CLEAN,
        CsvOptions(),
    ),
    "NetEase": (
        export(
            "日期,股票代码,名称,收盘价,最高价,最低价,开盘价,前收盘,涨跌额,涨跌幅,换手率,成交量,成交金额",
            "{day:%Y-%m-%d},'600000,浦发银行,{c},{h},{l},{o},1035.61,10.24,0.99,0.5,{v},1602870000.0",
            newest_first=True,
        ),
        CLEAN,
        CsvOptions(),
    ),
    "Binance": (
        export(
            "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,ignore",
            "{ms}," + _BARS + ",{ms},1602870000.1,9,7,0",
        ),
        CLEAN,
        CsvOptions(),
    ),
    "Binance since 2025, in microseconds": (
        export("open_time,open,high,low,close,volume,close_time", "{ms}000," + _BARS + ",{ms}000"),
        CLEAN,
        CsvOptions(),
    ),
    "Kraken by ccxt": (
        export("timestamp,open,high,low,close,volume", "{ms}," + _BARS),
        CLEAN,
        CsvOptions(),
    ),
    "Kraken in bulk, without a header": (
        export("", "{s},{o},{h},{l},{c},{v},9"),
        CLEAN,
        CsvOptions(columns=(("Date", 1), ("Open", 2), ("High", 3), ("Low", 4), ("Close", 5), ("Volume", 6))),
    ),
    "MetaTrader 4, without a header": (
        export("", "{day:%Y.%m.%d},00:00,{o},{h},{l},{c},{v}"),
        CLEAN,
        CsvOptions(columns=(("Date", 1), ("Open", 3), ("High", 4), ("Low", 5), ("Close", 6), ("Volume", 7))),
    ),
    "CoinGecko": (
        export("snapped_at,price,market_cap,total_volume", "{day:%Y-%m-%d 00:00:00 UTC},{c},1.5e10,{v}"),
        WITHOUT_OPEN,
        CsvOptions(),
    ),
    "CoinMarketCap": (
        export(
            "timeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;marketCap;timestamp",
            '"{day:%Y-%m-%d}T00:00:00.000Z";"{day:%Y-%m-%d}T23:59:59.999Z";"{day:%Y-%m-%d}T03:00:00.000Z";'
            '"{day:%Y-%m-%d}T04:00:00.000Z";"2781";{o};{h};{l};{c};{v};1.5e10;"{day:%Y-%m-%d}T23:59:59.999Z"',
            newest_first=True,
        ),
        CLEAN,
        CsvOptions(separator=";"),
    ),
    "CryptoDataDownload, milliseconds": (
        export(
            "https://www.CryptoDataDownload.com\nUnix,Date,Symbol,Open,High,Low,Close,Volume",
            "{ms},{day:%Y-%m-%d},BTCUSDT," + _BARS,
            newest_first=True,
        ),
        CLEAN,
        CsvOptions(),
    ),
    "TradingView, seconds": (
        export("time,open,high,low,close,Volume,Volume MA", "{s}," + _BARS + ",NaN"),
        CLEAN,
        CsvOptions(),
    ),
    "TradingView, ISO": (
        export("time,open,high,low,close,Volume", "{day:%Y-%m-%dT%H:%M:%SZ}," + _BARS),
        CLEAN,
        CsvOptions(),
    ),
    "Dukascopy": (
        export("Gmt time,Open,High,Low,Close,Volume", "{day:%d.%m.%Y 00:00:00.000}," + _BARS),
        CLEAN,
        CsvOptions(),
    ),
    "FRED": (
        export("observation_date,SP500", "{day:%Y-%m-%d},{c}"),
        CLOSES,
        CsvOptions(),
    ),
    "Nikkei": (
        export("データ日付,終値,始値,高値,安値", '"{day:%Y/%m/%d}","{c}","{o}","{h}","{l}"')
        + "この資料の無断転載はできません。\n",
        WITHOUT_VOLUME,
        CsvOptions(),
    ),
    "Yahoo Japan": (
        export(
            "日付,始値,高値,安値,終値,出来高,調整後終値*",
            '{day:%Y年%m月%d日},"{o}","{h}","{l}","{c}","{v}","{c}"',
            american,
            newest_first=True,
        ),
        ADJUSTED.replace("518.54", "1037.08"),
        CsvOptions(),
    ),
    "Korea Exchange": (
        export(
            "일자,종가,대비,등락률,시가,고가,저가,거래량,거래대금,시가총액,상장주식수",
            '"{day:%Y/%m/%d}","{c}","10.24","0.99","{o}","{h}","{l}","{v}","1602870","1","1"',
            newest_first=True,
        ),
        CLEAN,
        CsvOptions(),
    ),
    "Naver": (
        export("날짜,종가,전일비,시가,고가,저가,거래량", '{day:%Y.%m.%d},"{c}",10,"{o}","{h}","{l}","{v}"', american),
        CLEAN,
        CsvOptions(),
    ),
    "BSE India": (
        export(
            "Date,Open Price,High Price,Low Price,Close Price,WAP,No.of Shares,No. of Trades,Total Turnover (Rs.)",
            "{day:%d-%B-%Y},{o},{h},{l},{c},1040.1,{v},9,1602870000",
            newest_first=True,
        ),
        CLEAN,
        CsvOptions(),
    ),
    "NSE India, by security": (
        export(
            "Symbol,Series,Date,Prev Close,Open Price,High Price,Low Price,Last Price,Close Price,Average Price,"
            "Total Traded Quantity,Turnover,No. of Trades",
            '"ACME","EQ","{day:%d-%b-%Y}","1035.61","{o}","{h}","{l}","1045.00","{c}","1040.1","{v}","1","9"',
        ),
        CLEAN,
        CsvOptions(),
    ),
    "Moscow Exchange": (
        export(
            "history\n\nBOARDID;TRADEDATE;SHORTNAME;SECID;NUMTRADES;VALUE;OPEN;LOW;HIGH;LEGALCLOSEPRICE;WAPRICE;"
            "CLOSE;VOLUME",
            "TQBR;{day:%Y-%m-%d};ACME;ACME;9;1602870000.5;{o};{l};{h};1045.1;1040.12;{c};{v}",
        ),
        CLEAN,
        CsvOptions(separator=";"),
    ),
    "Finam": (
        export(
            "<TICKER>;<PER>;<DATE>;<TIME>;<OPEN>;<HIGH>;<LOW>;<CLOSE>;<VOL>",
            "ACME;D;{day:%Y%m%d};000000;{o};{h};{l};{c};{v}",
        ),
        CLEAN,
        CsvOptions(separator=";"),
    ),
    "Stooq in Polish": (
        export("Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen", "{day:%Y-%m-%d}," + _BARS),
        CLEAN,
        CsvOptions(),
    ),
    "R's quantmod": (
        export(
            '"","ACME.Open","ACME.High","ACME.Low","ACME.Close","ACME.Volume"',
            '"{day:%Y-%m-%d}",' + _BARS,
        ),
        CLEAN,
        CsvOptions(),
    ),
    "R's zoo": (
        export('"Index" "Open" "High" "Low" "Close" "Volume"'.replace(" ", ","), "{day:%Y-%m-%d}," + _BARS),
        CLEAN,
        CsvOptions(),
    ),
    "pandas, an index without a name": (
        export(",Open,High,Low,Close,Volume", "{day:%Y-%m-%d}," + _BARS),
        CLEAN,
        CsvOptions(),
    ),
    "pandas, an index without a name, saved twice": (
        export("Unnamed: 0,Open,High,Low,Close,Volume", "{day:%Y-%m-%d}," + _BARS),
        CLEAN,
        CsvOptions(),
    ),
    "yfinance after reset_index": (
        export("Date,Open,High,Low,Close,Volume\n,ACME,ACME,ACME,ACME,ACME", "{day:%Y-%m-%d}," + _BARS),
        CLEAN,
        CsvOptions(),
    ),
    "yfinance, flattened": (
        export("Date,Open_ACME,High_ACME,Low_ACME,Close_ACME,Volume_ACME", "{day:%Y-%m-%d}," + _BARS),
        CLEAN,
        CsvOptions(),
    ),
    "Börse Frankfurt": (
        export("Datum;Eröffnung;Schluss;Tageshoch;Tagestief", "{day:%d.%m.%y};{o};{c};{h};{l}", european),
        WITHOUT_VOLUME,
        GERMAN,
    ),
    "finanzen.net": (
        export("Datum;Schluss;Eröffnung;Tageshoch;Tagestief", "{day:%d.%m.%Y};{c};{o};{h};{l}", european),
        WITHOUT_VOLUME,
        GERMAN,
    ),
    "Onvista": (
        export("Datum;Eröffnung;Hoch;Tief;Schluss;Volumen", "{day:%d.%m.%Y};{o};{h};{l};{c};{v}", european),
        CLEAN,
        GERMAN,
    ),
    "Excel in Switzerland": (
        export("Datum;Eröffnung;Hoch;Tief;Schluss;Volumen", "{day:%d.%m.%Y};{o};{h};{l};{c};{v}", swiss),
        CLEAN,
        CsvOptions(separator=";"),
    ),
    "Boursorama": (
        export("date\touv\thaut\tbas\tclot\tvol\tdevise", "{day:%d/%m/%Y 00:00}\t{o}\t{h}\t{l}\t{c}\t{v}\tEUR"),
        CLEAN,
        CsvOptions(separator="\t"),
    ),
    "Zonebourse": (
        export("Date;Ouverture;Haut;Bas;Clôture;Volume", "{day:%d/%m/%Y};{o};{h};{l};{c};{v}", european),
        CLEAN,
        GERMAN,
    ),
    "Bolsa de Madrid": (
        export("Fecha;Cierre;Apertura;Máximo;Mínimo;Volumen", "{day:%d/%m/%Y};{c};{o};{h};{l};{v}", european),
        CLEAN,
        GERMAN,
    ),
    "Euronext": (
        export(
            '"Historical Data"\n"From 2018-12-28 to 2019-01-02"\nNL0000000000\n'
            'Date;Open;High;Low;Last;Close;"Number of Shares";"Number of Trades";Turnover;vwap',
            "{day:%d/%m/%Y};{o};{h};{l};{c};{c};{v};9;1602870000;1040.12",
            newest_first=True,
        ),
        CLEAN,
        CsvOptions(separator=";"),
    ),
    "Nasdaq Nordic": (
        export(
            "sep=;\nDate;Bid;Ask;Opening price;High price;Low price;Closing price;Average price;Total volume;Turnover;",
            "{day:%Y-%m-%d};1,5;1,6;{o};{h};{l};{c};1,04;{v};1,6;",
            lambda number: number.replace(".", ","),
            newest_first=True,
        ),
        CLEAN,
        GERMAN,
    ),
    "MetaStock": (
        export("<Ticker>,<DTYYYYMMDD>,<Open>,<High>,<Low>,<Close>,<Volume>", "ACME,{day:%Y%m%d}," + _BARS),
        CLEAN,
        CsvOptions(),
    ),
    "Polygon": (
        export(
            "ticker,volume,open,close,high,low,window_start,transactions",
            "ACME,{v},{o},{c},{h},{l},{ms}000000,9",
        ),
        CLEAN,
        CsvOptions(),
    ),
    "Alpaca": (
        export(
            "symbol,timestamp,open,high,low,close,volume,trade_count,vwap",
            "ACME,{day:%Y-%m-%d 05:00:00+00:00}," + _BARS + ",9,1040.12",
        ),
        CLEAN,
        CsvOptions(),
    ),
    "Interactive Brokers by ib_insync": (
        export(",date,open,high,low,close,volume,average,barCount", "0,{day:%Y-%m-%d}," + _BARS + ",1040.12,9"),
        CLEAN,
        CsvOptions(),
    ),
    "Twelve Data": (
        export("datetime;open;high;low;close;volume", "{day:%Y-%m-%d};{o};{h};{l};{c};{v}", newest_first=True),
        CLEAN,
        CsvOptions(separator=";"),
    ),
    "Marketstack": (
        export(
            "open,high,low,close,volume,adj_high,adj_low,adj_open,adj_volume,split_factor,dividend,symbol,exchange,date",
            _BARS + ",1,1,1,1,1.0,0.0,ACME,XNAS,{day:%Y-%m-%d}T00:00:00+0000",
            newest_first=True,
        ),
        CLEAN,
        CsvOptions(),
    ),
    "Financial Modeling Prep": (
        export(
            "date,open,high,low,close,volume,unadjustedVolume,change,changePercent,vwap,label,changeOverTime",
            "{day:%Y-%m-%d}," + _BARS + ',1,0.5,0.99,1040.12,"{day:%B %d, %y}",0.0099',
            newest_first=True,
        ),
        CLEAN,
        CsvOptions(),
    ),
    "Kaggle's Huge Stock Market": (
        export("Date,Open,High,Low,Close,Volume,OpenInt", "{day:%Y-%m-%d}," + _BARS + ",0"),
        CLEAN,
        CsvOptions(),
    ),
}

_INVESTING = {  # names as on the site of that language; change, which is not read, is in percent
    "French": "Date, Dernier, Ouv., Plus Haut, Plus Bas, Vol., Variation %",
    "Spanish": "Fecha, Último, Apertura, Máximo, Mínimo, Vol., % var.",
    "Italian": "Data, Ultimo, Apertura, Massimo, Minimo, Vol., Var. %",
    "Portuguese": "Data, Último, Abertura, Máxima, Mínima, Vol., Var%",
    "Dutch": "Datum, Laatste, Open, Hoog, Laag, Vol., Verschil %",
    "Polish": "Data, Ostatnio, Otwarcie, Max., Min., Wol., Zmiana%",
    "Russian": "Дата, Цена, Откр., Макс., Мин., Объём, Изм. %",
    "Turkish": "Tarih, Şimdi, Açılış, Yüksek, Düşük, Hac., Fark %",  # noqa: RUF001
    "Swedish": "Datum, Senaste, Öppen, Högst, Lägst, Vol., +/- %",
    "Greek": "Ημερομηνία, Τελευταία, Άνοιγμα, Υψηλό, Χαμηλό, Όγκος, Μεταβολή %",
    "Vietnamese": "Ngày, Lần cuối, Mở, Cao, Thấp, KL, % Thay đổi",
    "Indonesian": "Tanggal, Terakhir, Pembukaan, Tertinggi, Terendah, Vol., Perubahan%",
    "Japanese": "日付け, 終値, 始値, 高値, 安値, 出来高, 変化率 %",
    "Korean": "날짜, 종가, 시가, 고가, 저가, 거래량, 변동 %",
    "Chinese": "日期, 收盘, 开盘, 高, 低, 交易量, 涨跌幅",
    "Hebrew": "תאריך, שער, פתיחה, גבוה, נמוך, נפח, % שינוי",
}
for _language, _header in _INVESTING.items():
    _is_english = _language in ("Japanese", "Korean", "Chinese", "Hebrew")
    _write, _mark = (american, ".") if _is_english else (european, ",")
    _date = "{day:%Y-%m-%d}" if _is_english else "{day:%d.%m.%Y}"
    SHAPES[f"Investing.com in {_language}"] = (
        "\ufeff"
        + export(
            ",".join(f'"{name}"' for name in _header.split(", ")),
            ",".join(f'"{cell}"' for cell in (_date, "{c}", "{o}", "{h}", "{l}", "{v}", f"0{_mark}99%")),
            _write,
            newest_first=True,
        ),
        CLEAN,
        CsvOptions() if _is_english else COMMA,
    )
