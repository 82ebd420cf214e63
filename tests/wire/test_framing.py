# SPDX-License-Identifier: ISC
"""Where a message ends: RFC 9112 6 and 7, never with two opinions.

Each case is followed by a probe.  If a body's end is in doubt the probe could
be taken for a part of it, or a part of the body for a request: both is request
smuggling.  So a case tells all that may happen; "closed" means that nothing
behind the doubtful message was answered.
"""

import pytest

from rawhttp import request

# A body on GET is read, or the connection is closed behind the answer.
READ = {"200 open", "200 closed"}
REFUSED = {"400 closed"}
# Whoever answers a head before it reads the body can only close.
BROKEN_BODY = {"400 closed", "200 closed"}
TOO_LARGE = {"400 closed", "413 closed"}
CODING = {"400 closed", "501 closed"}

SMUGGLED = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"

# field lines, body, stories
LENGTHS = {
    "plain": (["Content-Length: 5"], b"hello", READ),
    "none": (["Content-Length: 0"], b"", {"200 open"}),
    "leading zeros": (["Content-Length: 005"], b"hello", READ | REFUSED),
    "a request inside": ([f"Content-Length: {len(SMUGGLED)}"], SMUGGLED, READ),
    "equal, in a list": (["Content-Length: 5, 5"], b"hello", READ | REFUSED),
    "equal, in two lines": (["Content-Length: 5"] * 2, b"hello",
                            READ | REFUSED),
    "unequal, in a list": (["Content-Length: 5, 6"], b"hello", REFUSED),
    "unequal, in two lines": (["Content-Length: 5", "Content-Length: 6"],
                              b"hello", REFUSED),
    "equal only as numbers": (["Content-Length: 5", "Content-Length: 05"],
                              b"hello", REFUSED),
    "zero, then more": (["Content-Length: 0", "Content-Length: 33"],
                        SMUGGLED, REFUSED),
    "empty": (["Content-Length:"], b"", REFUSED),
    "empty beside one": (["Content-Length: 5", "Content-Length:"],
                         b"hello", REFUSED),
    "empty list element": (["Content-Length: 5,"], b"hello", REFUSED),
    "plus": (["Content-Length: +5"], b"hello", REFUSED),
    "minus": (["Content-Length: -5"], b"hello", REFUSED),
    "minus zero": (["Content-Length: -0"], b"", REFUSED),
    "hexadecimal": (["Content-Length: 0x5"], b"hello", REFUSED),
    "letter behind": (["Content-Length: 5a"], b"hello", REFUSED),
    "space within": (["Content-Length: 5 5"], b"hello", REFUSED),
    "fraction": (["Content-Length: 5.0"], b"hello", REFUSED),
    "exponent": (["Content-Length: 1e1"], b"hello", REFUSED),
    "quoted": (['Content-Length: "5"'], b"hello", REFUSED),
    "Unicode digit": (["Content-Length: \xb2"], b"hello", REFUSED),
    "2^64": (["Content-Length: 18446744073709551616"], b"", TOO_LARGE),
    "2^64 + 5": (["Content-Length: 18446744073709551621"], b"hello",
                 TOO_LARGE),
    "40 digits": (["Content-Length: " + "9" * 40], b"", TOO_LARGE),
    "2^63": (["Content-Length: 9223372036854775808"], b"",
             TOO_LARGE | {"200 closed"}),
    "space before colon": (["Content-Length : 5"], b"hello", REFUSED),
}

CHUNKED = "Transfer-Encoding: chunked"
HELLO = b"5\r\nhello\r\n0\r\n\r\n"

