# SPDX-License-Identifier: ISC
"""Parts of a file: RFC 9110 14, and files above 4 GiB."""

import re

import pytest

from docroot import BIG, MTIME_TEXT, THOUSAND

WHOLE, BEYOND = "whole", "416"

# Range for a file of 1,000 bytes; first and last byte, or what else may come
SINGLE = [
    ("bytes=0-0", (0, 0)),
    ("bytes=0-499", (0, 499)),
    ("bytes=500-999", (500, 999)),
    ("bytes=500-", (500, 999)),
    ("bytes=0-", (0, 999)),
    ("bytes=999-", (999, 999)),
    ("bytes=0-5000", (0, 999)),
    ("bytes=-1", (999, 999)),
    ("bytes=-500", (500, 999)),
    ("bytes=-1000", (0, 999)),
    ("bytes=-2000", (0, 999)),
    ("Bytes=1-2", (1, 2)),                          # 14.1: without case
    ("bytes=01-002", (1, 2)),
    ("bytes=1000-", BEYOND),
    ("bytes=1000-1001", BEYOND),
    ("bytes=-0", BEYOND),
    ("bytes=2000-,3000-", BEYOND),
    ("bytes=5-2", WHOLE),                           # 14.1.1: invalid
    ("bytes=", WHOLE),
    ("bytes=-", WHOLE),
    ("bytes=a-b", WHOLE),
    ("bytes=1", WHOLE),
    ("bytes=1-2-3", WHOLE),
    ("bytes=--1", WHOLE),
    ("bytes=+1-2", WHOLE),
    ("bytes=1 - 2", WHOLE),
    ("bytes=0x1-2", WHOLE),
    ("bytes 0-1", WHOLE),
    ("bytes", WHOLE),
    ("0-1", WHOLE),
    ("lines=0-1", WHOLE),                           # 14.2: unknown unit
    ("", WHOLE),
]


def is_whole(r):
    return (r.status == 200 and r.body == THOUSAND
            and "Content-Range" not in r)


def is_beyond(r):
    return r.status == 416 and r["Content-Range"] == "bytes */1000"


@pytest.mark.parametrize("value,expected", SINGLE)
def test_single(server, value, expected):
    r = server.get("/thousand.bin", f"Range: {value}")
    if expected == WHOLE:
        assert is_whole(r), r
    elif expected == BEYOND:
        assert is_beyond(r), r
    else:
        first, last = expected
        assert r.status == 206
        assert r["Content-Range"] == f"bytes {first}-{last}/1000"
        assert r["Content-Length"] == str(last - first + 1)
        assert r.body == THOUSAND[first:last + 1]


@pytest.mark.parametrize("value", [
    "bytes=0-18446744073709551616", "bytes=0-" + "9" * 50])
def test_end_beyond_all_numbers(server, value):
    r = server.get("/thousand.bin", f"Range: {value}")
    assert is_whole(r) or r["Content-Range"] == "bytes 0-999/1000"


@pytest.mark.parametrize("value", [
    "bytes=18446744073709551616-", "bytes=" + "9" * 50 + "-",
    "bytes=18446744073709551617-18446744073709551618"])
def test_start_beyond_all_numbers(server, value):
    r = server.get("/thousand.bin", f"Range: {value}")
    assert is_whole(r) or is_beyond(r)


def parts_of(r):
    """The parts of a multipart/byteranges body: (first, last, bytes)."""
    kind, boundary = re.fullmatch(
        r'(multipart/byteranges); *boundary="?([\w\'()+,./:=?-]{1,70})"?',
        r["Content-Type"]).groups()
    assert "Content-Range" not in r                 # 15.3.7.2
    pieces = (b"\r\n" + r.body).split(b"\r\n--" + boundary.encode())
    assert pieces[0] == b""
    assert pieces[-1].rstrip(b"\r\n") == b"--"
    parts = []
    for piece in pieces[1:-1]:
        head, content = piece.split(b"\r\n\r\n", 1)
        fields = dict(line.split(": ", 1)
                      for line in head.decode().strip().split("\r\n"))
        assert "Content-Type" in fields
        first, last = map(int, re.fullmatch(
            r"bytes (\d+)-(\d+)/1000", fields["Content-Range"]).groups())
        parts.append((first, last, content))
    return parts


# Range, the parts that come
SEVERAL = [
    ("bytes=0-1,5-6", [(0, 1), (5, 6)]),
    ("bytes=0-1, 5-6 ,900-", [(0, 1), (5, 6), (900, 999)]),
    ("bytes=5-6,0-1", [(5, 6), (0, 1)]),            # as asked for
    ("bytes=-1,0-0", [(999, 999), (0, 0)]),
    ("bytes=0-1,,5-6,", [(0, 1), (5, 6)]),
    ("bytes=0-1,2000-,5-6", [(0, 1), (5, 6)]),
    ("bytes=" + ",".join(f"{i}-{i}" for i in range(0, 32, 2)),
     [(i, i) for i in range(0, 32, 2)]),
]


