# SPDX-License-Identifier: ISC
"""-d: in the foreground, one connection at a time, log on stdout."""

import re
import select

import pytest

from access_log import LINE
from rawhttp import request
from server import Server, wait_until

HELLO = request("/hello.txt", "Connection: close")


@pytest.fixture
def debug(tree):
    with Server(tree, "-d", "--idle-timeout=600") as server:
        yield server


def log_lines(server):
    """The requests; a line that names the address may stand before them."""
    return [line for line in server.stdout().splitlines()
            if LINE.fullmatch(line)]


@pytest.fixture(autouse=True)
def without_foreground(monkeypatch):
    """Server's own -f would speak against -d."""
    launch = Server.launch

    def launch_debug(self):
        self.arguments.remove("-f")
        launch(self)
    monkeypatch.setattr(Server, "launch", launch_debug)


def test_log_on_stdout(debug):
    debug.get("/hello.txt")
    assert wait_until(lambda: log_lines(debug))
    assert re.search(r'"GET /hello.txt HTTP/1.1" 200 6$', log_lines(debug)[0])


def test_one_at_a_time(debug):
    """H5 of docs/rows.md: the second is served when the first is gone."""
    with debug.connect() as first:
        assert first.ask(request("/hello.txt")).status == 200
        with debug.connect() as second:
            second.send(HELLO)
            assert not select.select([second.socket], [], [], 0.5)[0]
            first.close()
            assert second.receive().body == b"hello\n"


def test_many_wait(debug):
    with debug.connect() as first:
        assert first.ask(request("/hello.txt")).status == 200
        waiting = [debug.connect() for _ in range(20)]
        for c in waiting:
            c.send(HELLO)
    for c in waiting:
        assert c.receive().body == b"hello\n"
        c.close()
