# SPDX-License-Identifier: ISC
"""What is an engine's own: who is served by whom, and who has to wait."""

import concurrent.futures
import contextlib
import os
import pathlib
import resource
import select
import signal
import subprocess

import cgi_bin as programs
import pytest

import rawhttp
from download import LARGE, begin_download, put_large
from server import (SWS, children, is_sanitized, title, usable_engines,
                    wait_until)

HELLO = rawhttp.request("/hello.txt")
CHILDREN = 256          # at once; the next waits

FORKS = ["fork", "select-fork"]


def state(pid):
    """The letter of ps(1); "" when the process is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0]
    return ""


def is_silent(c, seconds=0.2):
    return not select.select([c.socket], [], [], seconds)[0]


def test_help_tells_all():
    text = subprocess.run([SWS, "--engine=help"], stdout=subprocess.PIPE,
                          text=True, check=True).stdout
    for name in ("blocking", "fork", "select-fork", "nonblock", "sigio",
                 "select", "pselect", "poll", "epoll", "epoll-et", "kqueue",
                 "libevent", "libev"):
        assert f"\n{name} " in "\n" + text
    assert "kqueue" not in usable_engines()
    assert "epoll" in usable_engines()


def test_what_is_missing_is_refused(tree):
    done = subprocess.run([SWS, "--engine=kqueue", tree],
                          stderr=subprocess.PIPE, text=True)
    assert done.returncode == 64
    assert "kqueue: not available here: " in done.stderr


# ------------------------------------------------------------ blocking

def test_one_after_the_other(start, tree):
    server = start(tree, engine="blocking")
    with server.connect() as first:
        assert first.ask(HELLO).status == 200
        # The kernel hands those out who have sent something, in that order.
        with server.connect() as second, contextlib.ExitStack() as stack:
            second.send(HELLO)
            third = stack.enter_context(server.connect())
            third.send(HELLO)
            assert is_silent(second) and is_silent(third)
            assert first.ask(HELLO).status == 200
            first.close()
            assert second.receive().status == 200
            assert is_silent(third)
            second.close()
            assert third.receive().status == 200


def test_one_process_unless_told_otherwise(start, tree):
    for engine in ("blocking", *FORKS):
        server = start(tree, "--workers=2", engine=engine)
        assert wait_until(lambda: len(server.workers()) >= 2)
    with subprocess.Popen([SWS, "-f", "-p", "0", "-i", "127.0.0.1",
                           "--engine=fork", tree],
                          stderr=subprocess.PIPE, text=True) as process:
        assert "serving" in process.stderr.readline()
        workers = wait_until(lambda: [
            pid for pid in children(process.pid)
            if title(pid).startswith("sws: worker")])
        process.terminate()
        assert len(workers) == 1


# ------------------------------------------------------------ forking

@pytest.fixture(params=FORKS)
def forking(request, start):
    return lambda root, *options, **more: start(
        root, *options, engine=request.param, **more)


def test_a_child_for_each(forking, tree):
    server = forking(tree)
    worker, = server.workers()
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(server.connect()) for _ in range(20)]
        for c in crowd:
            assert c.ask(HELLO).status == 200
        assert len(children(worker)) == 20
        # The parent has nothing of what it handed on: a child may answer
        # before its parent goes on.
        assert wait_until(lambda: server.connections(worker) == 0)
        for c in crowd:
            assert c.ask(HELLO).status == 200
    assert wait_until(lambda: not children(worker))


def test_no_zombies(forking, tree):
    server = forking(tree)
    worker, = server.workers()

    def visit(_):
        assert server.get("/hello.txt").status == 200

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(visit, range(200)))
    # Neither as children of the worker, nor anybody else's.
    assert wait_until(lambda: not children(worker))
    assert wait_until(lambda: not any(
        state(pid) == "Z" for pid in children(server.process.pid)))


def first_answered(crowd, count):
    """Those many of a crowd that has asked, with what came for them."""
    by_fd = {c.socket.fileno(): c for c in crowd}
    poller = select.poll()
    first = []
    for fd in by_fd:
        poller.register(fd, select.POLLIN)
    while len(first) < count and (ready := poller.poll(60000)):
        for fd, _ in ready:
            poller.unregister(fd)
            first.append(by_fd[fd])
    return first


def test_who_comes_when_all_are_busy_waits(forking, tree):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < CHILDREN + 100:
        pytest.skip(f"no more than {soft} descriptors are allowed here")
    server = forking(tree, "--idle-timeout=600")
    worker, = server.workers()
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(server.connect())
                 for _ in range(CHILDREN + 3)]
        for c in crowd:
            c.send(HELLO)
        # Whom the kernel hands out first is for it to say.
        served = first_answered(crowd, CHILDREN)
        assert len(served) == CHILDREN
        for c in served:
            assert c.receive().status == 200
        assert len(children(worker)) == CHILDREN
        waiting = [c for c in crowd if c not in served]
        assert all(is_silent(c, 0.1) for c in waiting)
        for c in served[:len(waiting)]:
            c.close()
        for c in waiting:
            assert c.receive().status == 200
    assert wait_until(lambda: not children(worker))


@pytest.fixture
def large(tree):
    put_large(tree)
    return tree


def test_stop_lets_a_child_finish(forking, large):
    server = forking(large, "--grace=600")
    worker, = server.workers()
    with begin_download(server) as c, server.connect() as idle:
        assert idle.ask(HELLO).status == 200
        server.process.send_signal(signal.SIGTERM)
        assert idle.is_at_end()
        assert wait_until(lambda: len(children(worker)) == 1)
        assert c.take(LARGE) == b"x" * LARGE
    assert server.process.wait(60) == 0


def test_second_stop_ends_children(forking, large):
    server = forking(large, "--grace=600")
    worker, = server.workers()
    with begin_download(server), server.connect() as idle:
        assert idle.ask(HELLO).status == 200
        pids = [worker, *children(worker)]
        assert len(pids) == 3
        server.process.send_signal(signal.SIGTERM)
        assert idle.is_at_end()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(60)
        # The children of who was killed are, too, but a moment later.
        assert wait_until(
            lambda: all(state(pid) in ("", "Z") for pid in pids))


def test_children_end_with_their_parent(forking, tree):
    server = forking(tree)
    worker, = server.workers()
    with server.connect() as c:
        assert c.ask(HELLO).status == 200
        child, = children(worker)
        os.kill(worker, signal.SIGKILL)
        with contextlib.suppress(ConnectionResetError):
            assert c.is_at_end()
        assert wait_until(lambda: state(child) in ("", "Z"))
    # And there is a new one.
    assert wait_until(lambda: server.workers() not in ([], [worker]))
    assert server.get("/hello.txt").status == 200


def test_log_has_all_lines(forking, tree, tmp_path):
    log = tmp_path / "log"
    log.touch()
    log.chmod(0o666)
    server = forking(tree, "-l", log)

    def visit(i):
        with server.connect() as c:
            assert c.ask(rawhttp.request(f"/hello.txt?{i}")).status == 200

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(visit, range(100)))
    assert server.end() == 0
    lines = log.read_text().splitlines()
    assert sorted(line.split()[3] for line in lines) == sorted(
        f"/hello.txt?{i}" for i in range(100))


@pytest.fixture
def cgi_bin():
    path = programs.make()
    yield path
    programs.remove(path)


def test_answers_of_services_reach_who_asked(forking, tree, cgi_bin):
    """Siblings ask the same processes at once."""
    server = forking(tree, "-c", cgi_bin)

    def visit(i):
        # Nobody has a home here: the answer comes from who would know.
        assert server.get(f"/~nobody-{i}/").status == 404
        r = server.get(f"/cgi-bin/show?{i}")
        assert r.status == 200
        return dict(programs.shown(r)["env"])["QUERY_STRING"]

    count = 40 if is_sanitized() else 100
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        told = list(pool.map(visit, range(count)))
    assert told == [str(i) for i in range(count)]
    assert programs.all_ended(cgi_bin)
