# SPDX-License-Identifier: ISC
"""Without -d and -f: a regular daemon."""

import contextlib
import os
import pathlib
import signal
import subprocess

import pytest

import rawhttp
from processes import Run, first_of, free_port, holders_of, parent_of
from server import SWS, children, wait_until

HELLO = rawhttp.request("/hello.txt")


def ask(port):
    with rawhttp.Connection(port) as c:
        return c.ask(HELLO)


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines)


def is_pending(pid, number):
    """Has the signal not arrived yet?"""
    status = status_of(pid)
    bits = int(status["SigPnd"], 16) | int(status["ShdPnd"], 16)
    return bits >> number - 1 & 1


def links_of(pid):
    """What it has open; a connection may be closed meanwhile."""
    links = []
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            links.append(os.readlink(fd))
    return links


def is_zombie(pid):
    return status_of(pid)["State"].startswith("Z")


@pytest.fixture
def daemon(tree):
    """A daemon started with relative paths, which must outlive chdir."""
    port = free_port()
    with Run("-p", str(port), "-i", "127.0.0.1", "-l", "log", "tree",
             cwd=tree.parent) as run:
        run.port = port
        run.log = tree.parent / "log"
        yield run


def test_serves_as_soon_as_the_prompt_is_back(daemon):
    assert ask(daemon.port).body == b"hello\n"
    assert (daemon.status, daemon.stdout) == (0, "")


def test_is_a_daemon(daemon):
    ours = os.getsid(0)
    for pid in daemon.pids():
        assert os.getsid(pid) != ours
        assert os.readlink(f"/proc/{pid}/cwd") == "/"
    assert parent_of(daemon.supervisor()) != os.getpid()


def test_lets_go_of_the_terminal(tree):
    port = free_port()
    master, slave = os.openpty()
    name = os.ttyname(slave)
    with Run("-p", str(port), "-i", "127.0.0.1", tree, stdin=slave) as run:
        os.close(slave)
        assert ask(port).status == 200
        for pid in run.pids():
            assert name not in links_of(pid)
            # Closed 0, 1 and 2 would be given to sockets, sooner or later.
            for n in range(3):
                assert not os.readlink(
                    f"/proc/{pid}/fd/{n}").startswith("socket:")
    os.close(master)


def test_inherits_nothing(tree):
    """A descriptor of the shell, such as a lock, is not kept open."""
    port = free_port()
    read, write = os.pipe()
    os.set_inheritable(write, True)
    with Run("-p", str(port), "-i", "127.0.0.1", tree, pass_fds=[write]):
        os.close(write)
        os.set_blocking(read, False)
        assert ask(port).status == 200
        assert os.read(read, 1) == b""      # EOF, not EAGAIN
    os.close(read)


def test_sigterm_ends_it(daemon):
    pids = daemon.pids()
    assert pids
    daemon.end()
    with pytest.raises(ConnectionRefusedError):
        ask(daemon.port)


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGHUP])
def test_log_of_a_relative_path_is_reopened(daemon, number):
    """At that time the working directory is not the one it started in."""
    assert ask(daemon.port).status == 200
    assert wait_until(lambda: daemon.log.read_text().count("\n") == 1)
    daemon.log.rename(daemon.log.with_name("log.1"))
    os.kill(daemon.supervisor(), number)
    assert wait_until(daemon.log.exists)
    assert ask(daemon.port).status == 200


def test_without_standard_descriptors(tree):
    """Started by who closed them, as some init scripts do."""
    port = free_port()
    script = 'exec "$0" "$@" <&- >&- 2>&-'
    done = subprocess.run(["sh", "-c", script, SWS, "-p", str(port),
                           "-i", "127.0.0.1", tree], timeout=120)
    assert done.returncode == 0
    try:
        assert ask(port).status == 200
    finally:
        os.kill(first_of(holders_of(tree)), signal.SIGTERM)
        assert wait_until(lambda: not holders_of(tree))


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGHUP])
def test_signals_that_reach_all(daemon, number):
    """Such as by pkill(1): who takes no orders is not ended by them."""
    supervisor = daemon.supervisor()
    before = children(supervisor)
    assert before
    for _ in range(20):
        for pid in (supervisor, *before):
            os.kill(pid, number)
    # None has still to come, to one that is being born.
    assert wait_until(
        lambda: not any(is_pending(pid, number) for pid in before))
    assert ask(daemon.port).status == 200
    assert children(supervisor) == before
    assert not any(is_zombie(pid) for pid in before)
