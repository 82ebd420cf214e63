# SPDX-License-Identifier: ISC
"""Connections that last, and pipelining: RFC 9112 9."""

import threading

import pytest

import docroot
from rawhttp import request
from server import wait_until

# version, field lines, what becomes of the connection
CASES = {
    "1.1": ("1.1", [], "open"),
    "1.1 keep-alive": ("1.1", ["Connection: keep-alive"], "open"),
    "1.1 close": ("1.1", ["Connection: close"], "closed"),
    "1.1 Close": ("1.1", ["connection: Close"], "closed"),
    "1.1 close in a list": ("1.1", ["Connection: x, close"], "closed"),
    "1.1 close in a second line": (
        "1.1", ["Connection: x", "Connection: close"], "closed"),
    "1.1 both": ("1.1", ["Connection: close, keep-alive"], "closed"),
    "1.1 both, turned": ("1.1", ["Connection: keep-alive, close"], "closed"),
    "1.1 closed is not close": ("1.1", ["Connection: closed"], "open"),
    "1.1 quoted is not close": ("1.1", ['Connection: "close"'], "open"),
    "1.1 empty elements": ("1.1", ["Connection: ,, close,"], "closed"),
    "1.0": ("1.0", [], "closed"),
    "1.0 keep-alive": ("1.0", ["Connection: keep-alive"], "open"),
    "1.0 Keep-Alive": ("1.0", ["Connection: Keep-Alive"], "open"),
    "1.0 both": ("1.0", ["Connection: keep-alive, close"], "closed"),
    "1.0 close": ("1.0", ["Connection: close"], "closed"),
}


@pytest.mark.parametrize("name", CASES)
def test_connection(server, name):
    version, fields, end = CASES[name]
    talk = server.talk(request("/ping.txt", *fields, version=version))
    assert talk.story == f"200 {end}"
    said = (talk[0].get("Connection") or "").lower()
    if end == "closed" and version == "1.1":
        assert said == "close"
    if end == "open" and version == "1.0":
        assert said == "keep-alive"


@pytest.mark.parametrize("target,status", [
    ("/nowhere", 404), ("/sub", 301), ("/plain/", 200), ("/empty.txt", 200)])
def test_no_answer_costs_the_connection(server, target, status):
    assert server.talk(request(target) * 3).story == \
        " ".join([str(status)] * 3 + ["open"])


def numbered(i):
    return request(f"/many/{i % 100:02}")


@pytest.mark.parametrize("piece", [None, 1, 17, 1000])
def test_hundred_pipelined(server, piece):
    """In order, whatever pieces the network makes of them."""
    raw = b"".join(numbered(i) for i in range(100))
    talk = server.talk(raw, piece=piece)
    assert talk.story == "200 " * 100 + "open"
    assert [r.body for r in talk.responses] == [
        b"file %02d\n" % i for i in range(100)]


def test_pipeline_of_all_kinds(server):
    kinds = [("GET", "/ping.txt", 200), ("HEAD", "/ping.txt", 200),
             ("GET", "/nowhere", 404), ("OPTIONS", "*", (200, 204)),
             ("GET", "/plain/", 200), ("HEAD", "/plain/", 200),
             ("GET", "/big.bin", 200), ("GET", "/sub", 301)]
    raw = b"".join(request(t, method=m) for m, t, _ in kinds)
    talk = server.talk(raw, methods=[m for m, _, _ in kinds])
    assert talk.end == "open"
    for r, (_, _, status) in zip(talk.responses, kinds, strict=True):
        assert r.status in (status if isinstance(status, tuple)
                            else (status,))


def test_nothing_behind_close_is_answered(server):
    raw = request("/ping.txt", "Connection: close") + request("/index.html")
    assert server.talk(raw).story == "200 closed"


def test_pipeline_larger_than_all_buffers(server):
    """A client that sends and sends before it reads: nobody is stuck, and
    what waits is bounded by the buffers of the kernel."""
    count = 2000
    raw = b"".join(request("/thousand.bin", "X: " + "y" * 500)
                   for _ in range(count))
    with server.connect() as c:
        sender = threading.Thread(target=c.send, args=(raw,))
        sender.start()
        for _ in range(count):
            assert c.receive().body == docroot.THOUSAND
        sender.join()


def test_many_short_answers_behind_a_slow_one(cgi):
    """A program holds them up; then they are far more than their requests.
    So short are these that as many as can be are received meanwhile."""
    targets = ["/x" if i % 37 == 0 else "/" for i in range(1400)]
    with cgi.connect() as c:
        c.send(request("/cgi-bin/waits?1") + b"".join(
            f"HEAD {target} HTTP/1.1\nHost:\n\n".encode()
            for target in targets))
        assert c.receive().body == b"short\n"
        for target in targets:
            assert c.receive("HEAD").status == (200 if target == "/" else 404)


@pytest.mark.many_clients
def test_flood_does_not_starve_others(server):
    """The flood has no end before the other is answered."""
    stop, sent, received = threading.Event(), 0, 0

    def send():
        nonlocal sent
        while not stop.is_set():
            flood.send(request() * 500)
            sent += 500

    def receive():
        nonlocal received
        while data := flood.socket.recv(1 << 18):
            received += len(data)

    with server.connect() as flood, server.connect() as other:
        flood.send(request())
        while not flood.held.endswith(b"pong\n"):
            assert flood.fill()
        size = len(flood.held)      # that of every answer
        threads = [threading.Thread(target=f) for f in (send, receive)]
        for t in threads:
            t.start()
        try:
            for _ in range(10):
                assert other.ask(request()).status == 200
        finally:
            stop.set()
            threads[0].join()
            wait_until(lambda: received >= sent * size)
            flood.half_close()
            threads[1].join()
    assert sent > 0 and received == sent * size


def test_half_closed_client_gets_its_answers(server):
    with server.connect() as c:
        c.send(request("/big.bin") + request())
        c.half_close()
        assert c.receive().body == docroot.BIG
        assert c.receive().body == b"pong\n"
        assert c.is_at_end()


def test_client_that_leaves_within_its_answer(server):
    for _ in range(5):
        with server.connect(rcvbuf=4096) as c:
            c.send(request("/big.bin") * 3)
            c.head()
    assert server.get().status == 200


@pytest.mark.many_clients
def test_slow_reader_holds_up_nobody(server):
    with server.connect(rcvbuf=4096) as slow:
        slow.send(request("/big.bin"))
        slow.head()
        for _ in range(20):
            assert server.get().status == 200


@pytest.mark.many_clients
def test_half_a_request_holds_up_nobody(server):
    with server.connect() as slow:
        slow.send(request()[:-2])
        assert server.get().status == 200
        slow.send(b"\r\n")
        assert slow.receive().status == 200


def test_empty_line_behind_a_request(start, site):
    """It is no beginning of a request: the end of the wait is silent."""
    server = start(site, "--header-timeout=0.3", "--idle-timeout=0.8")
    with server.held():     # or it might be tired of us before it is asked
        c = server.connect()
        c.send(request() + b"\r\n")
    with c:
        assert c.receive().status == 200
        assert c.rest() == b""
