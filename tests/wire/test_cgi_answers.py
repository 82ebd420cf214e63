# SPDX-License-Identifier: ISC
"""What a CGI program answers (RFC 3875 6), and what becomes of it."""

import re
import time

import pytest

import cgi_bin as programs
from rawhttp import request
from server import wait_until

HTML = b"Content-Type: text/html\n"
LIMIT = 64 << 10


def ask(server, said, name="repeat", method="POST", version="1.1", fields=()):
    """Has a program say something; the answer."""
    with server.connect() as c:
        return c.ask(request(
            "/cgi-bin/" + name, f"Content-Length: {len(said)}", *fields,
            method=method, version=version, body=said), method)


# what the program says; status, content, fields
DOCUMENTS = {
    "plain": (HTML + b"\nx", 200, b"x", {"Content-Type": "text/html"}),
    "CRLF": (b"Content-Type: a/b\r\nX-A: 1\r\n\r\nx\r\n", 200, b"x\r\n",
             {"Content-Type": "a/b", "X-A": "1"}),
    "mixed ends": (b"Content-Type: a/b\r\nX-A: 1\n\r\nx", 200, b"x", {}),
    "no space": (b"Content-type:a/b\n\nx", 200, b"x",
                 {"Content-Type": "a/b"}),
    "spaces": (b"Content-Type:\t a/b \t\n\nx", 200, b"x",
               {"Content-Type": "a/b"}),
    "empty": (HTML + b"\n", 200, b"", {}),
    "looks like a header": (HTML + b"\nA: b\n\nc", 200, b"A: b\n\nc", {}),
    "status": (b"Status: 404 Not Here\n" + HTML + b"\nx", 404, b"x", {}),
    "status alone": (b"Status: 403\n\n", 403, b"", {}),
    "status without phrase": (b"Status: 299\n" + HTML + b"\nx", 299, b"x",
                              {}),
    "status with content": (b"Status: 200 OK\n\nx", 200, b"x",
                            {"Content-Type": None}),
    "204": (b"Status: 204 No Content\n\n", 204, b"", {}),
    # RFC 9110 15.3.6: no content, and that is said.
    "205": (b"Status: 205 Reset Content\n\n", 205, b"",
            {"Content-Length": "0"}),
    "205 with content": (b"Status: 205\nContent-Type: a/b\n\nxy", 205, b"",
                         {"Content-Length": "0"}),
    "205 with length": (b"Status: 205\nContent-Length: 2\n\nxy", 205, b"",
                        {"Content-Length": "0"}),
    "304": (b"Status: 304 Not Modified\nETag: \"a\"\n\n", 304, b"",
            {"ETag": '"a"'}),
    "length": (HTML + b"Content-Length: 3\n\nabc", 200, b"abc",
               {"Content-Length": "3", "Transfer-Encoding": None}),
    "length 0": (HTML + b"Content-Length: 0\n\n", 200, b"",
                 {"Content-Length": "0"}),
    "client redirect": (b"Location: http://x/y\n\n", 302, b"",
                        {"Location": "http://x/y"}),
    "with a document": (b"Location: http://x/y\nStatus: 301 Moved\n" + HTML
                        + b"\nthere", 301, b"there",
                        {"Location": "http://x/y"}),
    "document, no status": (b"Location: http://x/y\n" + HTML + b"\nthere",
                            302, b"there", {"Location": "http://x/y"}),
    "path with a status": (b"Location: /ping.txt\nStatus: 303 See Other\n\n",
                           303, b"", {"Location": "/ping.txt"}),
    # The fragment is the client's, who must hear of it.
    "path with a fragment": (b"Location: /ping.txt?a#b\n\n", 302, b"",
                             {"Location": "/ping.txt?a#b"}),
    "other host": (b"Location: //x/y\n\n", 302, b"", {"Location": "//x/y"}),
    "fragment": (b"Location: http://x/#y\n\n", 302, b"",
                 {"Location": "http://x/#y"}),
    "own Date and Server": (HTML + b"Date: never\nServer: me\n\nx", 200, b"x",
                            {"Content-Type": "text/html"}),
    "hop by hop": (HTML + b"Connection: X-A\nKeep-Alive: 1\nUpgrade: h2c\n"
                   b"TE: x\nTrailer: X\nProxy-Connection: x\n\nx", 200, b"x",
                   {"Keep-Alive": None, "Upgrade": None, "TE": None,
                    "Trailer": None, "Proxy-Connection": None}),
    "coding": (HTML + b"Transfer-Encoding: chunked\n\n5\nhello\n", 200,
               b"5\nhello\n", {}),
    "Latin-1": (HTML + b"X-A: \xfc\n\nx", 200, b"x", {"X-A": "\xfc"}),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document(cgi, name):
    said, status, content, fields = DOCUMENTS[name]
    r = ask(cgi, said)
    assert (r.status, r.body) == (status, content)
    for field, value in fields.items():
        assert r.get(field) == value
    assert re.fullmatch(r"\w{3}, .* GMT", r["Date"])
    assert r["Server"].startswith("sws/")


def test_cookies_stay_apart(cgi):
    r = ask(cgi, HTML + b"Set-Cookie: a=b\nSet-Cookie: c=d\n\n")
    assert r.all("Set-Cookie") == ["a=b", "c=d"]


@pytest.mark.parametrize("version,framing", [
    ("1.1", "chunked"), ("1.0", "close")])
def test_framing_without_length(cgi, version, framing):
    r = ask(cgi, HTML + b"\nhello", version=version)
    assert (r.framing, r.body) == (framing, b"hello")


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_framing_with_length(cgi, version):
    r = ask(cgi, HTML + b"Content-Length: 5\n\nhello", version=version)
    assert (r.framing, r.body) == ("length", b"hello")


def test_connection_is_kept(cgi):
    said = HTML + b"\nx"
    raw = request("/cgi-bin/repeat", f"Content-Length: {len(said)}",
                  method="POST", body=said)
    assert cgi.talk(raw * 5).story == "200 200 200 200 200 open"
    raw = raw.replace(b"HTTP/1.1", b"HTTP/1.0")
    assert cgi.talk(raw).story == "200 closed"


@pytest.mark.parametrize("said", [
    HTML + b"\nhello", HTML + b"Content-Length: 5\n\nhello",
    HTML + b"\n" + b"x" * 500000, HTML + b"Content-Length: 5\n\n"])
def test_head_drops_the_content(cgi, said):
    raw = request("/cgi-bin/repeat", f"Content-Length: {len(said)}",
                  method="HEAD", body=said)
    talk = cgi.talk(raw, methods=["HEAD"])
    assert talk.story in ("200 open", "200 closed")
    assert talk[0]["Content-Type"] == "text/html"


@pytest.mark.parametrize("status", [204, 304])
def test_content_where_none_may_be(cgi, status):
    said = b"Status: %d\n\nHTTP/1.1 200 OK\r\n\r\n" % status
    raw = request("/cgi-bin/repeat", f"Content-Length: {len(said)}",
                  method="POST", body=said)
    assert cgi.talk(raw).story in (f"{status} open", f"{status} closed")


METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH",
           "PROPFIND", "FOO", "x-y.z!", "get"]


