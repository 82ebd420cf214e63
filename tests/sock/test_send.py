# SPDX-License-Identifier: ISC
"""sock send, by each call and with each end; --calls as strace tells it."""

import os
import re
import socket
import subprocess
import threading

import pytest

from workbench import (DONE, PATIENCE_S, PEER, SOCK, TIMEOUT, UNAVAILABLE,
                       Serve, answer, objects, run)

VIAS = ["write", "send", "sendto", "sendmsg"]


@pytest.mark.parametrize("via", VIAS)
@pytest.mark.parametrize("kind", ["tcp:127.0.0.1:0", "udp:127.0.0.1:0",
                                  "unix:{}/s", "unix-dgram:{}/d",
                                  "unix-seqpacket:{}/q"])
def test_same_bytes_by_each_call(tmp_path, via, kind):
    """T13, O0."""
    with Serve(kind.format(tmp_path), "--count=1") as s:
        answer("send", s.address(), "some text", f"--via={via}")
        assert s.output() == "some text"


def test_count_and_texts():
    with Serve("udp:127.0.0.1:0", "--count=6") as s:
        answer("send", s.address(), "a", "bc", "--count=3")
        assert s.output() == "abcabcabc"


def test_standard_input():
    with Serve("tcp:127.0.0.1:0", "--count=1") as s:
        answer("send", s.address(), input="x" * 200000)
        assert len(s.output()) == 200000
    with Serve("udp:127.0.0.1:0", "--count=2") as s:
        answer("send", s.address(), "--lines", input="one\ntwo\n")
        assert s.output() == "one\ntwo\n"


def test_lines_are_bounded():
    """A stream has them in pieces; a datagram cannot be so long."""
    line = "x" * 300000
    with Serve("tcp:127.0.0.1:0", "--count=1") as s:
        answer("send", s.address(), "--lines", input=f"{line}\n{line}")
        assert s.output() == f"{line}\n{line}"
    with Serve("udp:127.0.0.1:0") as s:
        done = run("send", s.address(), "--lines", input=line)
    assert done.returncode == PEER
    assert b"EMSGSIZE" in done.stderr


def test_peer_who_does_not_read_times_out():
    with socket.create_server(("127.0.0.1", 0)) as s:
        done = run("send", f"tcp:127.0.0.1:{s.getsockname()[1]}",
                   "--timeout=200ms", input=b"x" * (32 << 20))
    assert done.returncode == TIMEOUT
    assert b"ETIMEDOUT" in done.stderr


def test_nobody_there():
    """U4, U5: connected, the ICMP error comes back; unconnected, not."""
    assert run("send", "udp:127.0.0.1:1", "x").returncode == PEER
    assert run("send", "udp:127.0.0.1:1", "x",
               "--via=sendto").returncode == DONE
    assert run("send", "tcp:127.0.0.1:1", "x").returncode == PEER


def test_reply():
    with Serve("udp:127.0.0.1:0", "tcp:127.0.0.1:0", "--echo") as s:
        udp, tcp = s.addresses(2)
        assert answer("send", udp, "ping", "--reply=60s") == "ping"
        assert answer("send", tcp, "ping", "--half-close") == "ping"
        assert answer("send", tcp, "ping", "--reply=4s") == "ping"
    with Serve("udp:127.0.0.1:0", "--discard") as s:
        assert run("send", s.address(), "ping",
                   "--reply=100ms").returncode == TIMEOUT


def test_reply_of_a_unix_datagram(tmp_path):
    """The sender has a name, so that it can be answered."""
    with Serve(f"unix-dgram:{tmp_path}/d", "--echo") as s:
        assert answer("send", s.address(), "ping", "--reply=60s") == "ping"


def test_ends_in_time():
    """--for: whatever it waits for; what was answered meanwhile is printed."""
    read_end, write_end = os.pipe()         # standard input that never ends
    with socket.create_server(("127.0.0.1", 0)) as s, \
            Serve("tcp:127.0.0.1:0", "--echo") as echo:
        silent = f"tcp:127.0.0.1:{s.getsockname()[1]}"
        for arguments in [[silent, "--lines"], [silent],
                          [silent, "x", "--half-close"],
                          [silent, "x", "--reply=1h"],
                          [silent, "x" * 65536, "--count=100000"]]:
            done = subprocess.run(
                [SOCK, "send", *arguments, "--for=50ms"], stdin=read_end,
                capture_output=True, timeout=PATIENCE_S)
            assert (done.returncode, done.stderr) == (DONE, b""), arguments
        done = run("send", echo.address(), "ping", "--reply=1h", "--for=1s")
        assert done.returncode == DONE
        assert done.stdout in (b"", b"ping")
    os.close(read_end)
    os.close(write_end)


