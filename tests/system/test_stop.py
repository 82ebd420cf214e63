# SPDX-License-Identifier: ISC
"""SIGTERM, SIGINT, SIGHUP: stop accepting, finish what runs, exit 0."""

import os
import signal
import subprocess
import time

import pytest

import rawhttp
from download import LARGE, begin_download, put_large
from processes import is_refused
from server import SWS, children, title, wait_until


@pytest.fixture
def large(tree):
    put_large(tree)
    return tree


@pytest.mark.parametrize("number",
                         [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("workers", [1, 2])
def test_running_download_is_finished(start, large, number, workers):
    server = start(large, "--grace=600", workers=workers)
    with begin_download(server) as c:
        server.process.send_signal(number)
        assert wait_until(lambda: is_refused(server))
        assert server.is_alive()
        assert c.take(LARGE) == b"x" * LARGE
    assert server.process.wait(60) == 0


def test_hangup_is_nothing_under_nohup(start, tree):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        server = start(tree)
    finally:
        signal.signal(signal.SIGHUP, before)
    for pid in (server.process.pid, *server.workers()):
        os.kill(pid, signal.SIGHUP)
    assert server.get("/hello.txt").status == 200
    assert server.is_alive()


def test_idle_connection_is_not_waited_for(start, tree):
    server = start(tree, "--grace=600")
    with server.connect() as c:
        assert c.ask(rawhttp.request("/hello.txt")).status == 200
        # It waits for far less than the grace.
        assert server.end() == 0
        assert c.is_at_end()


def test_grace_is_bounded(start, large):
    server = start(large, "--grace=1")
    with begin_download(server):
        began = time.monotonic()
        assert server.end() == 0
        # It is 10 s where nobody says else.
        assert 0.8 < time.monotonic() - began < 9


def test_second_signal_stops_at_once(start, large):
    server = start(large, "--grace=600")
    with begin_download(server):
        server.process.send_signal(signal.SIGTERM)
        assert wait_until(lambda: is_refused(server))
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(60)


def test_no_process_is_left(start, tree):
    server = start(tree, workers=3)
    pids = server.workers()
    assert len(pids) == 3
    assert server.end() == 0
    # Their numbers may be those of others by now.
    assert not any(title(pid).startswith("sws") for pid in pids)


def test_as_pid_1(tree, tmp_path):
    """In a container nobody stands in for a missing signal handler."""
    unshare = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0 or subprocess.run(
            [*unshare, "true"], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("needs root and the right to make a PID namespace")
    port_file = tmp_path / "port"
    process = subprocess.Popen(
        [*unshare, SWS, "-f", "-p", "0", f"--port-file={port_file}",
         "-i", "127.0.0.1", tree], stdout=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: port_file.exists()
                          and port_file.read_text().endswith("\n"))
        with rawhttp.Connection(int(port_file.read_text())) as c:
            assert c.ask(rawhttp.request("/hello.txt")).status == 200
        first, = children(process.pid)
        os.kill(first, signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
