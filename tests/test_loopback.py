"""No test reaches the network: neither by a socket of Python, nor by curl, nor from a child process."""

import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from curl_cffi import requests
from loopback import BeyondLoopback

ADDRESS = ("192.0.2.1", 80)  # of a network that exists in documents alone


@pytest.mark.parametrize("call", ["connect", "connect_ex", "sendto"])
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_socket_to_another_machine_is_refused(family: socket.AddressFamily, call: str) -> None:
    address = ADDRESS if family == socket.AF_INET else ("2001:db8::1", 80)
    arguments = (b"x", address) if call == "sendto" else (address,)
    with socket.socket(family, socket.SOCK_DGRAM) as opened, pytest.raises(BeyondLoopback):
        getattr(opened, call)(*arguments)


def test_no_name_of_another_machine_is_looked_up() -> None:
    for look_up in (socket.gethostbyname, lambda name: socket.getaddrinfo(name, 443)):
        with pytest.raises(BeyondLoopback):
            look_up("query2.finance.yahoo.com")
    with pytest.raises(BeyondLoopback):
        socket.create_connection(ADDRESS, timeout=1)


def test_curl_and_urllib_find_nothing_beyond_the_loopback() -> None:
    with pytest.raises(requests.exceptions.RequestException, match=r"127\.0\.0\.1"):
        requests.get("https://query2.finance.yahoo.com", timeout=5)
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen("https://api.tiingo.com", timeout=5)


def test_a_child_process_finds_nothing_beyond_the_loopback() -> None:
    code = "from urllib.request import urlopen; urlopen('http://stockcast.invalid', timeout=5)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "refused" in done.stderr


def test_the_loopback_and_sockets_of_the_system_stay_open(tmp_path: Path) -> None:
    for family, address in ((socket.AF_INET, ("127.0.0.1", 0)), (socket.AF_UNIX, str(tmp_path / "socket"))):
        with socket.socket(family) as server, socket.socket(family) as client:
            server.bind(address)
            server.listen()
            waiting = threading.Thread(target=lambda server=server: server.accept()[0].close())
            waiting.start()
            client.connect(server.getsockname())
            waiting.join()
