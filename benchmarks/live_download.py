"""Reaches the network: downloads from Yahoo, and from Tiingo where TIINGO_API_KEY is set, and checks what comes.

The tests play both sources on the loopback; this shows whether they still respond as they are played.

    python benchmarks/live_download.py

For each source: a stock, an index or a fund, and a ticker that does not exist. It prints a line for each check, and
ends with exit code 1 if one fails.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

TICKERS = {"yahoo": ("AAPL", "^GSPC", "EURUSD=X", "NO-SUCH-TICKER"), "tiingo": ("AAPL", "SPY", "NO-SUCH-TICKER")}
FROM = "2024-01-02"


def stockcast(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "stockcast", *arguments], cwd=folder, capture_output=True, text=True, timeout=600
    )


def checks_of(source: str, folder: Path) -> dict[str, bool]:
    """Download from a source, and return what holds."""
    *known, unknown = TICKERS[source]
    done = stockcast("download", *known, unknown, "--source", source, "--from", FROM, "--json", folder=folder)
    print(done.stderr, end="")
    if not done.stdout:
        return {"a response": False}
    found = {each["ticker"]: each for each in json.loads(done.stdout)["tickers"]}
    checks = {f"{unknown} is unknown": "has no prices of" in found[unknown]["reason"]}
    for ticker in known:
        entry = found[ticker]["entry"] or {}
        checks[f"{ticker} is downloaded"] = found[ticker]["state"] == "downloaded" and entry["rows"] > 200
        checks[f"{ticker} has its last sessions"] = entry.get("missing") == []
        if entry:
            checked = stockcast("data", "check", f"prices/{entry['file']}", "--json", folder=folder)
            checks[f"{ticker} is read without a remark"] = json.loads(checked.stdout)["warnings"] == 0
    again = stockcast("download", *known, "--source", source, "--update", "--json", folder=folder)
    states = {each["state"] for each in json.loads(again.stdout)["tickers"]}
    checks["an update at once asks for nothing"] = states == {"unchanged"}
    return checks


def main() -> int:
    """Check each source whose key is there; return the exit code."""
    failed = False
    for source in TICKERS:
        if source == "tiingo" and not os.environ.get("TIINGO_API_KEY"):
            print("tiingo: not checked, TIINGO_API_KEY is not set")
            continue
        with tempfile.TemporaryDirectory() as folder:
            for check, holds in checks_of(source, Path(folder)).items():
                print(f"{source}: {'ok    ' if holds else 'FAILED'} {check}")
                failed |= not holds
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
