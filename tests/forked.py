"""Run the command line on many cases, each in a process of its own, forked once the libraries are loaded.

python forked.py CASES.json: a list of {"cwd", "arguments"}; prints a list of {"code", "out", "err", "seconds",
"megabytes"}: processor time, so that other work on the machine does not count, and the peak of resident memory. A case
that takes longer than `LIMIT` seconds by the clock hangs and is killed: code -9.
"""

import importlib
import json
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path

LIMIT = 60


def run(case):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os._exit(act(case, out.fileno(), err.fileno()))
        signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
        signal.alarm(LIMIT)
        _, status, usage = os.wait4(child, 0)
        signal.alarm(0)
        told = {}
        for name, stream in (("out", out), ("err", err)):
            stream.seek(0)
            told[name] = stream.read().decode("utf-8", "replace")
        return {
            **told,
            "code": os.waitstatus_to_exitcode(status),
            "seconds": usage.ru_utime + usage.ru_stime,
            "megabytes": usage.ru_maxrss / 1024,
        }


def act(case, out, err):
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.chdir(case["cwd"])
    sys.argv = ["stockcast", *case["arguments"]]
    try:
        importlib.import_module("stockcast.cli").main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 70
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    for module in ("stockcast.pipeline.evaluate", "stockcast.pipeline.predict", "stockcast.cli.tables",
                   "stockcast.runs.score_table", "onnx", "onnxruntime", "exchange_calendars",
                   "matplotlib.pyplot"):  # fmt: skip
        importlib.import_module(module)
    importlib.import_module("exchange_calendars").get_calendar("XNYS")  # kept by the library: a second for each case
    print(json.dumps([run(case) for case in json.loads(Path(sys.argv[1]).read_text())]))
