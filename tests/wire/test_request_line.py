# SPDX-License-Identifier: ISC
"""The request line: RFC 9112 3, and what is refused on sight."""

import pytest

HEAD_REST = b"\r\nHost: x\r\n\r\n"

# bytes of the request line, what may come of it
LINES = {
    # The forms of a target (RFC 9112 3.2).
    "origin": (b"GET /ping.txt HTTP/1.1", "200 open"),
    "query": (b"GET /ping.txt?a=/../b%zz HTTP/1.1", "200 open"),
    "empty query": (b"GET /ping.txt? HTTP/1.1", "200 open"),
    "absolute": (b"GET http://x/ping.txt HTTP/1.1", "200 open"),
    "absolute, other host": (b"GET http://y:80/ping.txt HTTP/1.1", "200 open"),
    "absolute, scheme in capitals": (
        b"GET HTTP://x/ping.txt HTTP/1.1", "200 open"),
    "absolute, no path": (b"GET http://x HTTP/1.1", "200 open"),
    "absolute, no path but a query": (b"GET http://x?q HTTP/1.1", "200 open"),
    "absolute, https": (b"GET https://x/ping.txt HTTP/1.1", "421 closed"),
    "absolute, https in capitals": (
        b"OPTIONS HTTPS://x:443 HTTP/1.1", "421 closed"),
    "absolute, https without host": (
        b"GET https:///ping.txt HTTP/1.1", "400 closed"),
    "absolute, no host": (b"GET http:///ping.txt HTTP/1.1", "400 closed"),
    "absolute, bad host": (b"GET http://a|b/ping.txt HTTP/1.1", "400 closed"),
    "asterisk is for OPTIONS": (b"GET * HTTP/1.1", "400 closed"),
    "authority is for CONNECT": (b"GET x:80 HTTP/1.1", "400 closed"),
    "no slash": (b"GET ping.txt HTTP/1.1", "400 closed"),
    "fragment": (b"GET /ping.txt#top HTTP/1.1", "400 closed"),
    "fragment in query": (b"GET /ping.txt?a#top HTTP/1.1", "400 closed"),
    "raw UTF-8": ("GET /\u00fc.txt HTTP/1.1".encode(), "200 open"),
    "raw Latin-1": (b"GET /\xfc.txt HTTP/1.1", "404 open"),
    "escaped UTF-8": (b"GET /%c3%BC.txt HTTP/1.1", "200 open"),

    # White space: one space, twice, and nothing else.
    "two spaces before target": (b"GET  /ping.txt HTTP/1.1", "400 closed"),
    "two spaces before version": (b"GET /ping.txt  HTTP/1.1", "400 closed"),
    "space at the end": (b"GET /ping.txt HTTP/1.1 ", "400 closed"),
    "space in front": (b" GET /ping.txt HTTP/1.1", "400 closed"),
    "tab for space": (b"GET\t/ping.txt HTTP/1.1", "400 closed"),
    "tab before version": (b"GET /ping.txt\tHTTP/1.1", "400 closed"),
    "vertical tab": (b"GET\x0b/ping.txt HTTP/1.1", "400 closed"),
    "space in target": (b"GET /a b.txt HTTP/1.1", "400 closed"),
    "fourth word": (b"GET /ping.txt HTTP/1.1 x", "400 closed"),

    # The method is a token.
    "no method": (b" /ping.txt HTTP/1.1", "400 closed"),
    "method with @": (b"G@T /ping.txt HTTP/1.1", "400 closed"),
    "method with colon": (b"GET: /ping.txt HTTP/1.1", "400 closed"),
    "method with NUL": (b"G\0T /ping.txt HTTP/1.1", "400 closed"),
    "method beyond ASCII": (b"G\xc9T /ping.txt HTTP/1.1", "400 closed"),
    "a response": (b"HTTP/1.1 200 OK", "400 closed"),
    "a TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                    "400 closed"),

    # No version, or none that was ever written (RFC 9112 2.3).
    "one word": (b"GET", "400 closed"),
    "no version, not GET": (b"HEAD /ping.txt", "400 closed"),
    "no version, POST": (b"POST /ping.txt", "400 closed"),
    "lower case": (b"GET /ping.txt http/1.1", "400 closed"),
    "no minor": (b"GET /ping.txt HTTP/1", "400 closed"),
    "no minor but a dot": (b"GET /ping.txt HTTP/1.", "400 closed"),
    "no major": (b"GET /ping.txt HTTP/.1", "400 closed"),
    "no dot": (b"GET /ping.txt HTTP/11", "400 closed"),
    "comma for dot": (b"GET /ping.txt HTTP/1,1", "400 closed"),
    "two digits": (b"GET /ping.txt HTTP/1.10", "400 closed"),
    "leading zero": (b"GET /ping.txt HTTP/01.1", "400 closed"),
    "sign": (b"GET /ping.txt HTTP/+1.1", "400 closed"),
    "space within": (b"GET /ping.txt HTTP /1.1", "400 closed"),
    "other name": (b"GET /ping.txt HTTPS/1.1", "400 closed"),
    "letter behind": (b"GET /ping.txt HTTP/1.1x", "400 closed"),
    "NUL behind": (b"GET /ping.txt HTTP/1.1\0", "400 closed"),

    # Escapes that must never reach the file system.
    "broken escape": (b"GET /ping%zz HTTP/1.1", "400 closed|400 open"),
    "cut escape": (b"GET /ping%4 HTTP/1.1", "400 closed|400 open"),
    "bare percent": (b"GET /% HTTP/1.1", "400 closed|400 open"),
    "encoded NUL": (b"GET /ping.txt%00 HTTP/1.1", "400 closed|400 open"),
    "encoded slash": (b"GET /sub%2fpage.txt HTTP/1.1",
                      "400 closed|400 open"),
}


