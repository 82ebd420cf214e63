# SPDX-License-Identifier: ISC
"""HTTP/0.9, 1.0, 1.1, and those that are not ours."""

import pytest

from rawhttp import request

# version, what comes of a request with it
VERSIONS = [
    ("1.0", "200 closed"),
    ("1.1", "200 open"),
    ("1.2", "200 open"),
    ("1.9", "200 open"),
    ("0.0", "505 closed"),
    ("0.9", "505 closed"),      # 0.9 is written by writing nothing
    ("2.0", "505 closed"),
    ("3.0", "505 closed"),
    ("9.9", "505 closed"),
]


@pytest.mark.parametrize("version,story", VERSIONS)
def test_version(server, version, story):
    talk = server.talk(request(version=version))
    assert talk.story == story
    if version.startswith("1.") and version != "1.0":
        assert talk[0].version == "HTTP/1.1"


def test_http2_preface_is_answered_in_words(server):
    talk = server.talk(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert talk.story == "505 closed"


@pytest.mark.parametrize("target", [
    "/ping.txt", "/plain/", "/nowhere", "/sub"])
def test_1_0_never_gets_chunks(server, target):
    talk = server.talk(request(target, version="1.0"))
    assert talk.end == "closed"
    assert talk[0].framing in ("length", "close")


# HTTP/0.9: no head in either direction, and the close is the end.

@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_simple_request(server, end):
    with server.connect() as c:
        c.send(b"GET /ping.txt" + end)
        assert c.rest() == b"pong\n"


def test_simple_request_ends_with_its_line(server):
    with server.connect() as c:
        c.send(b"GET /ping.txt\r\nHost: x\r\n\r\nGET /probe.txt\r\n")
        assert c.rest() == b"pong\n"


@pytest.mark.parametrize("target", ["/nowhere", "/plain/", "/", "/sub"])
def test_simple_request_is_answered_by_a_page(server, target):
    with server.connect() as c:
        c.send(f"GET {target}\r\n".encode())
        body = c.rest()
    assert body.lower().startswith(b"<!doctype html>")


def test_simple_request_that_is_redirected(server):
    """There is no field to tell where to, but a link."""
    with server.connect() as c:
        c.send(b"GET /sub\r\n")
        assert b'<a href="/sub/">' in c.rest()


def test_simple_request_for_a_large_file(server):
    with server.connect() as c:
        c.send(b"GET /big.bin\r\n")
        assert len(c.rest()) == 8 << 20