@pytest.mark.parametrize("value,expected", SEVERAL)
def test_several(server, value, expected):
    r = server.get("/thousand.bin", f"Range: {value}")
    assert r.status == 206
    assert parts_of(r) == [(a, b, THOUSAND[a:b + 1]) for a, b in expected]


def test_several_of_which_one_is_left(server):
    r = server.get("/thousand.bin", "Range: bytes=2000-,7-8")
    assert r.status == 206
    if r["Content-Type"].startswith("multipart/"):
        assert parts_of(r) == [(7, 8, THOUSAND[7:9])]
    else:
        assert r["Content-Range"] == "bytes 7-8/1000"
        assert r.body == THOUSAND[7:9]


@pytest.mark.parametrize("value", [
    "bytes=" + ",".join(f"{2 * i}-{2 * i}" for i in range(17)),
    "bytes=" + ",".join(["0-"] * 16),
    "bytes=" + ",".join(["0-0"] * 1000),
    "bytes=" + ",".join(f"0-{i}" for i in range(10, 26)),
    "bytes=" + ",".join(f"{i}-" for i in range(1500)),
], ids=["17", "same", "1000", "nested", "Apache killer"])
def test_abuse(server, value):
    r = server.get("/thousand.bin", f"Range: {value}")
    assert is_whole(r) or is_beyond(r)


def test_range_is_for_get_only(server):
    r = server.head("/thousand.bin", "Range: bytes=0-1")
    assert r.status == 200
    assert r["Content-Length"] == "1000"


@pytest.mark.parametrize("target,status", [
    ("/nowhere", 404), ("/sub", 301)])
def test_range_of_what_is_no_file(server, target, status):
    assert server.get(target, "Range: bytes=0-1").status == status


@pytest.mark.parametrize("value", ["bytes=0-", "bytes=-1", "bytes=0-0"])
def test_range_of_nothing(server, value):
    r = server.get("/empty.txt", f"Range: {value}")
    assert (r.status, r.body) == (200, b"")
    assert "Content-Range" not in r


# If-Range, does the range count?
IF_RANGE = [
    ("{tag}", True),
    (MTIME_TEXT, True),
    ('"other"', False),
    ("W/{tag}", False),                             # 13.1.5: strong
    ("Thu, 02 Jan 2020 03:04:04 GMT", False),
    ("Thu, 02 Jan 2020 03:04:06 GMT", False),       # exact, not "since"
    ("nonsense", False),
    ("*", False),
    ("", False),
]


@pytest.mark.parametrize("value,counts", IF_RANGE)
def test_if_range(server, value, counts):
    tag = server.head("/thousand.bin")["ETag"]
    r = server.get("/thousand.bin", "Range: bytes=0-1",
                   "If-Range: " + value.format(tag=tag))
    assert r.status == 206 if counts else is_whole(r)


@pytest.mark.parametrize("value", ["{tag}", MTIME_TEXT])
def test_two_if_ranges_are_none(server, value):
    tag = server.head("/thousand.bin")["ETag"]
    r = server.get("/thousand.bin", "Range: bytes=0-1",
                   *["If-Range: " + value.format(tag=tag)] * 2)
    assert is_whole(r)


def test_if_range_shields_from_416(server):
    r = server.get("/thousand.bin", "Range: bytes=1000-", 'If-Range: "other"')
    assert is_whole(r)


def test_pieces_make_the_whole(server):
    step = (1 << 20) + 12345
    pieces = [server.get("/big.bin", f"Range: bytes={at}-{at + step - 1}")
              for at in range(0, len(BIG), step)]
    assert {p.status for p in pieces} == {206}
    assert len({p["ETag"] for p in pieces}) == 1
    assert b"".join(p.body for p in pieces) == BIG


SPARSE = 5 << 30


def test_length_above_4_gib(server):
    assert server.head("/sparse.bin")["Content-Length"] == str(SPARSE)


@pytest.mark.parametrize("value,first,body", [
    ("bytes=-4", SPARSE - 4, b"tail"),
    (f"bytes={SPARSE - 2}-", SPARSE - 2, b"il"),
    (f"bytes={(1 << 32) - 1}-{1 << 32}", (1 << 32) - 1, b"\0\0"),
])
def test_range_above_4_gib(server, value, first, body):
    r = server.get("/sparse.bin", f"Range: {value}")
    assert r.status == 206
    assert r["Content-Range"] == \
        f"bytes {first}-{first + len(body) - 1}/{SPARSE}"
    assert r.body == body
