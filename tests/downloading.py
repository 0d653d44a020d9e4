"""`python downloading.py URL NOW ARGUMENTS...` is stockcast with its sources at this address, at this time."""

import sys
from datetime import datetime

from market_server import direct_to

from stockcast.cli import main

if __name__ == "__main__":
    url, now, *arguments = sys.argv[1:]
    direct_to(url, datetime.fromisoformat(now), setattr)
    sys.argv = ["stockcast", *arguments]
    try:
        main()
    finally:
        print("loaded:", *{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