@pytest.mark.parametrize("method", METHODS)
def test_methods(cgi, method):
    with cgi.connect() as c:
        r = c.ask(request("/cgi-bin/show", method=method), method)
        assert r.status == 200
        if method != "HEAD":
            told = programs.shown(r)
            assert told["env"]["REQUEST_METHOD"] == method


def test_trace_and_connect_do_not(cgi):
    assert cgi.get("/cgi-bin/show", method="TRACE").status in (405, 501)
    with cgi.connect() as c:
        assert c.ask(b"CONNECT /cgi-bin/show HTTP/1.1\r\nHost: x\r\n\r\n"
                     ).status >= 400


# Header fields for which the answer is 502.
BAD = {
    "none": b"",
    "only content": b"<html>\n",
    "no fields": b"\nhello\n",
    "no colon": HTML + b"nonsense\n\nx",
    "no type": b"X-A: b\n\nx",
    "no end": HTML,
    "half a line": b"Content-Type: text/h",
    "no name": HTML + b": x\n\n",
    "space before colon": b"Content-Type : text/html\n\nx",
    "folded": HTML + b"X-A: b\n c\n\nx",
    "space in name": HTML + b"X A: b\n\nx",
    "NUL": HTML + b"X-A: a\0b\n\nx",
    "CR in value": HTML + b"X-A: a\rX-B: c\n\nx",
    "CR CR LF": HTML + b"X-A: a\r\r\n\nx",
    "escape": HTML + b"X-A: \x1b[31m\n\nx",
    "two types": HTML + HTML + b"\nx",
    "two statuses": b"Status: 200\nStatus: 404\n\nx",
    "two locations": b"Location: /a\nLocation: /b\n\n",
    "two lengths": HTML + b"Content-Length: 1\nContent-Length: 1\n\nx",
    "length with sign": HTML + b"Content-Length: +1\n\nx",
    "length list": HTML + b"Content-Length: 1, 1\n\nx",
    "length beyond": HTML + b"Content-Length: 99999999999999999999\n\nx",
    "empty length": HTML + b"Content-Length:\n\nx",
    "status 100": b"Status: 100 Continue\n\n",
    "status 99": b"Status: 99\n\n",
    "status 600": b"Status: 600 x\n\n",
    "status word": b"Status: OK\n\n",
    "status 2000": b"Status: 2000\n\n",
    "status with NUL": b"Status: 200 \0\n\n",
    "empty location": b"Location:\n\n",
    "response of HTTP": b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\nx",
    "fields too many": HTML + b"X: y\n" * 1000 + b"\nx",
    "too long": HTML + b"X: " + b"y" * LIMIT + b"\n\nx",
    "too long, many": HTML + (b"X: " + b"y" * 1000 + b"\n") * 70 + b"\nx",
}


