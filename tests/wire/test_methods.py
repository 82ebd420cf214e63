# SPDX-License-Identifier: ISC
"""Methods: RFC 9110 9."""

import pytest

from rawhttp import request

ALLOWED = {"GET", "HEAD", "OPTIONS"}

KNOWN = ["POST", "PUT", "DELETE", "TRACE", "PATCH", "PROPFIND", "MKCOL",
         "LOCK"]
# Methods are compared with their case (RFC 9110 9.1).
UNKNOWN = ["FOO", "get", "Get", "GETS", "GE", "M-SEARCH", "PRI",
           "!#$%&'*+-.^_`|~", "X" * 200]

# What HEAD may leave out, and what changes by itself (RFC 9110 9.3.2).
VARYING = {"date", "content-length", "transfer-encoding"}


def methods_of(response):
    return {m.strip() for m in response["Allow"].split(",")}


@pytest.mark.parametrize("method", KNOWN)
@pytest.mark.parametrize("target", ["/ping.txt", "/nowhere", "/plain/"])
def test_known_but_not_allowed(server, method, target):
    talk = server.talk(request(target, method=method), methods=[method])
    assert talk.story in {"405 open", "405 closed"}
    assert methods_of(talk[0]) == ALLOWED


@pytest.mark.parametrize("method", UNKNOWN)
def test_unknown(server, method):
    talk = server.talk(request(method=method), methods=[method])
    assert talk.story in {"501 open", "501 closed"}


def test_connect(server):
    raw = b"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n"
    talk = server.talk(raw, methods=["CONNECT"])
    assert talk.story in {"405 open", "405 closed", "501 open", "501 closed"}


def test_trace_reflects_nothing(server):
    r = server.get("/ping.txt", "Cookie: precious", method="TRACE")
    assert b"precious" not in r.body


@pytest.mark.parametrize("target", ["*", "/ping.txt", "/", "/plain/"])
def test_options(server, target):
    talk = server.talk(request(target, method="OPTIONS"),
                       methods=["OPTIONS"])
    assert talk.story in {"200 open", "204 open"}
    assert methods_of(talk[0]) == ALLOWED
    assert talk[0].body == b""
    if talk[0].status == 200:
        assert talk[0]["Content-Length"] == "0"


@pytest.mark.parametrize("target", [
    "/ping.txt", "/empty.txt", "/big.bin", "/", "/plain/", "/sub",
    "/nowhere", "/../x"])
def test_head_is_get_without_the_body(server, target):
    get, head = server.get(target), server.head(target)
    assert head.status == get.status
    for name in {n.lower() for n, _ in get.fields} - VARYING:
        assert head.get(name) == get[name], name
    if "Content-Length" in head and "Content-Length" in get:
        assert head["Content-Length"] == get["Content-Length"]


def test_head_of_a_file_has_its_length(server):
    assert server.head("/ping.txt")["Content-Length"] == "5"


@pytest.mark.parametrize("target,status", [
    ("/ping.txt", 200), ("/plain/", 200), ("/nowhere", 404), ("/sub", 301)])
def test_head_leaves_the_connection_in_order(server, target, status):
    talk = server.talk(request(target, method="HEAD") * 3,
                       methods=["HEAD"] * 3)
    assert talk.story == " ".join([str(status)] * 3 + ["open"])


def test_head_in_1_0(server):
    talk = server.talk(request(method="HEAD", version="1.0"),
                       methods=["HEAD"])
    assert talk.story == "200 closed"