def test_datagrams_end_in_time(tmp_path):
    """Where the queue of the receiver is full, nothing wakes the sender."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(f"{tmp_path}/d")
        for via in VIAS:
            done = run("send", f"unix-dgram:{tmp_path}/d", "x", f"--via={via}",
                       "--count=1000000", "--for=50ms", "--json", "-v")
            assert done.returncode == DONE, done.stderr
            sent = objects(done.stderr)[-1]
            assert sent["ev"] == "sent" and sent["messages"] < 1000000


def one_client(handle):
    """A listener, its address, and what handle(connection) gives."""
    listening = socket.create_server(("127.0.0.1", 0))
    result = []

    def run_it():
        c, _ = listening.accept()
        c.settimeout(PATIENCE_S)
        with c:
            result.append(handle(c))

    thread = threading.Thread(target=run_it, daemon=True)
    thread.start()

    def join():
        thread.join(PATIENCE_S)
        listening.close()
        return result[0]
    return f"tcp:127.0.0.1:{listening.getsockname()[1]}", join


def test_reset():
    """O6: linger 0 resets."""
    def handle(c):
        try:
            while c.recv(100):
                pass
        except ConnectionResetError:
            return "reset"
        return "closed"

    for option, ending in (["--reset"], "reset"), ([], "closed"):
        address, join = one_client(handle)
        answer("send", address, "x", *option)
        assert join() == ending


def test_urgent():
    """M10: the last byte is out of band."""
    ready = threading.Event()

    def handle(c):
        # The end comes behind all the rest, urgent or not.
        inline = b""
        while part := c.recv(100):
            inline += part
        ready.set()
        return inline

    address, join = one_client(handle)
    answer("send", address, "abc!", "--oob")
    assert join() == b"abc"
    assert run("send", "udp:127.0.0.1:9", "x",
               "--oob").returncode == UNAVAILABLE


def normal(line):
    """What differs from run to run: ports, numbers of descriptors, time."""
    line = re.sub(r" <[\d.]+>$", "", line)
    line = re.sub(r"\) +=", ") =", line)
    line = line.replace("_OLD,", ",")       # SO_TIMESTAMP_OLD
    line = re.sub(r"htons\(\d+\)", "htons(P)", line)
    return re.sub(r"\(\d+,", "(N,", line)


NETWORK = re.compile(
    r"^(socket|socketpair|bind|listen|accept4?|connect|shutdown|getsockname|"
    r"getpeername|[gs]etsockopt|sendto|recvfrom|sendmsg|recvmsg)\(.*")


@pytest.mark.parametrize("arguments", [
    ["send", "{tcp}", "hello\n", "--half-close", "-o", "nodelay"],
    ["send", "{tcp}", "quote \" and \1 byte", "--via=sendmsg", "--half-close"],
    ["send", "{udp}", "hello", "--via=sendto"],
    ["send", "{udp}", "x" * 100, "--reply", "-o", "sndbuf=64k"],
    ["send", "{unix}", "hello", "--via=send", "--half-close"],
    ["send", "{tcp}", "hello", "--reset", "--via=send"],
    ["send", "tcp:127.0.0.1:1", "x"],
    ["send", "tcp6:[::1]:1", "x"],
    ["send", "unix:/proc/nonexistent/socket", "x"],
    ["opts", "tcp4::0"],
])
def test_calls_equal_strace(tool, tmp_path, arguments):
    """T1, R10: each call that strace sees, in its words."""
    strace = tool("strace")
    with Serve("tcp:127.0.0.1:0", "udp:127.0.0.1:0", f"unix:{tmp_path}/s",
               "--echo") as s:
        tcp, udp, unix = s.addresses(3)
        words = [a.format(tcp=tcp, udp=udp, unix=unix) for a in arguments]
        done = run("-f", "-e", "trace=network", "-o", tmp_path / "trace",
                   SOCK, *words, "--calls", program=strace)
    trace = (tmp_path / "trace").read_text()
    if "PTRACE_TRACEME" in done.stderr.decode():
        pytest.skip("strace may not trace here")
    theirs = [re.sub(r"^\d+ +", "", line) for line in trace.splitlines()]
    theirs = [normal(line) for line in theirs if NETWORK.match(line)]
    # getsockname is asked more than sock tells; names are looked up by libc.
    ours = [normal(line) for line in done.stderr.decode().splitlines()
            if NETWORK.match(line)]
    assert ours
    if arguments[0] == "opts":
        assert [o for o in ours if o not in theirs and
                not re.search(r"LINGER|TIMEO|CRED|CONGESTION|DEVICE|-1", o)
                ] == []
    else:
        assert ours == theirs


def test_calls_as_json():
    done = run("send", "tcp:127.0.0.1:1", "x", "--calls", "--json")
    calls = [o for o in objects(done.stderr) if o["ev"] == "call"]
    assert [c["call"] for c in calls] == ["socket", "connect", "close"]
    assert calls[1]["result"] == -1
    assert calls[1]["errno"] == "ECONNREFUSED"
    assert all(c["seconds"] >= 0 for c in calls)