@pytest.mark.parametrize("name", BAD)
def test_bad_header(cgi, name):
    said_before = len(cgi.stderr())
    r = ask(cgi, BAD[name])
    assert r.status == 502
    assert b"nonsense" not in r.body
    assert wait_until(lambda: re.search(
        r"cgi-bin/repeat: its header|cgi-bin/repeat: it ended",
        cgi.stderr()[said_before:]))


def test_long_header_that_fits(cgi):
    said = HTML + (b"X: " + b"y" * 1000 + b"\n") * 60 + b"\nx"
    r = ask(cgi, said)
    assert (r.status, r.body) == (200, b"x")
    assert len(r.all("X")) == 60


def test_header_without_end(cgi, cgi_bin):
    assert cgi.get("/cgi-bin/headless").status == 502
    assert programs.all_ended(cgi_bin)


@pytest.mark.parametrize("name,word", [
    ("fails", "ended with status 3"), ("killed", "ended by signal 9")])
def test_early_end(cgi, name, word):
    said_before = len(cgi.stderr())
    assert cgi.get("/cgi-bin/" + name).status == 502
    assert wait_until(lambda: f"cgi-bin/{name}: it ended before"
                      in cgi.stderr()[said_before:])


def test_header_byte_by_byte(cgi, cgi_bin):
    programs.write(cgi_bin, "drips", programs.SH + "\n".join(
        f"printf '{c}'" for c in "Content-Type: a/b\\n\\nx".replace(
            "\\n", "N")).replace("N", "\\n"))
    r = cgi.get("/cgi-bin/drips")
    assert (r["Content-Type"], r.body) == ("a/b", b"x")


# content after "Content-Length: 5"
@pytest.mark.parametrize("content,word", [
    (b"", "shorter"), (b"abc", "shorter"), (b"abcdef", "longer"),
    (b"abcde" * 100000, "longer")], ids=["none", "less", "more", "much"])
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_length_that_lies(cgi, content, word, version):
    """The client gets no more than was promised, and if less, it can tell."""
    said = HTML + b"Content-Length: 5\n\n" + content
    before = len(cgi.stderr())
    with cgi.connect() as c:
        c.send(request("/cgi-bin/repeat", f"Content-Length: {len(said)}",
                       "Connection: close", method="POST", version=version,
                       body=said))
        try:
            answer = c.rest()
        except ConnectionResetError:
            answer = b""
    # What breaks off at once may not have begun at all.
    if answer or len(content) >= 5:
        head, _, got = answer.partition(b"\r\n\r\n")
        assert b"Content-Length: 5" in head and got == content[:5]
    assert wait_until(lambda: f"repeat: its output is {word}"
                      in cgi.stderr()[before:])


def test_too_much_ends_the_connection(cgi):
    """Who lies about lengths is not believed that this was the end."""
    said = HTML + b"Content-Length: 5\n\nabcdefgh"
    raw = request("/cgi-bin/repeat", f"Content-Length: {len(said)}",
                  method="POST", body=said)
    talk = cgi.talk(raw)
    assert talk.story == "200 closed"
    assert talk[0].body == b"abcde"


