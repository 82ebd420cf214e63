# SPDX-License-Identifier: ISC
"""Several processes behind one address."""

import os
import re
import signal

import pytest

from rawhttp import Malformed, request
from server import children, wait_until

HELLO = request("/hello.txt")


def is_served(c):
    try:
        return c.ask(HELLO).status == 200
    except (OSError, Malformed):
        return False


def test_killed_worker_is_replaced(start, tree):
    server = start(tree, workers=2)
    victim, other = server.workers()
    os.kill(victim, signal.SIGKILL)
    assert wait_until(lambda: victim not in server.workers())
    assert other in server.workers() and len(server.workers()) == 2
    for _ in range(50):
        assert server.get("/hello.txt").status == 200
    assert re.search(rf"\b{victim}\b|worker", server.stderr())


@pytest.mark.in_workers
@pytest.mark.many_clients
def test_only_the_victims_connections_are_lost(start, tree):
    server = start(tree, workers=2)
    victim, other = server.workers()
    connections = [server.connect() for _ in range(60)]
    assert all(map(is_served, connections))

    def shares():
        # The kernel's list, read while others come and go, may lack some.
        found = server.connections(victim), server.connections(other)
        return found if sum(found) == 60 else None

    lost, kept = wait_until(shares)
    assert lost > 0 and kept > 0
    os.kill(victim, signal.SIGKILL)
    assert wait_until(lambda: victim not in children(server.process.pid))
    assert sum(map(is_served, connections)) == kept
    for c in connections:
        c.close()


@pytest.mark.in_workers
@pytest.mark.many_clients
def test_load_is_shared(start, tree):
    server = start(tree, workers=2)
    connections = [server.connect() for _ in range(60)]
    assert all(map(is_served, connections))
    assert wait_until(lambda: all(
        server.connections(pid) > 0 for pid in server.workers()))
    for c in connections:
        c.close()


def test_worker_that_dies_again_and_again(start, tree):
    """Restarted with back-off: the supervisor neither spins nor gives up."""
    server = start(tree)
    for _ in range(4):
        pid, = server.workers()
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: pid not in children(server.process.pid))
    assert server.get("/hello.txt").status == 200
