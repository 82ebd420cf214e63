# SPDX-License-Identifier: ISC
"""Thousands of idle connections beside a busy one."""

import contextlib
import os
import pathlib
import resource

import pytest

from rawhttp import Malformed, request
from server import is_sanitized, usable_engines, wait_until

IDLE = 5000
HELLO = request("/hello.txt")


@pytest.fixture(autouse=True)
def descriptors():
    """Enough for both sides: the server inherits the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # The server keeps some for files.
    if hard != resource.RLIM_INFINITY and hard < IDLE + 1000:
        pytest.skip(f"no more than {hard} descriptors are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (IDLE + 500, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def server_of(start, tree):
    # Nobody leaves because a slow machine takes long to ask all the others.
    return lambda engine: start(tree, "--idle-timeout=600",
                                "--header-timeout=600", engine=engine)


@contextlib.contextmanager
def connections(server, count):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(server.connect()) for _ in range(count)]


def cpu_seconds(pid):
    """What a process has worked, however long it had to wait for its turn."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("engine", [
    engine for engine in usable_engines()
    if "fork" not in engine and "select" not in engine
    and engine not in ("blocking", "nonblock", "uring")])
def test_idle_crowd(server_of, engine):
    server = server_of(engine)
    with connections(server, 200) as warm_up:
        for c in warm_up:
            assert c.ask(HELLO).status == 200
    assert wait_until(lambda: server.connections() == 0)
    worker, = server.workers()
    before = server.memory_kib()
    with connections(server, IDLE) as crowd:
        for c in crowd:
            assert c.ask(HELLO).status == 200
        each = (server.memory_kib() - before) * 1024 / IDLE
        if not is_sanitized():
            assert each <= 1024, f"{each:.0f} bytes for an idle connection"
        with server.connect() as busy:
            began = cpu_seconds(worker)
            for _ in range(500):
                assert busy.ask(HELLO).status == 200
            assert cpu_seconds(worker) - began < 5
        for c in crowd[::100]:
            assert c.ask(HELLO).status == 200


def is_served(server):
    try:
        return server.get("/hello.txt").status == 200
    except (OSError, Malformed):
        return False


@pytest.mark.parametrize("engine", ["select", "pselect"])
def test_more_than_select_can_hold(server_of, engine):
    """FD_SETSIZE is 1,024.  Those beyond it wait or are turned away; those
    within are served, and nobody's memory is overwritten."""
    server = server_of(engine)
    with connections(server, 1300) as crowd:
        for c in crowd[:500]:
            assert c.ask(HELLO).status == 200
        server.check()
    # Those who have left may still be in the way.
    assert wait_until(lambda: is_served(server))
