# SPDX-License-Identifier: ISC
"""Conditional requests: RFC 9110 13, in the order of 13.2.2."""

import email.utils
import os
import time

import pytest

from docroot import MTIME, MTIME_TEXT
from rawhttp import request
from server import wait_until

EARLIER = "Thu, 02 Jan 2020 03:04:04 GMT"
LATER = "Thu, 02 Jan 2020 03:04:06 GMT"
FUTURE = email.utils.formatdate(time.time() + 86400, usegmt=True)

# field lines ({tag} is the file's), status
CASES = {
    "no condition": ([], 200),

    "If-None-Match: the tag": (["If-None-Match: {tag}"], 304),
    "If-None-Match: other": (['If-None-Match: "other"'], 200),
    "If-None-Match: list": (['If-None-Match: "a", {tag}, "b"'], 304),
    "If-None-Match: list, tight": (['If-None-Match: "a",{tag}'], 304),
    "If-None-Match: list without": (['If-None-Match: "a", "b"'], 200),
    "If-None-Match: two lines": (
        ['If-None-Match: "a"', "If-None-Match: {tag}"], 304),
    "If-None-Match: comma within a tag": (
        ['If-None-Match: "a, {bare}"'], 200),
    "If-None-Match: weak": (["If-None-Match: W/{tag}"], 304),
    "If-None-Match: *": (["If-None-Match: *"], 304),
    "If-None-Match: not quoted": (["If-None-Match: {bare}"], 200),
    "If-None-Match: empty tag": (['If-None-Match: ""'], 200),

    "If-Modified-Since: same": ([f"If-Modified-Since: {MTIME_TEXT}"], 304),
    "If-Modified-Since: earlier": ([f"If-Modified-Since: {EARLIER}"], 200),
    "If-Modified-Since: later": ([f"If-Modified-Since: {LATER}"], 304),
    "If-Modified-Since: in the future": (
        [f"If-Modified-Since: {FUTURE}"], 200),
    # More than one date is no date (RFC 9110 13.1.3 and 13.1.4).
    "If-Modified-Since: two lines": (
        [f"If-Modified-Since: {MTIME_TEXT}"] * 2, 200),
    "If-Modified-Since: list": (
        [f"If-Modified-Since: {MTIME_TEXT}, {MTIME_TEXT}"], 200),

    "If-None-Match overrides, to 200": (
        ['If-None-Match: "a"', f"If-Modified-Since: {MTIME_TEXT}"], 200),
    "If-None-Match overrides, to 304": (
        ["If-None-Match: {tag}", f"If-Modified-Since: {EARLIER}"], 304),

    "If-Match: the tag": (["If-Match: {tag}"], 200),
    "If-Match: other": (['If-Match: "other"'], 412),
    "If-Match: list": (['If-Match: "a", {tag}'], 200),
    "If-Match: *": (["If-Match: *"], 200),
    "If-Match: weak never matches": (["If-Match: W/{tag}"], 412),

    "If-Unmodified-Since: same": (
        [f"If-Unmodified-Since: {MTIME_TEXT}"], 200),
    "If-Unmodified-Since: later": ([f"If-Unmodified-Since: {LATER}"], 200),
    "If-Unmodified-Since: earlier": (
        [f"If-Unmodified-Since: {EARLIER}"], 412),
    "If-Unmodified-Since: bad": (["If-Unmodified-Since: yesterday"], 200),
    "If-Unmodified-Since: two lines": (
        [f"If-Unmodified-Since: {EARLIER}"] * 2, 200),
    "If-Unmodified-Since: list": (
        [f"If-Unmodified-Since: {EARLIER}, {EARLIER}"], 200),

    "If-Match overrides, to 200": (
        ["If-Match: {tag}", f"If-Unmodified-Since: {EARLIER}"], 200),
    "If-Match overrides, to 412": (
        ['If-Match: "a"', f"If-Unmodified-Since: {LATER}"], 412),
    "412 before 304": (['If-Match: "a"', "If-None-Match: {tag}"], 412),
    "304 behind a match": (["If-Match: {tag}", "If-None-Match: {tag}"], 304),
    "412 by date before 304": (
        [f"If-Unmodified-Since: {EARLIER}", "If-None-Match: *"], 412),

    # Longer than what a list's buffer would guess.
    "If-Match: 90 lines": ([f'If-Match: "{"a" * 300}"'] * 90, 412),
    "If-Match: 90 lines, one right": (
        [f'If-Match: "{"a" * 300}"'] * 90 + ["If-Match: {tag}"], 200),
    "If-None-Match: 90 lines": (
        [f'If-None-Match: "{"a" * 300}"'] * 90 + ["If-None-Match: {tag}"],
        304),

    "304 before Range": (["If-None-Match: {tag}", "Range: bytes=0-1"], 304),
    "412 before Range": (['If-Match: "a"', "Range: bytes=0-1"], 412),
}


