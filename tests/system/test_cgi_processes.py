# SPDX-License-Identifier: ISC
"""CGI programs and the server's own processes: who ends, who goes on."""

import contextlib
import os
import pathlib
import signal
import time

import pytest

import cgi_bin as programs
import docroot
from processes import is_refused
from rawhttp import Malformed, request
from server import Server, children, wait_until

# A user whom no one is, on this host or in other runs of the tests.
NOBODYS_UID = 50000 + os.getpid() % 10000


@pytest.fixture(scope="module")
def cgi_bin():
    path = programs.make()
    yield path
    programs.remove(path)


@pytest.fixture
def go(cgi_bin):
    """A file that is not there yet, and a program that waits for it."""
    programs.write(cgi_bin, "until", programs.SH
                   + "until [ -e \"$QUERY_STRING\" ]; do sleep 0.05; done\n"
                   "exec ./short\n")
    path = cgi_bin.parent / "go"
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def cgi(start, tree, cgi_bin):
    """Starts a server; when it has ended no program runs."""
    yield lambda *options, **more: start(tree, "-c", cgi_bin, *options,
                                         **more)


@pytest.fixture(autouse=True)
def nothing_is_left(cgi_bin):
    yield
    for pid in programs.running(cgi_bin):
        os.kill(pid, signal.SIGKILL)


def begin(server, name="begins"):
    c = server.connect()
    c.send(request("/cgi-bin/" + name))
    assert c.head().status == 200
    return c


@pytest.mark.many_clients
def test_killed_spawner_is_replaced(cgi, cgi_bin, go):
    server = cgi()
    waiting = server.connect()
    waiting.send(request(f"/cgi-bin/until?{go}"))
    assert wait_until(lambda: programs.running(cgi_bin))
    old = server.spawner()
    os.kill(old, signal.SIGKILL)
    assert wait_until(lambda: server.spawner() != old)
    go.touch()
    # Its program was let go on, or it was lost: in either case an answer.
    assert waiting.receive().status in (200, 502)
    assert wait_until(
        lambda: server.get("/cgi-bin/short").body == b"short\n")
    assert server.get("/hello.txt").status == 200
    assert "spawner" in server.stderr()
    waiting.close()


def test_killed_worker_takes_its_programs_along(cgi, cgi_bin):
    server = cgi()
    with begin(server) as c:
        worker, = server.workers()
        os.kill(worker, signal.SIGKILL)
        with pytest.raises((OSError, Malformed)):
            while True:
                c.line()
    assert programs.all_ended(cgi_bin)
    assert wait_until(lambda: not children(server.spawner()))
    assert server.get("/cgi-bin/short").body == b"short\n"


def test_stop_waits_for_a_program(cgi, cgi_bin, go):
    server = cgi("--grace=600")
    with server.connect() as c:
        c.send(request(f"/cgi-bin/until?{go}"))
        assert wait_until(lambda: programs.running(cgi_bin))
        server.process.send_signal(signal.SIGTERM)
        assert wait_until(lambda: is_refused(server))
        go.touch()
        assert c.receive().body == b"short\n"
    assert server.process.wait(60) == 0


def test_stop_waits_no_longer_than_the_grace(cgi, cgi_bin):
    server = cgi("--grace=1")
    with begin(server):
        began = time.monotonic()
        assert server.end() == 0
        # It is 10 s where nobody says else.
        assert 0.8 < time.monotonic() - began < 9
    assert programs.all_ended(cgi_bin)


def test_second_signal_ends_programs_at_once(cgi, cgi_bin):
    server = cgi("--grace=600")
    with begin(server, "stubborn"):
        server.process.send_signal(signal.SIGTERM)
        assert wait_until(lambda: is_refused(server))
        assert server.end() == 0
    assert programs.all_ended(cgi_bin)


def test_debug_mode(tree, cgi_bin, monkeypatch):
    launch = Server.launch

    def launch_debug(self):
        self.arguments.remove("-f")
        launch(self)
    monkeypatch.setattr(Server, "launch", launch_debug)
    with Server(tree, "-d", "-c", cgi_bin) as server:
        assert server.get("/cgi-bin/short").body == b"short\n"
        assert wait_until(lambda: '"GET /cgi-bin/short HTTP/1.1" 200 6'
                          in server.stdout())


def processes_of(uid):
    """As RLIMIT_NPROC counts them: each thread is one."""
    found = 0
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if entry.stat().st_uid == uid:
                found += len(os.listdir(entry / "task"))
    return found


def test_fork_bomb_within_its_limits(start, cgi_bin):
    """It fills its own allowance; the server and the next program live."""
    if os.geteuid() != 0:
        pytest.skip("the limit would count the processes of this user")
    # The shell that cannot fork ends; the first one tells that it did, and
    # notices that nobody listens any more.
    programs.write(cgi_bin, "bomb", programs.SH
                   + "printf 'Content-Type: text/plain\\n\\n'\n"
                   "exec 2>/dev/null\n(i=0\nwhile [ $i -lt 200 ]; do\n"
                   "sleep 1000 & i=$((i + 1))\ndone)\n"
                   "while echo full; do :; done\n")
    site = cgi_bin.parent / "site"
    docroot.write(site / "hello.txt", b"hello\n")
    # The limit counts what else the user runs: nobody else is this one.
    limit = processes_of(NOBODYS_UID) + 40
    server = start(site, "-c", cgi_bin, f"--cgi-processes={limit}",
                   user=NOBODYS_UID)
    with server.connect() as c:
        c.send(request("/cgi-bin/bomb"))
        assert c.head().status == 200
        while b"full" not in c.held:
            assert c.fill()
        assert server.get("/hello.txt").body == b"hello\n"
        assert 10 < len(programs.running(cgi_bin)) <= 60
    assert programs.all_ended(cgi_bin)
    assert server.get("/cgi-bin/short").body == b"short\n"
