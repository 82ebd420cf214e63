# SPDX-License-Identifier: ISC
"""The lingering close: an error answer must not be lost to a reset."""

import threading

import pytest

from rawhttp import request
from server import wait_until

MIB = 1 << 20

# what the client sends first, the status; then it goes on for a megabyte
CASES = {
    "bad line": (b"NONSENSE\r\n", 400),
    "bad field": (b"GET / HTTP/1.1\r\n: x\r\n", 400),
    "line too long": (b"GET /" + b"a" * 65536, 414),
    "fields too many": (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1000, 431),
    "version": (b"GET / HTTP/2.0\r\n\r\n", 505),
    "both framings": (
        request("/", "Content-Length: 9", "Transfer-Encoding: chunked"), 400),
    "close": (request("/ping.txt", "Connection: close"), 200),
    "1.0": (request("/ping.txt", version="1.0"), 200),
}


@pytest.mark.parametrize("name", CASES)
def test_client_that_goes_on_sending(server, name):
    first, status = CASES[name]
    with server.connect() as c:
        sender = threading.Thread(
            target=c.send, args=(first + b"x" * MIB,))
        sender.start()
        assert c.receive().status == status
        assert c.is_at_end()
        sender.join()


def test_client_that_sends_before_it_reads(server):
    with server.connect() as c:
        c.send(b"NONSENSE\r\n" + b"x" * MIB)
        assert c.receive().status == 400
        assert c.is_at_end()


@pytest.mark.long
@pytest.mark.parametrize("talkative", [False, True])
def test_lingering_is_bounded(start, site, talkative):
    """Nobody keeps a refused connection by never closing their end."""
    server = start(site)
    with server.connect() as c:
        c.send(b"NONSENSE\r\n\r\n")
        assert c.receive().status == 400

        def is_released():
            try:
                if talkative:
                    c.send(b"x")
            except ConnectionError:
                pass
            return server.connections() == 0

        assert wait_until(is_released)
