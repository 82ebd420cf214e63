# SPDX-License-Identifier: ISC
"""Runs sock and follows what it says; nothing here waits for silence."""

import contextlib
import errno
import json
import os
import pathlib
import queue
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

SOCK = pathlib.Path(os.environ.get("SOCK", "build/sock")).resolve()
NOBODY = 65534
PATIENCE_S = 240        # CI machines are slow; nothing takes so long

DONE, PARTIAL, PEER, LOCAL, NAME, TIMEOUT, UNAVAILABLE = range(7)
USAGE = 64

POEM = "The sea is calm tonight, the tide is full..."
CHARGE = "Half a league, half a league . . ."


def run(*arguments, program=SOCK, input=b"", **options):
    """The whole of one run: returncode, stdout, stderr (bytes)."""
    if isinstance(input, str):
        input = input.encode()
    return subprocess.run([program, *map(str, arguments)], input=input,
                          capture_output=True, timeout=PATIENCE_S, **options)


def objects(text):
    """The JSON objects of some output, one a line."""
    return [json.loads(line) for line in text.splitlines()]


def answer(*arguments, **options):
    """What a run that has to succeed printed, as text."""
    done = run(*arguments, **options)
    assert done.returncode == DONE, done.stderr.decode()
    return done.stdout.decode()


def for_nobody():
    """A copy of the program that others than root can reach."""
    folder = pathlib.Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    return pathlib.Path(shutil.copy(SOCK, folder / "sock"))


def bind_for_others(s, port):
    """Only who sets SO_REUSEADDR, too, can have its port: a server can."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if s.family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind(("", port))
    return s.getsockname()[1]


@contextlib.contextmanager
def kept_port(*families):
    """A port, the same in all of them, for a server that is to come."""
    while True:
        with contextlib.ExitStack() as kept:
            port = 0
            try:
                for family in families:
                    s = kept.enter_context(socket.socket(family))
                    port = bind_for_others(s, port)
            except OSError as e:
                if e.errno != errno.EADDRINUSE:
                    raise
                continue
            yield port
            return


class Serve:
    """A running `sock serve`: what it says on standard error is followed."""

    def __init__(self, *arguments, program=SOCK, **options):
        self.process = subprocess.Popen(
            [program, "serve", "--json", *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, **options)
        self.said = []
        self.queue = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.queue.put(line)
        self.queue.put(None)

    def next(self):
        """The next thing said, or None at the end."""
        line = self.queue.get(timeout=PATIENCE_S)
        if line is None:
            return None
        assert line.startswith(b"{"), line
        self.said.append(json.loads(line))
        return self.said[-1]

    def wait_for(self, event):
        while said := self.next():
            if said["ev"] == event:
                return said
        raise AssertionError(f"it ended without {event}: {self.said}")

    def addresses(self, n=1):
        return [self.wait_for("listen")["local"] for _ in range(n)]

    def address(self):
        """As a client on this machine has to write it."""
        local, = self.addresses()
        return local.replace("[::]", "127.0.0.1").replace(
            "0.0.0.0", "127.0.0.1")

    def port(self):
        return int(self.address().rpartition(":")[2])

    def output(self):
        """All of standard output; waits for the end."""
        out = self.process.stdout.read()
        self.process.wait(PATIENCE_S)
        return out.decode()

    def stop(self, signo=signal.SIGTERM):
        """Its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signo)
        while self.next():
            pass
        return self.process.wait(PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)
        self.reader.join(PATIENCE_S)
        for pipe in (self.process.stdin, self.process.stdout,
                     self.process.stderr):
            pipe.close()
