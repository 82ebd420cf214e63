# SPDX-License-Identifier: ISC
"""What a worker does, as the kernel sees it."""

import os
import re
import shutil
import signal
import subprocess

import pytest
from server import Server, is_sanitized, usable_engines

pytestmark = [
    pytest.mark.skipif(shutil.which("strace") is None, reason="no strace"),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to trace"),
    pytest.mark.skipif(is_sanitized(), reason="sanitizers call on their own"),
]


class Trace:
    """The system calls of a server's worker, while `with` lasts."""

    def __init__(self, server, path):
        self.worker, = server.workers()
        self.path = path

    def __enter__(self):
        self.strace = subprocess.Popen(
            ["strace", "-f", "-p", str(self.worker), "-o", self.path],
            stderr=subprocess.PIPE, text=True)
        assert "attached" in self.strace.stderr.readline()
        return self

    def __exit__(self, *_):
        self.strace.send_signal(signal.SIGINT)
        self.strace.wait()
        self.strace.stderr.close()
        self.lines = self.path.read_text().splitlines()

    def calls(self, name):
        return [line for line in self.lines if f" {name}(" in line]


@pytest.fixture
def large(tree):
    (tree / "large.bin").write_bytes(bytes(3 << 20))
    return tree


@pytest.fixture
def server(large):
    with Server(large) as server:
        yield server


@pytest.mark.parametrize("engine", usable_engines())
def test_nothing_needed_is_refused(start, large, tmp_path, engine):
    """Whatever a worker does for a request is on the sandbox's list."""
    server = start(large, engine=engine)
    with Trace(server, tmp_path / "trace") as trace:
        for path in ("/", "/hello.txt", "/large.bin", "/sub%20dir",
                     "/sub%20dir/", "/missing", "/no/way", "/~nobody/"):
            server.get(path)
        server.talk(b"GET /hello.txt HTTP/1.1\r\nHost: a\r\n"
                    b"Range: bytes=0-1,3-4\r\n\r\n")
    refused = [line for line in trace.lines
               if re.search(r"= -1 (EPERM|ENOSYS)", line)]
    assert not refused


@pytest.mark.in_workers
def test_a_known_file_costs_two_calls(server, tmp_path):
    """Receive and send; what is kept is not looked up again."""
    server.get("/hello.txt")
    with Trace(server, tmp_path / "trace") as trace:
        server.get("/hello.txt")
    assert len(trace.calls("sendto")) == 1
    for name in ("openat2", "pread64", "fstat", "fstatfs"):
        assert not trace.calls(name), name
    # The file is asked once a second whether it is still the same.
    assert len(trace.calls("newfstatat")) <= 1


@pytest.mark.in_workers
def test_a_changed_file_is_looked_up(server, tmp_path):
    server.get("/hello.txt")
    with Trace(server, tmp_path / "trace") as trace:
        (server.root / "hello.txt").write_text("changed\n")
        assert server.get("/hello.txt").body == b"changed\n"
    assert trace.calls("openat2")
