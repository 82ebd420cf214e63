# SPDX-License-Identifier: ISC
"""The fields of an answer: RFC 9110 6.6, 8, 10.2."""

import email.utils
import os
import re
import time

import pytest

from docroot import BIG, MTIME_TEXT, write
from rawhttp import request

DATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d "
    r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
    r"\d\d:\d\d:\d\d GMT")

# every kind of answer: target, fields, status
KINDS = {
    "file": ("/ping.txt", [], 200),
    "listing": ("/plain/", [], 200),
    "part": ("/ping.txt", ["Range: bytes=0-1"], 206),
    "parts": ("/ping.txt", ["Range: bytes=0-0,2-2"], 206),
    "redirect": ("/sub", [], 301),
    "not modified": ("/ping.txt", ["If-None-Match: *"], 304),
    "error": ("/nowhere", [], 404),
    "failed": ("/ping.txt", ['If-Match: "x"'], 412),
    "unsatisfiable": ("/ping.txt", ["Range: bytes=9-"], 416),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_answer_has(server, name):
    target, fields, status = KINDS[name]
    before = int(time.time())
    r = server.get(target, *fields)
    assert r.status == status
    names = [n.lower() for n, _ in r.fields]
    assert len(names) == len(set(names)), "a field was sent twice"
    assert DATE.fullmatch(r["Date"])
    date = email.utils.parsedate_to_datetime(r["Date"]).timestamp()
    assert before - 1 <= date <= time.time()
    assert re.fullmatch(r"sws/\d+\.\d+(\.\d+)?", r["Server"])
    assert all(value for _, value in r.fields), "an empty field"
    if r.body:
        assert "Content-Type" in r


def test_refusal_has_date_and_server(server):
    r = server.talk(b"NONSENSE\r\n\r\n")[0]
    assert DATE.fullmatch(r["Date"])
    assert "Server" in r
    assert r["Connection"] == "close"


@pytest.mark.parametrize("target,body", [
    ("/ping.txt", b"pong\n"), ("/empty.txt", b""), ("/big.bin", BIG)])
def test_file(server, target, body):
    r = server.get(target)
    assert r.body == body
    assert r.framing == "length"
    assert r["Last-Modified"] == MTIME_TEXT
    assert r["Accept-Ranges"] == "bytes"
    assert re.fullmatch(r'"[\x21\x23-\x7e]+"', r["ETag"])


def test_range_keeps_the_validators(server):
    whole = server.get("/ping.txt")
    part = server.get("/ping.txt", "Range: bytes=0-1")
    for name in ("ETag", "Last-Modified", "Content-Type"):
        assert part[name] == whole[name]


@pytest.mark.parametrize("option,expected", [
    ("--server-header=spoon", "spoon"), ("--server-header=", None)])
def test_server_header(start, site, option, expected):
    server = start(site, option)
    assert server.get().get("Server") == expected
    assert server.get("/nowhere").get("Server") == expected


def test_date_goes_on(server):
    with server.connect() as c:
        first = c.ask(request())["Date"]
        time.sleep(1.1)
        assert c.ask(request())["Date"] != first


# Times that a file should not have but may.
@pytest.mark.parametrize("mtime", [
    0, -1, -86400 * 365 * 100, 2**31, 253402300800])
def test_odd_times(start, tmp_path, mtime):
    file = write(tmp_path / "f.txt", b"odd\n")
    try:
        os.utime(file, (mtime, mtime))
    except OSError as e:
        pytest.skip(f"the file system refuses this time: {e}")
    r = start(tmp_path).get("/f.txt")
    assert r.body == b"odd\n"
    modified = r.get("Last-Modified")
    assert modified is None or DATE.fullmatch(modified)
    if mtime > time.time():
        # RFC 9110 8.8.2.1: never later than Date.
        assert modified is None or email.utils.parsedate_to_datetime(
            modified) <= email.utils.parsedate_to_datetime(r["Date"])


@pytest.mark.parametrize("fields,method", [
    ([], "HEAD"), (["If-None-Match: *"], "GET"),
    (["If-None-Match: *"], "HEAD"), ([], "OPTIONS")])
def test_no_body_where_there_must_be_none(server, fields, method):
    """A stray byte would be in front of the probe's answer."""
    raw = request("/ping.txt", *fields, method=method)
    assert server.talk(raw * 5, methods=[method] * 5).end == "open"