@pytest.fixture
def tag(server):
    return server.get("/ping.txt")["ETag"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", CASES)
def test_condition(server, tag, name, method):
    fields, status = CASES[name]
    fields = [f.format(tag=tag, bare=tag.strip('"')) for f in fields]
    raw = request("/ping.txt", *fields, method=method)
    assert server.talk(raw, methods=[method]).story == f"{status} open"


# If-Modified-Since, status.  All say MTIME, some so badly that they do not.
DATES = [
    (MTIME_TEXT, 304),
    ("Thursday, 02-Jan-20 03:04:05 GMT", 304),
    ("Thu Jan  2 03:04:05 2020", 304),
    ("Thu, 02 Jan 2020 03:04:05 +0000", 200),
    ("Thu, 02 Jan 2020 03:04:05 UTC", 200),
    ("Thu, 02 Jan 2020 03:04:05", 200),
    ("Thu, 2 Jan 2020 03:04:05 GMT", 200),
    ("02 Jan 2020 03:04:05 GMT", 200),
    ("Thu, 02 Foo 2020 03:04:05 GMT", 200),
    ("Thu, 32 Jan 2020 03:04:05 GMT", 200),
    ("Sun, 30 Feb 2020 03:04:05 GMT", 200),
    ("Thu, 02 Jan 2020 24:04:05 GMT", 200),
    ("Thu, 02 Jan 2020 03:60:05 GMT", 200),
    ("Thu, 02 Jan 2020 03:04:05 GMT trailing", 200),
    ("2020-01-02T03:04:05Z", 200),
    (str(MTIME), 200),
    ("", 200),
    ("x" * 1000, 200),
]


@pytest.mark.parametrize("date,status", DATES)
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_date_formats(server, date, status, version):
    r = server.get("/ping.txt", f"If-Modified-Since: {date}",
                   version=version)
    assert r.status == status


def test_304_tells_what_a_cache_needs(server, tag):
    r = server.get("/ping.txt", f"If-None-Match: {tag}")
    assert r["ETag"] == tag
    assert "Date" in r
    assert r.get("Content-Length") in (None, "5")
    assert "Transfer-Encoding" not in r


@pytest.mark.parametrize("field", [
    "If-None-Match: *", "If-Match: *", 'If-Match: "a"',
    f"If-Modified-Since: {MTIME_TEXT}", f"If-Unmodified-Since: {EARLIER}"])
@pytest.mark.parametrize("target,status", [("/nowhere", 404), ("/sub", 301)])
def test_conditions_are_for_what_would_succeed(server, target, status, field):
    assert server.get(target, field).status == status       # RFC 9110 13.2.1


def now_at(file):
    """By the clock of the file system."""
    file.write_bytes(b"")
    os.utime(file)
    return file.stat().st_mtime_ns


def test_tag_follows_the_content(start, tmp_path):
    """Strong means: other bytes, other tag, even within one second."""
    file = tmp_path / "f.txt"
    server = start(tmp_path)
    seen = set()
    for i in range(20):
        file.write_text(f"{i:02}\n")
        r = server.get("/f.txt")
        assert r.body == b"%02d\n" % i
        seen.add((r["ETag"], i))
        # File times have a tick of some ms.
        assert wait_until(lambda: now_at(tmp_path / "clock")
                          > file.stat().st_mtime_ns)
    assert len({tag for tag, _ in seen}) == 20
