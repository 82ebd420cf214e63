# SPDX-License-Identifier: ISC
"""Runs the program as a shell would, and finds what it leaves running."""

import contextlib
import os
import pathlib
import random
import signal
import socket
import subprocess

from server import SWS, sws_for_all, wait_until


PORT_RANGE = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port():
    """A port that was free a moment ago.

    It is below those that the kernel gives to whoever does not care: another
    test's connection does not take it in the meantime.
    """
    end = max(int(PORT_RANGE.read_text().split()[0]), 16384)
    for port in random.sample(range(end - 8192, end), 100):
        with contextlib.suppress(OSError), socket.socket() as s:
            s.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def is_refused(server):
    """Does it accept no more: has the order to stop arrived?"""
    try:
        server.connect().close()
    except (ConnectionRefusedError, ConnectionResetError):
        return True
    return False


def parent_of(pid):
    """None when the process is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        # The name before it may hold anything, so count from its end.
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
        return int(stat.rpartition(")")[2].split()[1])
    return None


def holders_of(root):
    """The processes that have the directory open."""
    root = os.path.realpath(root)

    def holds(process):
        with contextlib.suppress(OSError):
            return any(os.readlink(fd) == root
                       for fd in (process / "fd").iterdir())

    return [int(process.name)
            for process in pathlib.Path("/proc").glob("[0-9]*")
            if int(process.name) != os.getpid() and holds(process)]


def first_of(pids):
    """The one that none of the others started."""
    first, = (pid for pid in pids if parent_of(pid) not in pids)
    return first


class Run:
    """One run of sws.  What it leaves behind is known by the document root,
    which the supervisor and its workers hold open."""

    def __init__(self, *arguments, stdin=subprocess.DEVNULL, **options):
        self.root = arguments and os.path.realpath(
            os.path.join(options.get("cwd", "."), arguments[-1]))
        # A daemon that keeps the pipes open would be waited for: a failure.
        self.done = subprocess.run(
            [sws_for_all() if "user" in options else SWS, *arguments],
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, timeout=120, **options)

    @property
    def status(self):
        return self.done.returncode

    @property
    def stdout(self):
        return self.done.stdout

    @property
    def stderr(self):
        return self.done.stderr

    def pids(self):
        return holders_of(self.root) if self.root else []

    def supervisor(self):
        return first_of(self.pids())

    def end(self):
        """SIGTERM to the first, as an operator would; none may stay."""
        if not self.pids():
            return
        os.kill(self.supervisor(), signal.SIGTERM)
        if not wait_until(lambda: not self.pids(), 60):
            for pid in self.pids():
                os.kill(pid, signal.SIGKILL)
            raise AssertionError("SIGTERM did not end all processes")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
