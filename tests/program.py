"""The command line: in this process, which has the libraries loaded, or in a process of its own."""

import io
import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from stockcast import cli

STOCKCAST = [sys.executable, "-m", "stockcast"]
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGPIPE") if hasattr(signal, name)]


def environment() -> dict[str, str]:
    """The user's environment, without a folder of runs that somebody set for real work."""
    return {name: value for name, value in os.environ.items() if name != "STOCKCAST_RUNS"}


def in_a_process(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own: for exit codes, signals and what libraries write to standard error."""
    return subprocess.run(
        [*STOCKCAST, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**environment(), **variables},
        timeout=300,
    )


def stockcast(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in this process, as `in_a_process` does in one of its own but without its seconds of imports."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    handlers = [signal.getsignal(number) for number in SIGNALS]
    before = dict(os.environ)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        patch.delenv("STOCKCAST_RUNS", raising=False)
        for name, value in variables.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["stockcast", *arguments])
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        patch.setattr(cli.gc, "freeze", lambda: None)  # for a process that ends; this one has much to collect yet
        patch.setattr(cli.gc, "set_threshold", lambda _: None)
        try:
            cli.main()
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except Exception:  # as the interpreter ends on it
            traceback.print_exc()
            code = 1
        finally:
            for number, handler in zip(SIGNALS, handlers, strict=True):
                signal.signal(number, handler)
    for name in set(os.environ) - set(before):
        del os.environ[name]  # such as the threads that a training sets for its process
    said = [stream.buffer.getvalue().decode("utf-8") for stream in (out, err)]
    return subprocess.CompletedProcess(["stockcast", *arguments], code, *said)
