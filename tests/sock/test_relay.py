# SPDX-License-Identifier: ISC
"""Bytes between any two addresses: all of them, and their ends."""

import hashlib
import os
import signal
import socket
import subprocess
import threading

import pytest

from workbench import (DONE, PARTIAL, PATIENCE_S, PEER, SOCK, TIMEOUT, USAGE,
                       Serve, answer, objects, run)

DATA = os.urandom(8 << 20)


def listener(kind, folder):
    if kind == "unix":
        s = socket.socket(socket.AF_UNIX)
        s.bind(str(folder / "s"))
        s.listen()
        return s, f"unix:{folder}/s"
    s = socket.create_server(("127.0.0.1", 0))
    return s, f"tcp:127.0.0.1:{s.getsockname()[1]}"


def read_all(s):
    parts = []
    while part := s.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


def peer(listening, talk):
    """Runs talk(connection) for one client, in a thread; gives its result."""
    result = []

    def run_it():
        s, _ = listening.accept()
        s.settimeout(PATIENCE_S)
        with s:
            result.append(talk(s))

    listening.settimeout(PATIENCE_S)
    thread = threading.Thread(target=run_it, daemon=True)
    thread.start()

    def join():
        thread.join(PATIENCE_S)
        listening.close()
        return result[0]
    return join


@pytest.mark.parametrize("kind", ["tcp", "unix"])
@pytest.mark.parametrize("source", ["pipe", "file"])
def test_there(tmp_path, kind, source):
    s, address = listener(kind, tmp_path)
    join = peer(s, read_all)
    if source == "pipe":
        done = run(address, input=DATA)
    else:
        (tmp_path / "data").write_bytes(DATA)
        done = run(f"file:{tmp_path}/data", address)
    assert done.returncode == DONE, done.stderr
    assert join() == DATA


@pytest.mark.parametrize("kind", ["tcp", "unix"])
@pytest.mark.parametrize("target", ["pipe", "file"])
def test_back(tmp_path, kind, target):
    s, address = listener(kind, tmp_path)
    join = peer(s, lambda c: c.sendall(DATA))
    if target == "pipe":
        assert run(address).stdout == DATA
    else:
        assert run(address, f"file:{tmp_path}/got").returncode == DONE
        assert (tmp_path / "got").read_bytes() == DATA
    join()


@pytest.mark.parametrize("option", [
    [], ["-X"], ["--calls"], ["-o", "sndbuf=4096", "-o", "rcvbuf=4096"]])
def test_both_ways_at_once(option):
    """P9: byte-exact also with the smallest buffers, and while shown."""
    n = (1 << 20) if option in ([], ["-o"]) else (1 << 18)
    with Serve("tcp:127.0.0.1:0", "--echo") as s:
        done = run(*option, s.address(), input=DATA[:n])
        assert hashlib.sha256(done.stdout).digest() == \
            hashlib.sha256(DATA[:n]).digest()


def test_hundred_megabytes(tmp_path):
    """P9: short writes all the way, and not a byte is lost."""
    data = tmp_path / "data"
    digest, received = hashlib.sha256(), hashlib.sha256()
    with open(data, "wb") as file:
        for _ in range(13):
            file.write(DATA)
            digest.update(DATA)
    with Serve("tcp:127.0.0.1:0,rcvbuf=4096", "--count=1") as s:
        address = s.address()
        with subprocess.Popen([SOCK, f"file:{data}",
                               f"{address},sndbuf=4096"]) as p:
            while part := s.process.stdout.read(1 << 20):
                received.update(part)
        assert p.returncode == DONE
    data.unlink()
    assert received.digest() == digest.digest()


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_late_answer_is_not_lost(tmp_path, kind):
    """The peer reads to the end, thinks, and answers (T15)."""
    s, address = listener(kind, tmp_path)
    began = threading.Event()

    def talk(c):
        question = read_all(c)
        began.set()
        # Longer than socat waits by default.
        threading.Event().wait(0.8)
        c.sendall(question.upper())

    join = peer(s, talk)
    assert answer(address, input="question") == "QUESTION"
    assert began.is_set()
    join()


def test_wait_is_bounded():
    s, address = listener("tcp", None)
    ended = threading.Event()

    def talk(c):
        read_all(c)
        ended.wait(PATIENCE_S)

    join = peer(s, talk)
    try:
        assert run("--wait=100ms", address, input="x").returncode == DONE
    finally:
        ended.set()
    join()


def test_between_two_peers(tmp_path):
    with Serve("tcp:127.0.0.1:0", "--echo") as echo:
        s, address = listener("unix", tmp_path)

        def talk(c):
            c.sendall(DATA)
            c.shutdown(socket.SHUT_WR)
            return read_all(c)

        join = peer(s, talk)
        assert run(address, echo.address()).returncode == DONE
        assert join() == DATA


def test_exec():
    assert answer("exec:tr a-z A-Z", input="hello") == "HELLO"
    done = run("exec:exit 3")
    assert done.returncode == PARTIAL
    assert b"exit status 3" in done.stderr


