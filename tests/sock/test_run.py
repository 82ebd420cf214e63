# SPDX-License-Identifier: ISC
"""sock run: the lecture's command(3), on the command line."""

import pathlib
import re
import subprocess
import sys
import time

import pytest

from workbench import (DONE, PARTIAL, PATIENCE_S, SOCK, TIMEOUT, answer,
                       objects, run)

VIAS = ["pipes", "socketpair"]


@pytest.mark.parametrize("via", VIAS)
def test_outputs(via):
    """H1, H2: apart, by pipes and by socketpair(2)."""
    done = run("run", f"--via={via}", "echo out; echo err >&2")
    assert (done.returncode, done.stdout, done.stderr) == \
        (DONE, b"out\n", b"err\n")


@pytest.mark.parametrize("via", VIAS)
def test_ten_megabytes_interleaved(via):
    """H3: the published solution hangs here."""
    line = ("i=0; while [ $i -lt 10 ]; do head -c 1000000 /dev/zero; "
            "head -c 1000000 /dev/zero >&2; i=$((i + 1)); done")
    said, = objects(answer("run", f"--via={via}", "--json", line))
    assert len(said["out"]) == len(said["err"]) == 10000000
    assert said["status"] == 0


def test_status():
    """H1: as waitpid(2) has it."""
    done = run("run", "--json", "exit 3")
    assert done.returncode == PARTIAL
    assert objects(done.stdout)[0]["status"] == 3
    done = run("run", "--json", "kill -9 $$")
    assert objects(done.stdout)[0]["signal"] == 9
    assert b"SIGKILL" in run("run", "kill -9 $$").stderr
    assert run("run", "no-such-command").returncode == PARTIAL


def test_words_and_options():
    """Options behind the first word are the command's."""
    assert answer("run", "echo", "-n", "--json") == "--json"


def test_limit():
    done = run("run", "--limit=10", "echo 0123456789abcdef")
    assert done.stdout == b"0123456789"
    assert done.returncode == PARTIAL
    assert b"7 bytes" in done.stderr


def has_ended(pid):
    """Perhaps nobody has asked for its status yet."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"


def test_timeout_ends_what_the_command_began():
    done = run("run", "--timeout=300ms", "sleep 1000 & echo $!; wait")
    assert done.returncode == TIMEOUT
    until = time.monotonic() + PATIENCE_S
    while not has_ended(int(done.stdout)):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_timeout_lends_the_terminal(tool):
    """The command reads it, and so may we afterwards."""
    done = subprocess.run(
        [tool("script"), "-qec", f"{SOCK} run --timeout=20s 'read a; echo "
         f"got $a'; read b; echo and $b", "/dev/null"],
        input=b"one\ntwo\n", capture_output=True, timeout=PATIENCE_S)
    assert b"got one" in done.stdout
    assert b"and two" in done.stdout


def test_timeout():
    done = run("run", "--timeout=200ms", "echo begun; exec sleep 1000")
    assert done.returncode == TIMEOUT
    assert done.stdout == b"begun\n"


# Calls of every kind, with sockets that are there.
CALLS = """
import os, socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", 0))
s.listen(5)
c = socket.create_connection(s.getsockname())
a, _ = s.accept()
c.send(b"to be shown")
a.recv(100)
a.getpeername()
a.shutdown(socket.SHUT_WR)
a.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
one, two = socket.socketpair()
d = socket.socket(type=socket.SOCK_DGRAM)
d.bind(("127.0.0.1", 0))
d.sendto(b"a datagram", d.getsockname())
d.recvfrom(100)
try:
    socket.socket(socket.AF_UNIX).connect("/proc/nowhere/x")
except OSError:
    pass
if os.fork() == 0:
    two.send(b"of a child")
    os._exit(0)
os.wait()
one.recv(100)
"""
NUMBERS = re.compile(r"htons\(\d+\)|0x[0-9a-f]+|^\[?(pid +)?\d+\]? +| <[\d.]+>$")


def shown_calls(text):
    """In a form that both have."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return sorted(NUMBERS.sub("", line) for line in lines if ") = " in line)


def test_calls_equal_strace(tool, tmp_path):
    """R10: what it and its children call, in the words of strace."""
    script = tmp_path / "calls"
    script.write_text(CALLS)
    line = f"{sys.executable} -S {script}"
    done = run("run", "--calls", line)
    assert done.returncode == DONE, done.stderr
    subprocess.run([tool("strace"), "-f", "-o", tmp_path / "trace", "-e",
                    "trace=network", *line.split()], check=True,
                   timeout=PATIENCE_S)
    assert shown_calls(done.stderr.decode()) == \
        shown_calls((tmp_path / "trace").read_text())


def test_calls_change_nothing():
    """Outputs, status and signals are as without."""
    done = run("run", "--calls", "--json", "echo out; echo err >&2; exit 3")
    said, = objects(done.stdout)
    assert (said["out"], said["err"], said["status"]) == ("out\n", "err\n", 3)
    done = run("run", "--calls", "--json", "kill -9 $$")
    assert objects(done.stdout)[0]["signal"] == 9
    done = run("run", "--calls", "trap 'echo caught' TERM; kill $$; echo on")
    assert done.stdout == b"caught\non\n"


def test_calls_are_killed_with_the_command():
    done = run("run", "--calls", "--timeout=200ms",
               "echo begun; exec sleep 1000")
    assert done.returncode == TIMEOUT
    assert done.stdout == b"begun\n"
