"""Keeps a process, and those that it starts, from connecting to anything but itself."""

import contextlib
import ipaddress
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

_NOWHERE = "http://127.0.0.1:9"  # the port of "discard", which nothing listens on
_OWN = "localhost,127.0.0.1,::1"


class BeyondLoopback(BaseException):
    """A test has tried to reach the network; no handler of ordinary errors catches it."""


def is_loopback(host: object) -> bool:
    """Whether a host's name or address is that of the machine itself, or none."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        return False


@contextlib.contextmanager
def only_loopback() -> Iterator[None]:
    """Within the block a socket to another machine raises BeyondLoopback, and so does looking up its name.

    curl, which opens sockets in C, and child processes are led to a port where nothing listens instead.
    """

    def guarded(function: Callable[..., Any], host_of: Callable[..., object]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if not is_loopback(host := host_of(*args, **kwargs)):
                raise BeyondLoopback(f"a test reaches for {host}")
            return function(*args, **kwargs)

        return call

    def of_address(self: socket.socket, *args: Any) -> object:
        internet = self.family in (socket.AF_INET, socket.AF_INET6)
        return args[-1][0] if internet else None  # the address comes last; AF_UNIX has a path

    def of_name(host: object, *args: Any, **kwargs: Any) -> object:
        return host

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, guarded(getattr(socket.socket, name), of_address))
        for name in ("getaddrinfo", "gethostbyname"):
            patch.setattr(socket, name, guarded(getattr(socket, name), of_name))
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            patch.setenv(name, _NOWHERE)
            patch.setenv(name.upper(), _NOWHERE)
        for name in ("no_proxy", "NO_PROXY"):
            patch.setenv(name, ",".join(filter(None, [os.environ.get(name), _OWN])))
        yield