def test_file_to_pager(tmp_path):
    """P8: the command's output is ours, since the file takes none."""
    (tmp_path / "text").write_text("hello\n")
    assert answer(f"file:{tmp_path}/text", "exec:cat -n").split() == \
        ["1", "hello"]


def test_file_alone_is_left_alone(tmp_path):
    """Whoever means to read a file must not empty it."""
    path = tmp_path / "precious"
    path.write_text("hello\n")
    done = run(f"file:{path}")
    assert done.returncode == USAGE
    assert b"which way?" in done.stderr
    assert path.read_text() == "hello\n"
    assert answer(f"file:{path}", "-") == "hello\n"
    assert run("-", f"file:{path}", input="bye\n").returncode == DONE
    assert path.read_text() == "bye\n"


def test_source_and_sink():
    assert answer("source:100k", "-") == "\0" * 102400
    assert run("source:1M", "sink:").returncode == DONE
    assert answer("echo:", input="once") == "once"


def test_lines_are_datagrams():
    """L8: N lines, N datagrams."""
    with Serve("udp:127.0.0.1:0", "--count=3") as s:
        run("--lines", "--wait=0", s.address(), input="one\ntwo\nthree\n")
        assert s.output() == "one\ntwo\nthree\n"
        messages = [s.wait_for("message")["bytes"] for _ in range(3)]
    assert messages == [4, 4, 6]


def test_empty_datagram_is_no_end():
    """D9."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
        u.bind(("127.0.0.1", 0))
        u.settimeout(PATIENCE_S)
        with subprocess.Popen(
                [SOCK, f"udp:127.0.0.1:{u.getsockname()[1]}", "--count=3"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE) as p:
            p.stdin.write(b"hello")
            p.stdin.flush()
            _, who = u.recvfrom(100)
            u.sendto(b"", who)
            u.sendto(b"after", who)
            assert p.stdout.read() == b"after"
            p.stdin.close()


def test_seqpacket(tmp_path):
    with Serve(f"unix-seqpacket:{tmp_path}/q", "--echo") as s:
        assert answer(s.address(), input="record") == "record"


def test_reset_is_told():
    s, address = listener("tcp", None)

    def talk(c):
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     b"\1\0\0\0\0\0\0\0")

    join = peer(s, talk)
    with subprocess.Popen([SOCK, address], stdin=subprocess.PIPE,
                          stderr=subprocess.PIPE) as p:
        join()
        error = p.stderr.read()
        assert p.wait(PATIENCE_S) == PEER
        assert b"ECONNRESET" in error


def test_reader_leaves():
    """SIGPIPE on standard output ends quietly."""
    with subprocess.Popen([SOCK, "source:", "-"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as p:
        assert p.stdout.read(10) == b"\0" * 10
        p.stdout.close()
        assert p.wait(PATIENCE_S) == DONE
        assert p.stderr.read() == b""


@pytest.mark.parametrize("signo", [signal.SIGINT, signal.SIGTERM,
                                   signal.SIGHUP])
def test_signal_finishes(signo):
    with Serve("tcp:127.0.0.1:0", "--echo") as s:
        with subprocess.Popen(
                [SOCK, "--json", "-v", s.address()], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            p.stdin.write(b"hello")
            p.stdin.flush()
            assert p.stdout.read(5) == b"hello"
            p.send_signal(signo)
            said = objects(p.stderr.read())
            assert p.wait(PATIENCE_S) == DONE
    assert said[-1]["ev"] == "end"
    assert (said[-1]["sent"], said[-1]["received"]) == (5, 5)


def test_command_ends_with_the_relay():
    """Which does not wait for it, once it was told to stop."""
    done = run("exec:exec sleep 1000", "--wait=0")
    assert done.returncode == DONE
    done = run("exec:exec sleep 1000", "--timeout=100ms")
    assert done.returncode == TIMEOUT


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-"])
def test_closed_standard_descriptors(closed):
    """A socket must not get their numbers."""
    with Serve("tcp:127.0.0.1:0", "--echo") as s:
        done = subprocess.run(
            ["sh", "-c", f"exec '{SOCK}' {s.address()} {closed}"],
            input=b"x", capture_output=True, timeout=PATIENCE_S)
        assert done.returncode == DONE
        assert done.stdout == (b"x" if closed == "2>&-" else b"")


def test_for():
    assert run("source:", "sink:", "--for=100ms").returncode == DONE


def test_hex():
    done = run("-X", "echo:", input="hello\n")
    assert b"> 00000000  68 65 6c 6c 6f 0a" in done.stderr
    assert b"< 00000000  68 65 6c 6c 6f 0a" in done.stderr
    assert b"hello." in done.stderr


def test_inherited_descriptor():
    a, b = socket.socketpair()
    with a, b:
        a.sendall(b"from outside")
        a.shutdown(socket.SHUT_WR)
        done = run(f"fd:{b.fileno()}", "-", pass_fds=[b.fileno()])
        assert done.stdout == b"from outside"
