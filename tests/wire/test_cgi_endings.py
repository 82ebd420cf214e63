# SPDX-License-Identifier: ISC
"""How CGI programs come to their end: deadlines, limits of number, clients
who leave.  Afterwards no process is left, and no descriptor."""

import concurrent.futures
import contextlib
import os
import select
import socket
import struct
import time

import pytest

import cgi_bin as programs
from rawhttp import Malformed, request
from server import PATIENCE_S, children, is_sanitized, wait_until

CROWD = 1000

# A client that has ended is left in peace for a second; its clock may differ.
PROBE_S = 0.9


@pytest.fixture
def fresh(start, site, cgi_bin):
    """Starts a server; before and after it no program runs."""
    def launch(*options, **more):
        assert programs.all_ended(cgi_bin)
        # Without other services, whose channels come whenever they start.
        server = start(site, "-c", cgi_bin, "--user-dir=", "--no-compress",
                       *options, **more)
        # All its processes are at work then, and at rest again; by a short
        # deadline the program may be late.
        assert server.get("/cgi-bin/short").status in (200, 504)
        assert wait_until(lambda: not children(server.spawner())
                          and not server.connections())
        return server
    yield launch
    assert programs.all_ended(cgi_bin)


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def state_of(server):
    """What must be the same when all is over."""
    worker, = server.workers()
    return (descriptors(worker), descriptors(server.spawner()),
            len(children(server.spawner())))


def reset(c):
    """Closes so that the peer is told by RST."""
    c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
    c.close()


def begin(server, name="begins", **options):
    c = server.connect(**options)
    c.send(request("/cgi-bin/" + name))
    return c


def test_silent_program(fresh, cgi_bin):
    server = fresh("--cgi-timeout=0.5")
    began = time.monotonic()
    with begin(server, "sleeps") as c:
        assert c.receive().status == 504
    assert time.monotonic() - began > 0.4
    assert wait_until(lambda: "cgi-bin/sleeps: it did nothing for too long"
                      in server.stderr())
    assert programs.all_ended(cgi_bin)


# On a busy machine a program may itself be slower than such short deadlines;
# what is to be shown is shown when it was in time once.

def test_silence_behind_the_header(fresh, cgi_bin):
    server = fresh("--cgi-timeout=0.5")

    def is_cut():
        with begin(server, "silent") as c:
            status = c.head().status
            assert status in (200, 504)
            with contextlib.suppress(ConnectionResetError):
                # The client can tell: the last chunk is missing.
                assert status == 504 or not c.rest().endswith(b"0\r\n\r\n")
        return status == 200

    assert wait_until(is_cut)
    assert programs.all_ended(cgi_bin)


def test_silence_is_no_time_in_all(fresh, cgi_bin):
    programs.write(cgi_bin, "slow", programs.SH
                   + "printf 'Content-Type: a/b\\n\\n'\n"
                   "for i in 1 2 3 4 5; do echo $i; sleep 0.3; done\n")
    server = fresh("--cgi-timeout=1")

    def is_whole():
        with contextlib.suppress(ConnectionResetError, Malformed), \
                begin(server, "slow") as c:
            return c.receive().body == b"1\n2\n3\n4\n5\n"

    assert wait_until(is_whole)


def test_program_that_does_not_heed_term(fresh, cgi_bin):
    server = fresh()
    with begin(server, "stubborn") as c:
        assert c.head().status == 200
        began = time.monotonic()
    assert programs.all_ended(cgi_bin)
    assert time.monotonic() - began > 1.5
    assert wait_until(lambda: not children(server.spawner()))


@pytest.mark.many_clients
def test_too_many(fresh):
    server = fresh("--cgi-max=2")
    before = state_of(server)
    running = [begin(server) for _ in range(2)]
    for c in running:
        assert c.head().status == 200
    # Which of them comes last is for the engine to say.
    waiting = [begin(server, "short") for _ in range(3)]
    readable, _, _ = select.select(
        [c.socket for c in waiting], [], [], PATIENCE_S)
    c, = (c for c in waiting if c.socket in readable)
    waiting.remove(c)
    with c:
        r = c.receive()
        assert r.status == 503 and int(r["Retry-After"]) > 0
    assert server.get().body == b"pong\n"
    with pytest.raises(socket.timeout):
        waiting[0].socket.settimeout(0.2)
        waiting[0].receive()
    for c in running:
        c.close()
    for c in waiting:
        c.socket.settimeout(PATIENCE_S)
        assert c.receive().body == b"short\n"
        c.close()
    assert wait_until(lambda: state_of(server) == before)


@pytest.mark.many_clients
def test_who_waits_may_leave(fresh):
    server = fresh("--cgi-max=1")
    before = state_of(server)
    with begin(server) as first:
        assert first.head().status == 200
        for _ in range(20):
            with begin(server, "short") as c:
                assert wait_until(lambda: server.connections() == 2)
                reset(c)
            assert wait_until(lambda: server.connections() == 1)
        with begin(server, "short") as last:
            first.close()
            assert last.receive().body == b"short\n"
    assert wait_until(lambda: state_of(server) == before)


@pytest.mark.parametrize("name", ["begins", "sleeps", "endless",
                                  "waits?900"])
@pytest.mark.parametrize("leave", [lambda c: c.close(), reset],
                         ids=["close", "reset"])
