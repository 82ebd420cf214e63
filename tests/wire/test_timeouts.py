# SPDX-License-Identifier: ISC
"""Deadlines: for a head, between requests, and for those who dawdle."""

import select
import time

import pytest

from rawhttp import Malformed, request
from server import wait_until


@pytest.fixture
def hasty(start, site):
    """Waits for heads briefly, for requests long."""
    return start(site, "--header-timeout=0.5")


@pytest.fixture
def restless(start, site):
    """Waits for requests briefly, for heads long."""
    return start(site, "--idle-timeout=1")


def connect_and_send(server, raw, **options):
    """The server sees both at once: a pause of ours between them costs none
    of its deadlines."""
    with server.held():
        c = server.connect(**options)
        c.send(raw)
    return c


# Lower bounds count from before the connection was there, so that no pause
# makes them short.  Nothing needs an upper one: what is not meant takes longer
# than the patience of a client.

@pytest.mark.parametrize("part", [
    b"G", b"GET /ping.txt", b"GET /ping.txt HTTP/1.1\r\n",
    b"GET /ping.txt HTTP/1.1\r\nHost: x\r\n"],
    ids=["letter", "target", "line", "fields"])
def test_half_a_head(hasty, part):
    began = time.monotonic()
    with hasty.connect() as c:
        c.send(part)
        r = c.receive()
        assert r.status == 408
        assert r["Connection"] == "close"
        assert c.is_at_end()
    assert time.monotonic() - began > 0.4


def test_head_in_drops(hasty):
    """The deadline is for the whole head; each byte buys no time."""
    with hasty.connect() as c:
        for byte in request("/ping.txt", "X: " + "a" * 200):
            c.send(bytes([byte]))
            if select.select([c.socket], [], [], 0.1)[0]:
                break
        else:
            pytest.fail("the whole head was waited for")
        assert c.receive().status == 408


def test_silence_from_the_start(start, site):
    server = start(site, "--header-timeout=0.5", "--idle-timeout=1")
    began = time.monotonic()
    with server.connect() as c:
        answer = c.rest()
        assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - began > 0.4


def test_idle_connection_is_closed_without_a_word(restless):
    began = time.monotonic()
    with connect_and_send(restless, request()) as c:
        assert c.receive().status == 200
        assert c.rest() == b""
    assert time.monotonic() - began > 0.8


def test_half_a_head_on_a_used_connection(hasty):
    with hasty.connect() as c:
        assert c.ask(request()).status == 200
        c.send(b"GET /")
        assert c.receive().status == 408


def asks_in_time(server):
    """Requests with pauses; False when it was us who came too late."""
    before = time.monotonic()
    with server.connect() as c:
        for _ in range(4):
            # The server's clock began no earlier than this.
            previous, before = before, time.monotonic()
            try:
                assert c.ask(request()).status == 200
            except (ConnectionError, Malformed):
                assert time.monotonic() - previous > 0.9
                return False
            time.sleep(0.4)
    return True


def test_each_request_buys_idle_time(restless):
    assert wait_until(lambda: asks_in_time(restless))


def test_download_outlasts_the_deadlines(start, site):
    """Neither header nor idle time counts while an answer is on its way."""
    server = start(site, "--header-timeout=0.5", "--idle-timeout=1")
    with connect_and_send(server, request("/big.bin"), rcvbuf=65536) as c:
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
        assert wait_until(lambda: server.connections() == 0)
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
    raw = request("/ping.txt", "Content-Length: 100000000")
    with connect_and_send(server, raw) as c:
        assert c.receive()["Connection"] == "close"
        assert wait_until(lambda: server.connections() == 0)
