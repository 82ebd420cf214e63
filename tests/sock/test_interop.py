# SPDX-License-Identifier: ISC
"""With the tools that everybody has: the same bytes both ways (T3)."""

import os
import socket
import subprocess

import pytest

from workbench import CHARGE, PATIENCE_S, SOCK, Serve, answer, kept_port

DATA = os.urandom(1 << 20)

CLIENTS = {
    "nc": lambda port: ["nc", "-N", "127.0.0.1", port],
    "ncat": lambda port: ["ncat", "127.0.0.1", port],
    "socat": lambda port: ["socat", "-t30", "-", f"TCP:127.0.0.1:{port}"],
}
SERVERS = {
    "nc": lambda port: ["nc", "-N", "-l", "127.0.0.1", port],
    "ncat": lambda port: ["ncat", "-l", "127.0.0.1", port],
    "socat": lambda port: ["socat", "-t30", "-",
                           f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr"],
}


@pytest.mark.parametrize("name", CLIENTS)
def test_their_client(tool, name):
    """T3: both ways through ours."""
    tool(name)
    with Serve("tcp:127.0.0.1:0", "--echo") as s:
        done = subprocess.run(CLIENTS[name](str(s.port())), input=DATA,
                              capture_output=True, timeout=PATIENCE_S)
    assert done.stdout == DATA


@pytest.mark.parametrize("name", SERVERS)
def test_their_server(tool, name):
    """R10: theirs say not when they listen, sock ls does."""
    tool(name)
    with kept_port(socket.AF_INET) as port, subprocess.Popen(
            SERVERS[name](str(port)), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE) as p:
        while subprocess.run([SOCK, "ls", "-q", "-n", "-l", f"tcp:*:{port}"],
                             capture_output=True).returncode != 0:
            assert p.poll() is None
        p.stdin.write(b"from them")
        p.stdin.close()
        assert answer(f"tcp:127.0.0.1:{port}", input=CHARGE) == "from them"
        assert p.stdout.read() == CHARGE.encode()


def test_socat_unix(tool, tmp_path):
    with Serve(f"unix:{tmp_path}/s", "--echo") as s:
        s.address()
        done = subprocess.run(
            [tool("socat"), "-t30", "-", f"UNIX:{tmp_path}/s"], input=DATA,
            capture_output=True, timeout=PATIENCE_S)
    assert done.stdout == DATA


def test_telnet(tool):
    """T3, R10: the slides' telnet, lines there and back."""
    with Serve("tcp:127.0.0.1:0", "--echo") as s:
        with subprocess.Popen([tool("telnet"), "127.0.0.1", str(s.port())],
                              stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as p:
            p.stdin.write(b"moo\n")
            p.stdin.flush()
            for line in p.stdout:
                if line.strip() == b"moo":
                    break
            else:
                pytest.fail("no answer by telnet")
            p.kill()


def test_udp_with_nc(tool):
    with Serve("udp:127.0.0.1:0", "--echo") as s:
        port = str(s.port())
        with subprocess.Popen([tool("nc"), "-u", "127.0.0.1", port],
                              stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as p:
            p.stdin.write(b"moo\n")
            p.stdin.flush()
            assert p.stdout.readline() == b"moo\n"
            p.kill()


def test_every_sender_is_heard():
    """Where nc -lu hears the first alone."""
    with Serve("udp:127.0.0.1:0", "--count=3") as s:
        address = s.address()
        for i in range(3):
            answer("send", address, f"{i}\n")
        assert s.output() == "0\n1\n2\n"
        assert len({s.wait_for("message")["peer"] for _ in range(3)}) == 3