def test_client_who_leaves(fresh, cgi_bin, name, leave):
    server = fresh()
    before = state_of(server)
    c = begin(server, name)
    assert wait_until(lambda: programs.running(cgi_bin))
    if name == "begins":
        c.head()
    leave(c)
    assert programs.all_ended(cgi_bin)
    assert wait_until(lambda: state_of(server) == before)


def test_client_who_leaves_in_the_content(fresh, cgi_bin):
    server = fresh()
    before = state_of(server)
    c = server.connect()
    c.send(request("/cgi-bin/echo", "Content-Length: 100", method="POST",
                   body=b"half"))
    assert wait_until(lambda: programs.running(cgi_bin))
    c.close()
    assert programs.all_ended(cgi_bin)
    assert wait_until(lambda: state_of(server) == before)


def test_half_closed_client_gets_its_answer(fresh):
    server = fresh()
    with begin(server, "waits?1") as c:
        c.half_close()
        answer = c.rest()
    # Interim answers may stand before it: that is how its life is probed.
    assert answer.count(b"HTTP/1.1 200 ") == 1
    assert b"short\n" in answer


def test_half_closed_client_is_not_probed_at_once(fresh):
    """Simple clients take the first line of what comes for the answer's."""
    server = fresh()
    began = time.monotonic()
    with begin(server, "short") as c:
        c.half_close()
        answer = c.rest()
    assert answer.startswith(b"HTTP/1.1 200 ") or \
        time.monotonic() - began >= PROBE_S


@pytest.mark.many_clients
def test_crowd_that_leaves(fresh, cgi_bin):
    """At any moment; no process is left, no descriptor."""
    server = fresh("--cgi-max=32", "--cgi-processes=0")
    before = state_of(server)
    names = ["begins", "short", "endless", "echo", "sleeps", "complains"]

    def visit(i):
        raw = request("/cgi-bin/" + names[i % len(names)],
                      *["Content-Length: 50"] * (i % 5 == 0), method="POST")
        with contextlib.suppress(OSError, Malformed), server.connect() as c:
            c.send(raw)
            if i % 3:
                time.sleep(i % 7 / 500)
            if i % 4 == 0:
                c.socket.settimeout(0.02)
                c.fill()
            if i % 2:
                reset(c)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(visit, range(CROWD // (4 if is_sanitized() else 1))))
    assert wait_until(lambda: server.connections() == 0)
    assert programs.all_ended(cgi_bin)
    assert wait_until(
        lambda: server.get("/cgi-bin/short").body == b"short\n")
    # The first program may still have been leaving when it was counted.
    assert wait_until(lambda: all(
        now <= then for now, then in zip(state_of(server), before)))


@pytest.mark.long
def test_client_who_does_not_read(fresh, cgi_bin):
    """The program waits with it, until it is below the rate."""
    server = fresh("--min-rate=1000000", "--cgi-timeout=600")
    assert wait_until(lambda: server.get("/cgi-bin/short").status == 200)
    before = server.memory_kib()
    with begin(server, "endless", rcvbuf=4096) as c:
        assert c.head().status == 200
        time.sleep(1)
        if not is_sanitized():
            assert server.memory_kib() - before < 2048
        assert programs.all_ended(cgi_bin)
    assert wait_until(lambda: server.connections() == 0)


def test_program_that_lives_on(fresh, cgi_bin):
    """Its answer is complete when its output is closed; it is not ended."""
    server = fresh()
    with server.connect() as c:
        r = c.ask(request(f"/cgi-bin/closes?{server.dir}"))
        assert r.body == b"done\n"
        assert c.ask(request()).status == 200
    assert programs.running(cgi_bin)
    (server.dir / "go").touch()
    assert wait_until((server.dir / "mark").exists)
    assert wait_until(lambda: not children(server.spawner()))


def test_program_that_ends_while_another_holds_its_output(fresh, cgi_bin):
    """Output ends when the last of the group has closed it."""
    programs.write(cgi_bin, "leaves", programs.SH
                   + "printf 'Content-Type: a/b\\n\\nfirst\\n'\n"
                   "(sleep 0.5; echo second) &\n")
    with begin(fresh(), "leaves") as c:
        assert c.receive().body == b"first\nsecond\n"


def test_many_at_once(fresh):
    server = fresh(workers=2)
    before = len(children(server.spawner()))

    def ask(i):
        with server.connect() as c:
            told = programs.shown(c.ask(request(f"/cgi-bin/show?n={i}")))
            return told["env"]["QUERY_STRING"]

    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        assert list(pool.map(ask, range(100))) == [
            f"n={i}" for i in range(100)]
    assert wait_until(lambda: len(children(server.spawner())) == before)


def test_answer_without_content_lets_it_finish(start, site, cgi_bin):
    """204 and 304 need no content; what the program does then is its own."""
    mark = cgi_bin / "done/mark"
    mark.parent.mkdir(exist_ok=True)
    mark.parent.chmod(0o777)
    mark.unlink(missing_ok=True)
    programs.write(cgi_bin, "late", "#!/bin/sh\nprintf 'Status: 204\\n\\n'\n"
                   f"exec >&-\nsleep .3\ntouch {mark}\n")
    server = start(site, "-c", cgi_bin)
    assert server.get("/cgi-bin/late").status == 204
    assert wait_until(mark.exists)
