"""`python -m stockcast` is the `stockcast` command."""

from stockcast.cli import main

main()
