# SPDX-License-Identifier: ISC
"""The engine uring in a server: inside the sandbox, forbidden, run dry."""

import concurrent.futures
import ctypes
import struct
import subprocess

import pytest

import rawhttp
from server import SWS, Server, is_sanitized, usable_engines, wait_until

HELLO = rawhttp.request("/hello.txt")
LARGE = 8 << 20

pytestmark = pytest.mark.skipif("uring" not in usable_engines(),
                                reason="no io_uring here")

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
SYS_IO_URING_SETUP = 425        # on every architecture
EPERM = 1


def forbid_rings():
    """Called before exec: no ring can be made, as where the system forbids
    it."""
    code = b"".join(struct.pack("HBBI", *line) for line in (
        (0x20, 0, 0, 0),                        # load the call's number
        (0x15, 0, 1, SYS_IO_URING_SETUP),       # is it this one?
        (0x06, 0, 0, 0x00050000 | EPERM),       # fail
        (0x06, 0, 0, 0x7fff0000)))              # allow
    memory = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxP", 4, ctypes.addressof(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program)):
        raise OSError(ctypes.get_errno(), "prctl")


def test_forbidden_epoll_serves(tree, monkeypatch):
    started = subprocess.Popen

    def start(*words, **more):
        return started(*words, **more, preexec_fn=forbid_rings)

    monkeypatch.setattr(subprocess, "Popen", start)
    with Server(tree, "--sandbox=off", engine="uring", workers=2) as server:
        with server.connect() as c:
            assert c.ask(HELLO).status == 200
        # The first worker says it, and may be the last to be ready.
        assert wait_until(lambda: "serves instead\n" in server.stderr())
        said = [line for line in server.stderr().split("\n")
                if "uring" in line]
        assert len(said) == 1
        assert "forbidden" in said[0]
        assert "epoll serves instead" in said[0]


def test_help_says_why():
    done = subprocess.run([SWS, "--engine=help"], stdout=subprocess.PIPE,
                          text=True, preexec_fn=forbid_rings)
    lines = done.stdout.split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith("uring "))
    assert "not available here: io_uring is forbidden" in lines[at + 1]


@pytest.mark.skipif(is_sanitized(), reason="its sandbox is another one")
def test_in_the_whole_sandbox(tree):
    with Server(tree, "--sandbox=require", engine="uring") as server:
        with server.connect() as c:
            for _ in range(3):
                assert c.ask(HELLO).status == 200


@pytest.mark.parametrize("engine", ["uring", "uring:2"])
def test_many_at_once(tree, engine):
    """More is on its way, in both directions, than there are buffers."""
    (tree / "large").write_bytes(b"0123456789abcdef" * (LARGE // 16))
    (tree / "small").write_bytes(b"x" * 1000)

    def ask(number):
        with server.connect() as c:
            if number % 4 == 0:
                return len(c.ask(rawhttp.request("/large")).body) == LARGE
            c.send(rawhttp.request("/small") * 50)
            return all(c.receive().body == b"x" * 1000 for _ in range(50))

    with (Server(tree, engine=engine) as server,
          concurrent.futures.ThreadPoolExecutor(24) as pool):
        assert all(pool.map(ask, range(72)))