@pytest.mark.parametrize("name", LINES)
def test_line(server, name):
    line, stories = LINES[name]
    # The answer to something like HEAD may go without a body.
    methods = ["HEAD"] if line.startswith(b"HEAD ") else []
    talk = server.talk(line + HEAD_REST, methods=methods)
    assert talk.story in stories.split("|")


@pytest.mark.parametrize("byte", [*range(0x0a), 0x0b, 0x0c, 0x0d,
                                  *range(0x0e, 0x20), 0x7f])
def test_control_byte_in_target(server, byte):
    line = b"GET /ping%c.txt HTTP/1.1" % byte
    assert server.talk(line + HEAD_REST).story == "400 closed"


# The whole head, for the ways in which its lines end (RFC 9112 2.2).
ENDS = {
    "lone LF": (b"GET /ping.txt HTTP/1.1\nHost: x\n\n", "200 open"),
    "mixed": (b"GET /ping.txt HTTP/1.1\r\nHost: x\n\r\n", "200 open"),
    "mixed, the other way": (
        b"GET /ping.txt HTTP/1.1\nHost: x\r\n\n", "200 open"),
    "bare CR": (b"GET /ping.txt HTTP/1.1\rHost: x\r\r\n\r\n", "400 closed"),
    "two CR": (b"GET /ping.txt HTTP/1.1\r\r\nHost: x\r\n\r\n", "400 closed"),
    "CR in the method": (b"G\rET /ping.txt HTTP/1.1\r\nHost: x\r\n\r\n",
                         "400 closed"),
    "empty line first": (
        b"\r\nGET /ping.txt HTTP/1.1\r\nHost: x\r\n\r\n", "200 open"),
    "two empty lines first": (
        b"\r\n\r\nGET /ping.txt HTTP/1.1\r\nHost: x\r\n\r\n", "200 open"),
    "bare CR first": (
        b"\rGET /ping.txt HTTP/1.1\r\nHost: x\r\n\r\n", "400 closed"),
}


@pytest.mark.parametrize("name", ENDS)
def test_line_ends(server, name):
    raw, story = ENDS[name]
    assert server.talk(raw).story == story


def test_endless_empty_lines_are_refused(server):
    assert server.talk(b"\r\n" * 50000).story == "400 closed"
