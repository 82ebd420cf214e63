# SPDX-License-Identifier: ISC
"""The request's content on its way to a CGI program, and back."""

import contextlib
import threading
import time

import pytest

import cgi_bin as programs
from rawhttp import request
from server import is_sanitized, wait_until

MIB = 1 << 20
SPOOL_MAX = 16 * MIB
BLOCK = bytes(range(256)) * 256         # 64 KiB


def chunked(*chunks):
    return b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in (*chunks, b""))


@pytest.mark.parametrize("size", [1, 1000, 65535, 65536, 65537, 200000])
@pytest.mark.parametrize("piece", [None, 997])
def test_echo(cgi, size, piece):
    content = (BLOCK * 4)[:size]
    with cgi.connect() as c:
        c.send(request("/cgi-bin/echo", f"Content-Length: {size}",
                       method="POST", body=content), piece)
        r = c.receive()
        assert r.body == content
        # An answer that began before the request's end is the last one.
        if r.get("Connection") == "close":
            assert c.is_at_end()
        else:
            assert c.ask(request()).status == 200


def echo_much(server, size):
    """Sends and receives at once."""
    with server.connect() as c:
        def send():
            c.send(request("/cgi-bin/echo", f"Content-Length: {size}",
                           "Connection: close", method="POST"))
            for _ in range(size // len(BLOCK)):
                c.send(BLOCK)
        sender = threading.Thread(target=send)
        sender.start()
        head = c.head()
        assert head.status == 200 and head["Transfer-Encoding"] == "chunked"
        have = 0
        while n := int(c.line(), 16):
            part = c.take(n + 2)[:-2]
            # Compared where it is cheap; the length tells the rest.
            at = have % len(BLOCK)
            assert part[:64] == (BLOCK + BLOCK)[at:at + len(part[:64])]
            have += n
        sender.join()
        assert have == size


def growth_kib(server):
    """What may come on top: io_uring has buffers of its own, 4 MiB to receive
    and 4 MiB to send, which are touched as they are needed."""
    return 2048 + (8192 if server.engine == "uring" else 0)


def test_100_mib_both_ways_in_bounded_memory(start, site, cgi_bin):
    server = start(site, "-c", cgi_bin)
    echo_much(server, MIB)
    before = server.memory_kib()
    echo_much(server, 100 * MIB)
    if not is_sanitized():
        assert server.memory_kib() - before < growth_kib(server)


def test_content_that_nobody_takes_waits(start, site, cgi_bin):
    """Back-pressure: what the program does not read stays with the client,
    and so does what the client does not read with the program."""
    server = start(site, "-c", cgi_bin)
    echo_much(server, MIB)
    before = server.memory_kib()
    with server.connect(timeout=1) as c:
        sent = 0
        c.send(request("/cgi-bin/echo", f"Content-Length: {1 << 30}",
                       method="POST"))
        with pytest.raises(TimeoutError):
            while sent < 100 * MIB:
                sent += c.socket.send(BLOCK)
        assert sent < 20 * MIB
        if not is_sanitized():
            assert server.memory_kib() - before < growth_kib(server)
    assert programs.all_ended(cgi_bin)


@pytest.mark.parametrize("chunks", [
    [], [b"x"], [b"a", b"bc", b"def"], [BLOCK] * 20], ids=len)
def test_chunked_content_has_its_length(cgi, chunks):
    with cgi.connect() as c:
        r = c.ask(request("/cgi-bin/show", "Transfer-Encoding: chunked",
                          method="POST", body=chunked(*chunks)))
        told = programs.shown(r)
        assert told["env"]["CONTENT_LENGTH"] == str(sum(map(len, chunks)))
        assert "HTTP_TRANSFER_ENCODING" not in told["env"]
        assert c.ask(request()).status == 200


def test_chunked_echo(cgi):
    with cgi.connect() as c:
        r = c.ask(request("/cgi-bin/echo", "Transfer-Encoding: chunked",
                          method="POST", body=chunked(*[BLOCK] * 32)))
        assert r.body == BLOCK * 32


def test_chunked_content_has_a_limit(cgi, cgi_bin):
    blocks = SPOOL_MAX // len(BLOCK)
    with cgi.connect() as c:
        r = c.ask(request("/cgi-bin/echo", "Transfer-Encoding: chunked",
                          method="POST", body=chunked(*[BLOCK] * blocks)))
        assert r.status == 200 and len(r.body) == SPOOL_MAX
    with cgi.connect() as c:
        c.send(request("/cgi-bin/echo", "Transfer-Encoding: chunked",
                       method="POST"))
        with contextlib.suppress(ConnectionError):
            c.send(chunked(*[BLOCK] * (blocks + 1)))
        assert c.receive().status == 413
    assert programs.all_ended(cgi_bin)


@pytest.mark.parametrize("body", [b"5\r\nhel", b"zz\r\n", b"5\r\nhelloXX"])
def test_chunked_content_that_is_broken(cgi, cgi_bin, body):
    with cgi.connect() as c:
        c.send(request("/cgi-bin/echo", "Transfer-Encoding: chunked",
                       method="POST", body=body))
        c.half_close()
        assert c.receive().status == 400
    assert programs.all_ended(cgi_bin)


@pytest.mark.parametrize("fields,body", [
    (["Content-Length: 5"], b"hello"),
    (["Transfer-Encoding: chunked"], chunked(b"hello"))],
    ids=["length", "chunked"])
def test_expect_continue(cgi, fields, body):
    with cgi.connect() as c:
        r = c.ask(request("/cgi-bin/echo", "Expect: 100-continue", *fields,
                          method="POST"))
        assert r.status == 100
        c.send(body)
        assert c.receive().body == b"hello"


@pytest.mark.parametrize("name,status", [("nowhere", 404), ("plain", 403)])
def test_no_continue_for_what_is_not_there(cgi, name, status):
    with cgi.connect() as c:
        r = c.ask(request("/cgi-bin/" + name, "Expect: 100-continue",
                          "Content-Length: 5", method="POST"))
        assert r.status == status
        assert c.is_at_end()


@pytest.mark.parametrize("size", [10, 100000, 10 * MIB])
def test_program_that_does_not_read(cgi, size):
    """It may answer without its content (RFC 3875 4.2)."""
    with cgi.connect() as c:
        c.send(request("/cgi-bin/short", f"Content-Length: {size}",
                       method="POST"))

        def send():
            with contextlib.suppress(OSError):
                c.send(b"x" * size)
        sender = threading.Thread(target=send)
        sender.start()
        assert c.receive().body == b"short\n"
        sender.join()


def test_slow_upload(cgi):
    with cgi.connect() as c:
        c.send(request("/cgi-bin/echo", "Content-Length: 20", method="POST"))
        for i in range(20):
            c.send(b"%c" % (65 + i))
            time.sleep(0.02)
        assert c.receive().body == b"ABCDEFGHIJKLMNOPQRST"


def test_what_is_sent_reaches_it_at_once(cgi):
    """And what it says reaches the client while the upload goes on."""
    with cgi.connect() as c:
        c.send(request("/cgi-bin/echo", "Content-Length: 10", method="POST",
                       body=b"hello"))
        assert c.head().status == 200
        assert c.line() == b"5" and c.take(7) == b"hello\r\n"
        c.send(b"world")
        assert c.chunks() == b"world"


@pytest.mark.long
def test_upload_below_the_minimal_rate(start, site, cgi_bin):
    server = start(site, "-c", cgi_bin, "--min-rate=1000000")
    assert wait_until(lambda: server.get("/cgi-bin/short").status == 200)
    with server.connect() as c:
        c.send(request("/cgi-bin/show", "Content-Length: 100000000",
                       method="POST"))
        assert c.receive().status == 408
    assert programs.all_ended(cgi_bin)


def test_request_behind_the_content(cgi):
    one = request("/cgi-bin/echo", "Content-Length: 5", method="POST",
                  body=b"hello")
    talk = cgi.talk(one + request("/cgi-bin/short") + request() + one)
    assert talk.story == "200 200 200 200 open"
    assert [r.body for r in talk.responses] == [
        b"hello", b"short\n", b"pong\n", b"hello"]


def test_output_before_input_is_read(start, site, cgi_bin):
    """What comes from the program does not let more go to it."""
    programs.write(cgi_bin, "talker", "#!/bin/sh\n"
                   "printf 'Content-Type: text/plain\\n\\n'\n"
                   "for i in 1 2 3 4 5 6 7 8 9 10; do echo line $i; sleep .02\n"
                   "done\nwc -c\n")
    server = start(site, "-c", cgi_bin)
    with server.connect() as c:
        r = c.ask(request("/cgi-bin/talker", f"Content-Length: {MIB}",
                          method="POST", body=bytes(MIB)))
        lines = r.body.decode().split("\n")
        assert lines[:10] == [f"line {i}" for i in range(1, 11)]
        assert lines[10].strip() == str(MIB)
