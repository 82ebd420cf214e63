# SPDX-License-Identifier: ISC
"""What the ETag of a file is drawn from: --etag."""

import os
import re

import pytest

from docroot import MTIME, write
from server import wait_until

LARGE = bytes(range(256)) * 4096 * 3        # 3 MiB


@pytest.fixture
def root(tmp_path):
    write(tmp_path / "root/a.txt", b"same\n")
    write(tmp_path / "root/b.txt", b"same\n")
    write(tmp_path / "root/c.txt", b"other\n")
    write(tmp_path / "root/large.bin", LARGE)
    os.utime(tmp_path / "root/b.txt", (MTIME + 9, MTIME + 9))
    return tmp_path / "root"


@pytest.fixture(params=["0", "64M"])
def begin(request, start, root):
    return lambda *options: start(
        root, f"--cache-size={request.param}", *options)


def test_content_is_the_same_everywhere(begin, root):
    server = begin("--etag=content")
    a, b, c = (server.get(f"/{n}.txt") for n in "abc")
    assert re.fullmatch(r'"[0-9a-f]{32}"', a["ETag"])
    assert a["ETag"] == b["ETag"] != c["ETag"]
    assert a["Last-Modified"] != b["Last-Modified"]
    again = server.get("/b.txt", f"If-None-Match: {a['ETag']}")
    assert again.status == 304


def test_content_of_a_large_file(begin, root):
    """Known after a while, and then for good; until then it is dated."""
    server = begin("--etag=content")
    first = server.get("/large.bin")
    assert first.body == LARGE
    assert "Last-Modified" in first
    tag = wait_until(lambda: server.get("/large.bin").get("ETag"))
    assert re.fullmatch(r'"[0-9a-f]{32}"', tag)
    assert server.head("/large.bin")["ETag"] == tag
    write(root / "copy.bin", LARGE)
    assert wait_until(lambda: server.get("/copy.bin").get("ETag")) == tag
    with open(root / "large.bin", "r+b") as f:
        f.write(b"X")
    os.utime(root / "large.bin", (MTIME, MTIME))

    def changed():
        now = server.head("/large.bin").get("ETag")
        assert now != tag
        return now

    assert wait_until(changed)
    assert server.get("/large.bin", f"If-None-Match: {tag}").status == 200


@pytest.mark.parametrize("mtime", [0, 1])
def test_time_that_says_nothing(begin, root, mtime):
    for name in ("a.txt", "c.txt", "large.bin"):
        os.utime(root / name, (mtime, mtime))
    server = begin()
    a, c = server.get("/a.txt"), server.get("/c.txt")
    assert re.fullmatch(r'"[0-9a-f]{32}"', a["ETag"])
    assert a["ETag"] != c["ETag"]
    assert "Last-Modified" not in a
    date = "If-Modified-Since: Thu, 01 Jan 1970 00:00:01 GMT"
    assert server.get("/a.txt", date).status == 200
    assert server.get("/a.txt", f"If-None-Match: {a['ETag']}").status == 304
    assert wait_until(lambda: server.get("/large.bin").get("ETag"))


def test_none(begin):
    server = begin("--etag=none")
    for target in ("/a.txt", "/large.bin", "/"):
        assert "ETag" not in server.get(target)
    dated = server.get("/a.txt")["Last-Modified"]
    assert server.get("/a.txt", "If-None-Match: *").status == 304
    assert server.get("/a.txt", 'If-None-Match: "x"').status == 200
    assert server.get(
        "/a.txt", f"If-Modified-Since: {dated}").status == 304


def test_mtime(begin):
    server = begin("--etag=mtime")
    a, b = server.get("/a.txt"), server.get("/b.txt")
    assert a["ETag"] != b["ETag"]
    assert not a["ETag"].startswith("W/")
