"""Nodes of a Ray cluster on this machine, each with an address of its own on the loopback."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from made import REPOSITORY

ABSENT = "" if find_spec("ray") else "Ray is not installed: the extra cluster"
HIDES = shutil.which("unshare") is not None and not subprocess.run(["unshare", "-rm", "true"]).returncode
"""Whether a process can be kept from seeing a folder."""

TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 4}
"""Environment of all nodes, and of who works with them."""

_HIDDEN = ("unshare", "-rm", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"')
_SMALL = ("--object-store-memory=100000000", "--include-log-monitor=false")


@dataclass(frozen=True)
class RayNodes:
    """A head, which does no tasks, and nodes of one core each that do not see a folder.

    Attributes:
        address: of the head.
        nodes: the processes that hold the other nodes.
    """

    address: str
    nodes: "tuple[subprocess.Popen[str], ...]"


@contextmanager
def ray_nodes(*, nodes: int, hidden: Path) -> Iterator[RayNodes]:
    """Start a cluster, and end it with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.2", 0))
        address = f"127.0.0.2:{free.getsockname()[1]}"
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True))
        head = ["--head", f"--port={address.rpartition(':')[2]}", "--include-dashboard=false", f"--temp-dir={folder}"]
        _wait_for(stack.enter_context(_started(*head, "--node-ip-address=127.0.0.2", "--num-cpus=0")))
        hiding = (*_HIDDEN, str(hidden)) if HIDES else ()
        others = []
        for number in range(nodes):  # one after the other: they choose names and ports by what is taken
            own = f"--address={address}", f"--node-ip-address=127.0.0.{3 + number}"
            others.append(stack.enter_context(_started(*own, "--num-cpus=1", before=hiding)))
            _wait_for(others[-1])
        yield RayNodes(address, tuple(others))


def kill(node: "subprocess.Popen[str]") -> None:
    """Kill a node with all its processes, as a machine that is switched off."""
    if node.poll() is None:
        for process in [node.pid, *_processes_below(node.pid)]:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
    node.wait()
    if node.stdout:
        node.stdout.close()


def processes_above(process: int) -> list[int]:
    """Return the process that started a process, the one that started that, and so on."""
    above = []
    while process > 1:
        process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
        above.append(process)
    return above


def _processes_below(process: int) -> list[int]:
    below = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended since
            below += [int(path.name)] if process in processes_above(int(path.name)) else []
    return below


@contextmanager
def _started(*options: str, before: tuple[str, ...] = ()) -> "Iterator[subprocess.Popen[str]]":
    paths = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests")])
    node = subprocess.Popen(
        [*before, sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *_SMALL, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={
            **os.environ,
            **TOKEN,
            "PYTHONPATH": paths,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_raylet_start_wait_time_s": "120",
        },
    )
    try:
        yield node
    finally:
        kill(node)


def _wait_for(node: "subprocess.Popen[str]") -> None:
    """Wait until a node has joined its cluster."""
    lines = []
    for line in node.stdout or ():
        lines.append(line)
        if "Ray runtime started" in line:
            return
    raise RuntimeError("".join(lines))