CODINGS = {
    "chunked": ([CHUNKED], HELLO, READ),
    "in capitals": (["TRANSFER-ENCODING: Chunked"], HELLO, READ),
    "with Content-Length": ([CHUNKED, "Content-Length: 5"], HELLO, REFUSED),
    "behind Content-Length": (["Content-Length: 5", CHUNKED], HELLO, REFUSED),
    "with Content-Length 0": ([CHUNKED, "Content-Length: 0"], HELLO, REFUSED),
    "gzip": (["Transfer-Encoding: gzip"], HELLO, CODING),
    "identity": (["Transfer-Encoding: identity"], HELLO, CODING),
    "gzip, chunked": (["Transfer-Encoding: gzip, chunked"], HELLO, CODING),
    "chunked, gzip": (["Transfer-Encoding: chunked, gzip"], HELLO, CODING),
    "chunked, identity": (
        ["Transfer-Encoding: chunked, identity"], HELLO, CODING),
    "chunked twice": (["Transfer-Encoding: chunked, chunked"], HELLO, CODING),
    "two lines": ([CHUNKED, CHUNKED], HELLO, CODING),
    "two lines, the last unknown": (
        [CHUNKED, "Transfer-Encoding: x"], HELLO, CODING),
    "empty": (["Transfer-Encoding:"], b"", CODING),
    "with parameter": (["Transfer-Encoding: chunked;a=b"], HELLO, CODING),
    "quoted": (['Transfer-Encoding: "chunked"'], HELLO, CODING),
    "xchunked": (["Transfer-Encoding: xchunked"], HELLO, CODING),
    "chunkedx": (["Transfer-Encoding: chunkedx"], HELLO, CODING),
    "vertical tab": (["Transfer-Encoding: \x0bchunked"], HELLO, REFUSED),
    "NUL": (["Transfer-Encoding: chunked\0"], HELLO, REFUSED),
    "no-break space": (["Transfer-Encoding: \xa0chunked"], HELLO, CODING),
    "space before colon": (["Transfer-Encoding : chunked"], HELLO, REFUSED),
    "folded": (["Transfer-Encoding:", " chunked"], HELLO, REFUSED),
    "behind a bare CR": (["X: a\rTransfer-Encoding: chunked"], HELLO,
                         REFUSED),
}


@pytest.mark.parametrize("name", LENGTHS)
def test_content_length(server, name):
    fields, body, stories = LENGTHS[name]
    assert server.talk(request("/ping.txt", *fields, body=body)).story \
        in stories


@pytest.mark.parametrize("name", CODINGS)
def test_transfer_encoding(server, name):
    fields, body, stories = CODINGS[name]
    assert server.talk(request("/ping.txt", *fields, body=body)).story \
        in stories


@pytest.mark.parametrize("fields", [
    [CHUNKED],
    [CHUNKED, "Connection: keep-alive"],
    [CHUNKED, "Content-Length: 5"],
], ids=["alone", "keep-alive", "with length"])
def test_transfer_encoding_in_1_0(server, fields):
    raw = request("/ping.txt", *fields, version="1.0", body=HELLO)
    assert server.talk(raw).story in CODING


GOOD_CHUNKS = {
    "empty": b"0\r\n\r\n",
    "one": HELLO,
    "two": b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
    "hexadecimal": b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
    "leading zeros": b"0005\r\nhello\r\n000\r\n\r\n",
    "extension": b"5;a=b\r\nhello\r\n0;last\r\n\r\n",
    "extension without value": b"5;a\r\nhello\r\n0\r\n\r\n",
    "quoted extension": b'5;a="b;c\\" d"\r\nhello\r\n0\r\n\r\n',
    "several extensions": b"5;a=b;c;d=e\r\nhello\r\n0\r\n\r\n",
    "trailer": b"5\r\nhello\r\n0\r\nX: y\r\nZ:\r\n\r\n",
    "trailer that frames": (
        b"5\r\nhello\r\n0\r\nContent-Length: 99\r\n\r\n"),
    "data like framing": b"5\r\n0\r\n\r\n\r\n0\r\n\r\n",
    "large": b"10000\r\n" + b"x" * 65536 + b"\r\n0\r\n\r\n",
}