def local(target):
    return b"Location: " + target + b"\n\n"


@pytest.mark.parametrize("target,status,body", [
    (b"/ping.txt", 200, b"pong\n"),
    (b"/ping.txt?a=b", 200, b"pong\n"),
    (b"/p%69ng.txt", 200, b"pong\n"),
    (b"/cgi-bin/short", 200, b"short\n"),
    (b"/cgi-bin/short/x?y", 200, b"short\n"),
    (b"/nowhere", 404, None), (b"/../../etc/passwd", 400, None),
    (b"/cgi-bin/plain", 403, None), (b"/sub", 301, None),
    (b"/.hidden", 404, None)])
def test_local_redirect(cgi, target, status, body):
    r = ask(cgi, local(target))
    assert r.status == status
    assert body is None or r.body == body
    assert ("Location" in r) == (status == 301)


def test_local_redirect_is_a_get(cgi):
    r = ask(cgi, local(b"/cgi-bin/show/info?a=b"), fields=["X-A: b"])
    told = programs.shown(r)
    env = told["env"]
    assert env["REQUEST_METHOD"] == "GET" and told["input"] == ""
    assert "CONTENT_LENGTH" not in env and "CONTENT_TYPE" not in env
    assert env["PATH_INFO"] == "/info" and env["QUERY_STRING"] == "a=b"
    assert env["HTTP_X_A"] == "b"


def test_local_redirect_of_head(cgi):
    said = local(b"/ping.txt")
    raw = request("/cgi-bin/repeat", f"Content-Length: {len(said)}",
                  method="HEAD", body=said)
    talk = cgi.talk(raw, methods=["HEAD"])
    assert talk.story in ("200 open", "200 closed")
    assert talk[0]["Content-Length"] == "5"


def test_redirects_are_counted(cgi):
    assert cgi.get("/cgi-bin/countdown?10").body == b"short\n"
    assert cgi.get("/cgi-bin/countdown?11").status == 500
    assert cgi.get("/cgi-bin/circle").status == 500
    assert wait_until(lambda: "cgi-bin/circle: too many redirections"
                      in cgi.stderr())


@pytest.mark.parametrize("name", ["nph-repeat", "nph-link"])
@pytest.mark.parametrize("said", [
    b"HTTP/1.1 299 Own\r\nX-A: b\r\nContent-Length: 1\r\n\r\nx",
    b"HTTP/1.0 299 Own\r\n\r\nx"])
def test_non_parsed_header(cgi, name, said):
    """Not a byte is added; only closing tells the end."""
    with cgi.connect() as c:
        c.send(request(f"/cgi-bin/{name}", f"Content-Length: {len(said)}",
                       method="POST", body=said))
        assert c.rest() == said


def test_non_parsed_header_that_is_none(cgi):
    r = ask(cgi, b"", "nph-repeat")
    assert r.status == 502


def test_complaints_are_logged(cgi):
    cgi.get("/cgi-bin/fails")
    assert wait_until(lambda: "cgi-bin/fails: it broke\n" in cgi.stderr())


def test_complaints_are_limited(start, site, cgi_bin):
    """To 20 in a second."""
    server = start(site, "-c", cgi_bin)

    def said():
        return server.stderr().count(": complaint ")

    began = time.monotonic()
    assert server.get("/cgi-bin/complains").body == b"short\n"
    assert wait_until(lambda: said() >= 10)
    assert said() <= 20 * (time.monotonic() - began + 1)


def test_complaints_cannot_forge_lines(cgi, cgi_bin):
    programs.write(cgi_bin, "forges", programs.SH
                   + "printf 'a\\033[2Jb\\rc\\n' >&2; exec ./short\n")
    assert cgi.get("/cgi-bin/forges").status == 200
    assert wait_until(lambda: "cgi-bin/forges: a" in cgi.stderr())
    assert "\033" not in cgi.stderr() and "\rc" not in cgi.stderr()


def test_request_log(start, site, cgi_bin, tmp_path):
    from access_log import Log
    log = Log(tmp_path / "log")
    server = start(site, "-c", cgi_bin, "-l", str(log.path))
    ask(server, b"Status: 404\n" + HTML + b"\nhello")
    line, = log.wait(1)
    assert (line["request"], line["status"], line["size"]) == (
        "POST /cgi-bin/repeat HTTP/1.1", "404", "5")
