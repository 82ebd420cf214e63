# SPDX-License-Identifier: ISC
"""Deadlines: for a head, between requests, and for those who dawdle."""

import socket
import time

import pytest

from rawhttp import request
from server import wait_until


@pytest.fixture
def hasty(start, site):
    return start(site, "--header-timeout=0.5", "--idle-timeout=1")


def seconds_until(action):
    began = time.monotonic()
    result = action()
    return time.monotonic() - began, result


@pytest.mark.parametrize("part", [
    b"G", b"GET /ping.txt", b"GET /ping.txt HTTP/1.1\r\n",
    b"GET /ping.txt HTTP/1.1\r\nHost: x\r\n"],
    ids=["letter", "target", "line", "fields"])
def test_half_a_head(hasty, part):
    with hasty.connect() as c:
        c.send(part)
        took, r = seconds_until(c.receive)
        assert r.status == 408
        assert r["Connection"] == "close"
        assert c.is_at_end()
        assert 0.4 < took < 3


def test_head_in_drops(hasty):
    """The deadline is for the whole head; each byte buys no time."""
    with hasty.connect() as c:
        c.socket.settimeout(0.1)
        began = time.monotonic()
        for byte in request("/ping.txt", "X: " + "a" * 200):
            c.send(bytes([byte]))
            try:
                c.fill()
                break
            except socket.timeout:
                pass
        assert time.monotonic() - began < 3
        assert c.receive().status == 408


def test_silence_from_the_start(hasty):
    with hasty.connect() as c:
        took, answer = seconds_until(c.rest)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")
        assert 0.4 < took < 4


def test_idle_connection_is_closed_without_a_word(hasty):
    with hasty.connect() as c:
        assert c.ask(request()).status == 200
        took, answer = seconds_until(c.rest)
        assert answer == b""
        assert 0.8 < took < 4


def test_half_a_head_on_a_used_connection(hasty):
    with hasty.connect() as c:
        assert c.ask(request()).status == 200
        c.send(b"GET /")
        took, r = seconds_until(c.receive)
        assert r.status == 408
        assert took < 3


def test_each_request_buys_idle_time(hasty):
    with hasty.connect() as c:
        for _ in range(4):
            assert c.ask(request()).status == 200
            time.sleep(0.4)


def test_download_outlasts_the_deadlines(hasty):
    """Neither header nor idle time counts while an answer is on its way."""
    with hasty.connect(rcvbuf=65536) as c:
        c.send(request("/big.bin"))
        length = int(c.head()["Content-Length"])
        have = 0
        while have < length:
            have += len(c.take(min(1 << 20, length - have)))
            time.sleep(0.25)


@pytest.mark.long
def test_reader_below_the_minimal_rate(start, site):
    server = start(site, "--min-rate=1000000", "--header-timeout=0.5")
    with server.connect(rcvbuf=4096) as c:
        c.send(request("/big.bin"))
        length = int(c.head()["Content-Length"])
        assert wait_until(lambda: server.connections() == 0, 20)
        try:
            assert len(c.rest()) < length
        except ConnectionResetError:
            pass


def test_reader_above_the_minimal_rate(start, site):
    server = start(site, "--min-rate=1000")
    with server.connect(rcvbuf=4096) as c:
        c.send(request("/big.bin"))
        c.head()
        for _ in range(20):
            c.take(20000)
            time.sleep(0.1)
        # Here yet: the rest comes as fast as one likes.
        assert len(c.take(1 << 20)) == 1 << 20


@pytest.mark.long
def test_body_below_the_minimal_rate(start, site):
    server = start(site, "--min-rate=1000000", "--header-timeout=0.5",
                   "--idle-timeout=1")
    with server.connect() as c:
        c.send(request("/ping.txt", "Content-Length: 100000000"))
        assert wait_until(server.connections)
        assert wait_until(lambda: server.connections() == 0, 20)
