# SPDX-License-Identifier: ISC
"""What a client can cost others: nobody fills the worker's memory, and nobody
who keeps to the rules is left."""

import contextlib
import os
import select
import subprocess
import time

import pytest

import rawhttp
from processes import free_port
from rawhttp import request
from server import (PATIENT, SWS, children, is_sanitized, title,
                    wait_until)

MIB = 1 << 20

needs_its_own_memory = pytest.mark.skipif(
    is_sanitized(), reason="a sanitizer keeps what is freed")


def wait_for_all(connections):
    """Until each has an answer to read, of which nothing is read."""
    waiting = [c.socket for c in connections]
    deadline = time.monotonic() + 300
    while waiting and time.monotonic() < deadline:
        ready, _, _ = select.select(waiting, [], [], 1)
        waiting = [s for s in waiting if s not in ready]
    assert not waiting


@needs_its_own_memory
def test_spellings_of_one_path(start, tree):
    """Each leads to the same file, and is forgotten."""
    server = start(tree)
    with server.connect() as c:
        assert c.ask(request("/hello.txt")).body == b"hello\n"
        before = server.memory_kib()
        for i in range(20000):
            target = f"/{i:04}/.." + "/." * 3990 + "/hello.txt"
            assert c.ask(request(target)).body == b"hello\n"
        assert server.memory_kib() - before < 4096


@pytest.mark.in_workers
@needs_its_own_memory
def test_scan(start, tree):
    """100,000 names that are not there, each remembered for a while."""
    server = start(tree)
    with server.connect(timeout=60) as c:
        assert c.ask(request("/hello.txt")).body == b"hello\n"
        c.ask(request("/none"))
        before = server.memory_kib()
        for i in range(1000):
            c.send(b"".join(request(f"/{i}/{j}.php") for j in range(100)))
            assert [c.receive().status for _ in range(100)] == [404] * 100
        assert server.memory_kib() - before < 4096
        assert c.ask(request("/hello.txt")).body == b"hello\n"


@pytest.mark.many_clients
@needs_its_own_memory
@pytest.mark.parametrize("options,expected", [
    # One list for all of them.
    ([], {200}),
    # Each has its own, 10 MiB: some are refused, then there is room again.
    (["--cache-size=0"], {200, 503})])
def test_listings_that_nobody_reads(start, tree, options, expected):
    for i in range(20000):
        os.link(tree / "hello.txt", tree / f"sub dir/{i:05}{'x' * 200}")
    server = start(tree, *options)
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(server.connect(rcvbuf=4096))
                 for _ in range(100)]
        for c in crowd:
            c.send(request("/sub%20dir/"))
        wait_for_all(crowd)
        assert server.memory_kib() < 300 << 10
        assert server.get("/hello.txt").body == b"hello\n"
        statuses = {c.head().status for c in crowd}
    assert statuses == expected
    with server.connect() as c:
        assert c.ask(request("/sub%20dir/")).status == 200


def test_steady_reader(start, tree):
    """It is well above the rate, but slow enough that for many seconds the
    kernel has no room for more."""
    with open(tree / "large.bin", "wb") as f:
        f.truncate(64 * MIB)
    server = start(tree, "--min-rate=2000")
    with server.connect(rcvbuf=8192) as c:
        c.send(request("/large.bin"))
        c.head()
        began, taken = time.monotonic(), 0
        while (took := time.monotonic() - began) < 12:
            # What a pause has left undone is made up for.
            due = 600 + int(6000 * took) - taken
            taken += len(c.take(due))   # or it was reset
            time.sleep(0.1)


def test_no_descriptor_left(tree, tmp_path):
    """Inside the sandbox, too, who cannot be served is told so."""
    port = free_port()
    (tree / "cgi").mkdir()
    program = tree / "cgi/wait"
    program.write_text("#!/bin/sh\nexec sleep 1000\n")
    program.chmod(0o755)
    script = f'ulimit -n 200; exec "$0" -f -p {port} -i 127.0.0.1 "$@"'
    with subprocess.Popen(
            ["sh", "-c", script, SWS, "--workers=1", "--user-dir=",
             *PATIENT, "--cgi-timeout=600", "-c", tree / "cgi", tree],
            stderr=subprocess.PIPE) as server, \
            contextlib.ExitStack() as end, contextlib.ExitStack() as held:
        end.callback(server.kill)   # of no effect when all went well

        def connect(path):
            c = held.enter_context(rawhttp.Connection(port))
            c.send(request(path))
            return c

        while b"sandbox" not in (line := server.stderr.readline()):
            assert line
        worker, = wait_until(lambda: [
            pid for pid in children(server.pid)
            if title(pid).startswith("sws: worker")])
        for _ in range(60):
            connect("/cgi-bin/wait")
        # Each has a connection and two pipes.
        assert wait_until(
            lambda: len(os.listdir(f"/proc/{worker}/fd")) > 180)
        status = [connect("/hello.txt").receive().status for _ in range(45)]
        assert status.count(503) > 20
        assert b"no descriptor is left" in server.stderr.readline()
        held.close()

        def is_served():
            with rawhttp.Connection(port) as c:
                return c.ask(request("/hello.txt")).status == 200

        assert wait_until(is_served)
        server.terminate()
        assert server.wait(60) == 0
