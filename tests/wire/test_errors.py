# SPDX-License-Identifier: ISC
"""Error pages: small, valid, true, and silent about the inside."""

import os
import pathlib
import tempfile

import pytest

import docroot
from html_check import check_html
from rawhttp import PROBE_BODY, request

# raw request, status, words that the page must have
ERRORS = {
    "404": (request("/nowhere"), 404, "Not Found"),
    "400": (b"NONSENSE\r\n\r\n", 400, "Bad Request"),
    "405": (request(method="POST"), 405, "Method Not Allowed"),
    "412": (request("/ping.txt", 'If-Match: "x"'), 412,
            "Precondition Failed"),
    "414": (b"GET /" + b"a" * 9000, 414, "URI Too Long"),
    "416": (request("/ping.txt", "Range: bytes=9-"), 416,
            "Range Not Satisfiable"),
    "417": (request("/ping.txt", "Expect: x"), 417, "Expectation Failed"),
    "431": (request("/ping.txt", *["X: y"] * 200), 431,
            "Request Header Fields Too Large"),
    "501": (request(method="FOO"), 501, "Not Implemented"),
    "505": (request(version="2.0"), 505, "HTTP Version Not Supported"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_page(server, name):
    raw, status, words = ERRORS[name]
    with server.connect() as c:
        r = c.ask(raw)
    assert r.status == status
    assert r.reason == words
    assert r["Content-Type"].lower() == "text/html; charset=utf-8"
    assert len(r.body) < 4096
    page = check_html(r.body)
    assert str(status) in page.text
    assert words in page.text
    assert str(server.root) not in page.text


@pytest.mark.parametrize("target", [
    "/<script>alert(1)</script>", "/%3Cscript%3Ealert(1)%3C/script%3E",
    "/\"onload='x'&amp;"])
def test_page_is_no_mirror(server, target):
    body = server.get(target).body
    assert b"<script" not in body
    check_html(body)


@pytest.fixture
def locked(start):
    """A server that may not read everything: root is let in everywhere, so
    the server runs as somebody else then."""
    user = 65534 if os.geteuid() == 0 else None
    # Not pytest's directory, which is closed to others.
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        root.chmod(0o755)
        docroot.write(root / "probe.txt", PROBE_BODY)
        docroot.write(root / "file.txt", b"x").chmod(0)
        docroot.write(root / "closed/file.txt", b"x")
        docroot.write(root / "unlisted/file.txt", b"x")
        (root / "closed").chmod(0)
        (root / "unlisted").chmod(0o311)
        server = start(root, user=user)
        yield server
        (root / "closed").chmod(0o755)
        (root / "unlisted").chmod(0o755)


@pytest.mark.parametrize("target,status", [
    ("/file.txt", 403), ("/closed/", 403), ("/closed/file.txt", 403),
    ("/unlisted/", 403), ("/unlisted/file.txt", 200)])
def test_unreadable(locked, target, status):
    assert locked.talk(request(target)).story == f"{status} open"
