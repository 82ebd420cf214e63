# SPDX-License-Identifier: ISC
"""Runs the program as a shell would, and finds what it leaves running."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import uuid

from server import SWS, wait_until


def free_port():
    """A port that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def parent_of(pid):
    # The name before it may hold anything, so count from its end.
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


class Run:
    """One run of sws.  What it leaves behind is known by a variable in its
    environment, which no other process has."""

    def __init__(self, *arguments, stdin=subprocess.DEVNULL, **options):
        self.mark = f"SWS_TEST_RUN={uuid.uuid4()}"
        name, value = self.mark.split("=")
        # A daemon that keeps the pipes open would be waited for: a failure.
        self.done = subprocess.run(
            [SWS, *arguments], stdin=stdin, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, timeout=30,
            env={**os.environ, name: value}, **options)

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
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                variables = (entry / "environ").read_bytes().split(b"\0")
                if self.mark.encode() in variables:
                    found.append(int(entry.name))
        return found

    def supervisor(self):
        """Of those that run, the one that none of them started."""
        pids = self.pids()
        first, = (pid for pid in pids if parent_of(pid) not in pids)
        return first

    def end(self):
        """SIGTERM to the first, as an operator would; none may stay."""
        if not self.pids():
            return
        os.kill(self.supervisor(), signal.SIGTERM)
        if not wait_until(lambda: not self.pids(), 15):
            for pid in self.pids():
                os.kill(pid, signal.SIGKILL)
            raise AssertionError("SIGTERM did not end all processes")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