BAD_CHUNKS = {
    "LF behind the size": b"5\nhello\r\n0\r\n\r\n",
    "LF behind the data": b"5\r\nhello\n0\r\n\r\n",
    "LF behind the last size": b"5\r\nhello\r\n0\n\r\n",
    "LF at the very end": b"5\r\nhello\r\n0\r\n\n",
    "LF behind an extension": b"5;a\nhello\r\n0\r\n\r\n",
    "LF behind a trailer": b"5\r\nhello\r\n0\r\nX: y\n\r\n",
    "CR alone behind the size": b"5\rhello\r\n0\r\n\r\n",
    "CR CR LF": b"5\r\r\nhello\r\n0\r\n\r\n",
    "no size": b"\r\nhello\r\n0\r\n\r\n",
    "plus": b"+5\r\nhello\r\n0\r\n\r\n",
    "minus": b"-5\r\nhello\r\n0\r\n\r\n",
    "0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "not a digit": b"g\r\nhello\r\n0\r\n\r\n",
    "space before size": b" 5\r\nhello\r\n0\r\n\r\n",
    "underscore": b"1_0\r\n" + b"x" * 16 + b"\r\n0\r\n\r\n",
    "2^64": b"10000000000000000\r\nhello\r\n0\r\n\r\n",
    "2^64 + 5": b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "2^128 + 5": b"1" + b"0" * 31 + b"5\r\nhello\r\n0\r\n\r\n",
    "data too long": b"5\r\nhello!\r\n0\r\n\r\n",
    "data without end": b"5\r\nhello0\r\n\r\n",
    "NUL in extension": b"5;a=\0\r\nhello\r\n0\r\n\r\n",
    "CR in extension": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "trailer without colon": b"5\r\nhello\r\n0\r\nX\r\n\r\n",
    "trailer, space before colon": b"5\r\nhello\r\n0\r\nX : y\r\n\r\n",
    "trailer folded": b"5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n",
    "endless extension": b"5;" + b"a" * 70000 + b"\r\nhello\r\n0\r\n\r\n",
    "endless zeros": b"0" * 70000 + b"5\r\nhello\r\n0\r\n\r\n",
    "endless trailer": (
        b"0\r\n" + b"X: " + b"y" * 70000 + b"\r\n\r\n"),
    "too many trailers": b"0\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
}


@pytest.mark.parametrize("name", GOOD_CHUNKS)
def test_good_chunks(server, name):
    raw = request("/ping.txt", CHUNKED, body=GOOD_CHUNKS[name])
    assert server.talk(raw).story in READ


@pytest.mark.parametrize("piece", [1, 2, 5])
@pytest.mark.parametrize("name", ["two", "quoted extension", "trailer"])
def test_good_chunks_in_pieces(server, name, piece):
    raw = request("/ping.txt", CHUNKED, body=GOOD_CHUNKS[name])
    assert server.talk(raw, piece=piece).story in READ


@pytest.mark.parametrize("name", BAD_CHUNKS)
def test_bad_chunks(server, name):
    raw = request("/ping.txt", CHUNKED, body=BAD_CHUNKS[name])
    assert server.talk(raw).story in BROKEN_BODY | {"413 closed", "431 closed"}


@pytest.mark.parametrize("fields,body", [
    (["Content-Length: 6"], b"hello"),
    ([CHUNKED], b"5\r\nhel"),
    ([CHUNKED], b"5\r\nhello\r\n0\r\n"),
], ids=["length", "chunk", "last chunk"])
def test_body_that_never_ends(server, fields, body):
    """The client goes away within its body: no answer hangs about."""
    with server.connect() as c:
        c.send(request("/ping.txt", *fields, body=body))
        c.half_close()
        answer = c.rest()
        assert answer.count(b"HTTP/1.1 ") <= 1


def test_large_body_is_read_or_refused(server):
    size = 1 << 20
    raw = request("/ping.txt", f"Content-Length: {size}", body=b"x" * size)
    assert server.talk(raw).story in READ | {"413 closed"}


def test_body_of_a_refused_method_is_no_request(server):
    raw = request("/ping.txt", f"Content-Length: {len(SMUGGLED)}",
                  method="POST", body=SMUGGLED)
    assert server.talk(raw, methods=["POST"]).story in {
        "405 open", "405 closed"}
