# SPDX-License-Identifier: ISC
"""Thousands of idle connections beside a busy one."""

import contextlib
import resource
import time

import pytest

from rawhttp import request
from server import is_sanitized, usable_engines

IDLE = 5000
HELLO = request("/hello.txt")


@pytest.fixture(autouse=True)
def descriptors():
    """Enough for both sides: the server inherits the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < IDLE + 200:
        pytest.skip(f"no more than {hard} descriptors are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (IDLE + 200, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def server_of(start, tree):
    return lambda engine: start(tree, "--idle-timeout=120", engine=engine)


@contextlib.contextmanager
def connections(server, count):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(server.connect()) for _ in range(count)]


@pytest.mark.parametrize("engine", [
    engine for engine in usable_engines()
    if "fork" not in engine and "select" not in engine
    and engine not in ("blocking", "nonblock", "uring")])
def test_idle_crowd(server_of, engine):
    server = server_of(engine)
    with connections(server, 200) as warm_up:
        for c in warm_up:
            assert c.ask(HELLO).status == 200
    before = server.memory_kib()
    with connections(server, IDLE) as crowd:
        for c in crowd:
            assert c.ask(HELLO).status == 200
        each = (server.memory_kib() - before) * 1024 / IDLE
        if not is_sanitized():
            assert each <= 1024, f"{each:.0f} bytes for an idle connection"
        with server.connect() as busy:
            began = time.monotonic()
            for _ in range(500):
                assert busy.ask(HELLO).status == 200
            assert time.monotonic() - began < 5
        for c in crowd[::100]:
            assert c.ask(HELLO).status == 200


@pytest.mark.parametrize("engine", ["select", "pselect"])
def test_more_than_select_can_hold(server_of, engine):
    """FD_SETSIZE is 1,024.  Those beyond it wait or are turned away; those
    within are served, and nobody's memory is overwritten."""
    server = server_of(engine)
    with connections(server, 1300) as crowd:
        for c in crowd[:500]:
            assert c.ask(HELLO).status == 200
        server.check()
    assert server.get("/hello.txt").status == 200
