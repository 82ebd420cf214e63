# SPDX-License-Identifier: ISC
"""Expect: RFC 9110 10.1.1."""

import pytest

from rawhttp import request

CONTINUE = "Expect: 100-continue"


@pytest.mark.parametrize("expect", [CONTINUE, "expect: 100-Continue"])
@pytest.mark.parametrize("fields,body", [
    (["Content-Length: 5"], b"hello"),
    (["Transfer-Encoding: chunked"], b"5\r\nhello\r\n0\r\n\r\n"),
], ids=["length", "chunked"])
def test_100_continue(server, expect, fields, body):
    """Either the body is asked for, or a final answer spares the client it;
    the one thing that must not happen is that both sides wait."""
    with server.connect() as c:
        r = c.ask(request("/ping.txt", expect, *fields))
        if r.status == 100:
            c.send(body)
            assert c.receive().status == 200
            assert c.ask(request()).status == 200
        else:
            assert r.status == 200
            assert r["Connection"].lower() == "close"
            assert c.is_at_end()


def test_final_answer_in_place_of_100(server):
    with server.connect() as c:
        r = c.ask(request("/ping.txt", CONTINUE, "Content-Length: 5",
                          method="POST"))
        if r.status == 100:
            c.send(b"hello")
            r = c.receive()
        assert r.status == 405


def test_body_sent_without_waiting(server):
    raw = request("/ping.txt", CONTINUE, "Content-Length: 5", body=b"hello")
    assert server.talk(raw).story in {
        "100 200 open", "200 open", "200 closed"}


def test_nothing_to_wait_for(server):
    raw = request("/ping.txt", CONTINUE)
    assert server.talk(raw).story in {"200 open", "100 200 open"}


@pytest.mark.parametrize("fields,stories", [
    ([CONTINUE] * 2, {"100 200 open", "200 open", "200 closed"}),
    ([CONTINUE + ", 100-continue"],
     {"100 200 open", "200 open", "200 closed"}),
    (["Expect:"], {"200 open", "200 closed"}),
    (["Expect: ,"], {"200 open", "200 closed"}),
], ids=["two lines", "list", "empty", "empty list"])
def test_field_is_a_list(server, fields, stories):
    raw = request("/ping.txt", *fields, "Content-Length: 5", body=b"hello")
    assert server.talk(raw).story in stories


def test_1_0_knows_no_100(server):
    raw = request("/ping.txt", CONTINUE, "Content-Length: 5", version="1.0",
                  body=b"hello")
    assert server.talk(raw).story == "200 closed"


@pytest.mark.parametrize("expectation", [
    "the-unexpected", "100-continue, more", "100-continuex", "200-ok",
    "100-continue=x"])
def test_other_expectations(server, expectation):
    raw = request("/ping.txt", f"Expect: {expectation}")
    assert server.talk(raw).story in {"417 open", "417 closed"}
