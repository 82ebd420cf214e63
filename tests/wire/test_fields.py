# SPDX-License-Identifier: ISC
"""Field lines: RFC 9112 5, RFC 9110 5, and the limits of issue and manual."""

import pytest

START = b"GET /ping.txt HTTP/1.1\r\nHost: x\r\n"

# bytes of a field line, what comes of it
LINES = {
    "plain": (b"X: a", "200 open"),
    "empty value": (b"X:", "200 open"),
    "no space": (b"X:a", "200 open"),
    "white space around": (b"X: \t a \t ", "200 open"),
    "tab within": (b"X: a\tb", "200 open"),
    "obs-text": (b"X: \xe4\xff\x80", "200 open"),
    "all of tchar": (b"!#$%&'*+-.^_`|~09azAZ: a", "200 open"),
    "colons in value": (b"X: :a:b:", "200 open"),
    "twice": (b"X: a\r\nX: b", "200 open"),

    "space before colon": (b"X : a", "400 closed"),
    "tab before colon": (b"X\t: a", "400 closed"),
    "Host with space before colon": (b"Host : y", "400 closed"),
    "space within name": (b"Bad Name: a", "400 closed"),
    "empty name": (b": a", "400 closed"),
    "colon alone": (b":", "400 closed"),
    "no colon": (b"Nothing", "400 closed"),
    "name in parentheses": (b"X(y): a", "400 closed"),
    "name with slash": (b"X/y: a", "400 closed"),
    "name in quotes": (b'"X": a', "400 closed"),
    "name beyond ASCII": (b"\xc3\x9c: a", "400 closed"),
    "NUL in name": (b"X\0: a", "400 closed"),
    "NUL in value": (b"X: a\0b", "400 closed"),
    "CR in name": (b"X\rY: a", "400 closed"),
    "CR in value": (b"X: a\rb", "400 closed"),
    "CR hides a field": (b"X: a\rContent-Length: 9", "400 closed"),
    "CR before CRLF": (b"X: a\r", "400 closed"),
    "obs-fold by space": (b"X: a\r\n b", "400 closed"),
    "obs-fold by tab": (b"X: a\r\n\tb", "400 closed"),
    "obs-fold of nothing": (b"X: a\r\n ", "400 closed"),
    "DEL in value": (b"X: a\x7f", "400 closed"),
}


@pytest.mark.parametrize("name", LINES)
def test_line(server, name):
    line, story = LINES[name]
    assert server.talk(START + line + b"\r\n\r\n").story == story


@pytest.mark.parametrize("byte", [*range(1, 9), *range(0x0b, 0x0d),
                                  *range(0x0e, 0x20)])
def test_control_byte_in_value(server, byte):
    raw = START + b"X: a%cb\r\n\r\n" % byte
    assert server.talk(raw).story == "400 closed"


@pytest.mark.parametrize("space", [b" ", b"\t"])
def test_white_space_before_the_first_field(server, space):
    raw = b"GET /ping.txt HTTP/1.1\r\n" + space + b"Host: x\r\n\r\n"
    assert server.talk(raw).story == "400 closed"


# Limits.  Where exactly a limit stands within its line is not promised, so
# the cases keep a little away from it.

@pytest.mark.parametrize("count,story", [(100, "200 open"),
                                         (101, "431 closed"),
                                         (3000, "431 closed")])
def test_field_count(server, count, story):
    raw = START + b"X: a\r\n" * (count - 1) + b"\r\n"
    assert server.talk(raw).story == story


@pytest.mark.parametrize("length,story", [(8000, "200 open"),
                                          (8300, "414 closed"),
                                          (40000, "414 closed"),
                                          (200000, "414 closed")])
def test_request_line_length(server, length, story):
    line = b"GET /ping.txt?" + b"a" * (length - 25) + b" HTTP/1.1"
    assert server.talk(line + b"\r\nHost: x\r\n\r\n").story == story


@pytest.mark.parametrize("raw", [
    b"GET /" + b"a" * 9000,
    b"GET /ping.txt HTTP/1.1" + b" " * 9000,
    b"A" * 9000,
], ids=["target", "spaces", "method"])
def test_endless_request_line(server, raw):
    """Refused at the limit, not at an end that may never come."""
    with server.connect() as c:
        c.send(raw)
        assert c.receive().status in (400, 414)
        assert c.is_at_end()


@pytest.mark.parametrize("size", [1, 97, 900, 8192])
def test_endless_request_line_in_pieces(server, size):
    """However it comes, and though it stops just behind the limit."""
    raw = b"GET /" + b"a" * 8195
    with server.connect() as c:
        for i in range(0, len(raw), size):
            c.send(raw[i:i + size])
        assert c.receive().status == 414
        assert c.is_at_end()


@pytest.mark.parametrize("fields,story", [
    ([b"X: " + b"a" * 31000], "200 open"),
    ([b"X: " + b"a" * 34000], "431 closed"),
    ([b"X: " + b"a" * 500] * 60, "200 open"),
    ([b"X: " + b"a" * 500] * 70, "431 closed"),
    ([b"a" * 34000 + b": x"], "431 closed"),
], ids=["one below", "one above", "many below", "many above", "name above"])
def test_field_section_size(server, fields, story):
    raw = START + b"\r\n".join(fields) + b"\r\n\r\n"
    assert server.talk(raw).story == story


def test_endless_field(server):
    with server.connect() as c:
        c.send(START + b"X: " + b"a" * 40000)
        assert c.receive().status == 431
        assert c.is_at_end()


@pytest.mark.parametrize("piece", [1, 2, 3, 7])
def test_head_in_pieces(server, piece):
    raw = START + b"X: abc\r\nY:\tz\r\n\r\n"
    assert server.talk(raw, piece=piece).story == "200 open"
