# SPDX-License-Identifier: ISC
"""A worker that was taken over: what it says to the other processes.

The test borrows the worker's own channels and speaks in its place.
"""

import ctypes
import errno
import os
import socket

import pytest

import cgi_bin as programs
from server import SANITIZER, wait_until

SYS_PIDFD_GETFD = 438


@pytest.fixture(scope="module")
def cgi_bin():
    path = programs.make()
    yield path
    programs.remove(path)


def borrow(pidfd, number):
    """A copy of another process's descriptor, as a socket; None when it is
    none of ours to have, or no channel."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.syscall(SYS_PIDFD_GETFD, pidfd, number, 0)
    if fd == -1:
        error = ctypes.get_errno()
        if error == errno.EBADF:
            return None         # closed meanwhile
        pytest.skip(f"pidfd_getfd(2): {os.strerror(error)}")
    try:
        # Fails for what is no socket.
        s = socket.socket(fileno=fd)
    except OSError:
        os.close(fd)
        return None
    if s.family == socket.AF_UNIX and s.type == socket.SOCK_SEQPACKET:
        s.setblocking(False)
        return s
    s.close()
    return None


def channels(pid):
    pidfd = os.pidfd_open(pid)
    try:
        found = [borrow(pidfd, int(name))
                 for name in os.listdir(f"/proc/{pid}/fd")]
    finally:
        os.close(pidfd)
    return [s for s in found if s is not None]


def services_of(server):
    """Those that run programs and have the homes, once they are there."""
    return wait_until(lambda: server.processes("spawner")) + \
        wait_until(lambda: server.processes("homes"))


def is_replaced(server, victim):
    def check():
        workers = server.processes("worker")
        return victim not in workers and len(workers) == 2
    return wait_until(check)


@pytest.mark.parametrize("message", [b"?", b"\xff" * 24, bytes(4096)])
def test_it_is_ended_and_replaced(start, tree, cgi_bin, message):
    server = start(tree, "-c", cgi_bin, "--user-dir=sws", workers=2)
    victim, other = server.workers()
    services = services_of(server)
    assert len(services) == 2
    assert server.get("/hello.txt").status == 200
    assert wait_until(lambda: len(channels(victim)) >= 3)
    borrowed = channels(victim)
    for s in borrowed:
        # One that is closed by then is a worker that was ended already.
        try:
            s.send(message)
        except (BrokenPipeError, ConnectionError):
            pass
    assert is_replaced(server, victim), server.stderr()
    # Our copies must not be what keeps them open.
    for s in borrowed:
        s.close()
    said = server.stderr()
    assert "worker 1 sent a malformed message and is ended" in said \
        or "worker 2 sent a malformed message and is ended" in said
    assert not SANITIZER.search(said)
    # Nobody else was hurt, and the new one is known to all.
    assert other in server.workers()
    assert services == services_of(server)
    for _ in range(20):
        assert server.get("/hello.txt").status == 200
        assert server.get("/cgi-bin/short").body == b"short\n"


def test_orders_are_not_taken_from_a_worker(start, tree, cgi_bin):
    """What only a service may report, a worker reports in vain; nor does it
    get on as one of another crew."""
    server = start(tree, "-c", cgi_bin, workers=2)
    victim, other = server.workers()
    assert server.get("/hello.txt").status == 200
    assert wait_until(lambda: len(channels(victim)) >= 2)
    for s in channels(victim):
        for order in range(16):
            for about in range(8):
                try:
                    s.send(order.to_bytes(4, "little")
                           + about.to_bytes(4, "little"))
                except OSError:
                    break
        s.close()
    # The spawner had its nonsense, too.
    assert is_replaced(server, victim), server.stderr()
    assert other in server.workers()
    assert server.get("/hello.txt").status == 200
