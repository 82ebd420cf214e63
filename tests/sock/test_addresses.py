# SPDX-License-Identifier: ISC
"""Addresses that are none, and those that the system refuses: one line."""

import os
import re
import socket
import time

import pytest

from workbench import (DONE, LOCAL, NAME, NOBODY, PATIENCE_S, PEER, TIMEOUT,
                       UNAVAILABLE, USAGE, Serve, answer, for_nobody,
                       kept_port, objects, run)

BAD = [
    "tcp:localhost", "tcp:localhost:65536", "tcp:localhost:-1", "tcp:::1:80",
    "tcp:[::1]", "tcp4:[::1]:80", "tcp:" + "a" * 256 + ":80",
    "unix:", "unix:" + "x" * 108, "unix:@" + "x" * 108, "fd:x", "pid:1",
    "source:x", "exec:", "file:", "tcp:h:80,", "/" * 108,
]


@pytest.mark.parametrize("address", BAD)
@pytest.mark.parametrize("verb", ["cat", "serve", "send", "opts"])
def test_bad_address(verb, address):
    """One line; L7: also of paths that are too long."""
    done = run(verb, address)
    assert done.returncode == USAGE
    assert done.stderr.startswith(b"sock: " + address.encode())
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("arguments, status, words", [
    (["tcp:127.0.0.1:1"], PEER, "ECONNREFUSED): nobody listens there"),
    (["unix:@no-such-name"], PEER, "nobody has that name"),
    (["tcp:[fe80::1]:80"], PEER, "needs its interface"),
    (["udp:127.0.0.1:1"], PEER, "ECONNREFUSED"),
    (["unix:/proc/nonexistent/x"], PEER, "ENOENT): nobody has made"),
    (["file:/proc/nonexistent", "-"], LOCAL, "ENOENT"),
    (["fd:99"], LOCAL, "EBADF"),
    (["tcp:localhost:no-such-service"], NAME, "/etc/services"),
    (["tcp:no-such-host.invalid:80"], NAME, "no-such-host.invalid"),
    (["tcp6:127.0.0.1:80"], NAME, "no IPv6 address"),
    (["-6", "tcp:127.0.0.1:80"], NAME, "no IPv6 address"),
    (["serve", "tcp:192.0.2.1:0"], LOCAL, "EADDRNOTAVAIL): no interface"),
    (["serve", "unix:/proc/nonexistent/x"], LOCAL, "ENOENT): the directory"),
    (["icmp:127.0.0.1"], USAGE, "ping"),
    (["serve", "file:/x"], USAGE, "not the address of a socket"),
    (["tcp:127.0.0.1:1", "-o", "sndlowat=2"], UNAVAILABLE, "ENOPROTOOPT"),
    (["tcp:127.0.0.1:1,nodelay,linger=x"], USAGE, "linger"),
    (["-o", "broadcast=0", "udp4:127.255.255.255:9"], PEER, "broadcast"),
])
def test_refused(arguments, status, words):
    """T4 and its like: what, where, why, in one line."""
    done = run(*arguments, input="hello\n")
    assert done.returncode == status, done.stderr
    assert words in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


def test_timeout():
    """A listener that accepts nobody answers the SYN, but never a byte."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        done = run(f"tcp:127.0.0.1:{s.getsockname()[1]}", "--timeout=200ms")
    assert done.returncode == TIMEOUT
    assert b"ETIMEDOUT" in done.stderr


def test_port_in_use_names_the_holder():
    """U12: free or not, and whose."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        done = run("serve", f"tcp:127.0.0.1:{s.getsockname()[1]}")
    assert done.returncode == LOCAL
    assert f"[{os.getpid()}]" in done.stderr.decode()


def test_port_in_time_wait_says_for_how_long():
    """U12, T14: its server has ended, and had no SO_REUSEADDR."""
    with socket.socket() as s, socket.socket() as client:
        s.bind(("127.0.0.1", 0))
        s.listen()
        client.settimeout(PATIENCE_S)
        client.connect(s.getsockname())
        accepted, _ = s.accept()
        accepted.close()
        assert client.recv(1) == b""
        port = s.getsockname()[1]
    end = time.monotonic() + PATIENCE_S
    while b"TIME_WAIT" not in run("ls", f"tcp:127.0.0.1:{port}").stdout:
        assert time.monotonic() < end
    done = run("serve", f"tcp:127.0.0.1:{port}")
    assert done.returncode == LOCAL
    assert re.search(r"held by a connection in TIME_WAIT for \d+ s\n",
                     done.stderr.decode())


@pytest.mark.parametrize("kind, address", [
    (socket.SOCK_DGRAM, "udp:127.0.0.1:{}"),
    (socket.SOCK_STREAM, "tcp:127.0.0.1:{}")])
def test_port_that_nobody_listens_on_is_held(kind, address):
    """A bound socket, or one of datagrams, is in the way as well."""
    with socket.socket(type=kind) as s:
        s.bind(("127.0.0.1", 0))
        done = run("serve", address.format(s.getsockname()[1]))
    assert done.returncode == LOCAL
    assert f"[{os.getpid()}]" in done.stderr.decode()


def test_path_in_use_names_the_holder(tmp_path):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(f"{tmp_path}/s")
        s.listen()
        done = run("serve", f"unix:{tmp_path}/s")
    assert done.returncode == LOCAL
    assert f"[{os.getpid()}]" in done.stderr.decode()


def test_names_tried():
    """U19, N2: what failed is told, and what works is used."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
        said = [o["ev"] for o in
                objects(answer("name", f"localhost:{port}", "--connect",
                               "--json"))]
    assert said[-1] == "connect"


def test_service_name():
    """U11: /etc/services."""
    found, = objects(answer("name", "-4", ":http", "--json"))
    assert found["port"] == 80


def test_bytes_of_an_address():
    """U16, U17: 192.0.2.1:8080 as numbers and as bytes."""
    said = {o["ev"]: o for o in
            objects(answer("name", "192.0.2.1:8080", "--bytes", "--json"))}
    assert said["port"]["bytes"] == "1f 90"
    assert said["port"]["host"] == 8080
    assert said["port"]["network"] == socket.htons(8080)
    assert said["bytes"]["bytes"] == "c0 00 02 01"
    assert said["bytes"]["network"] == socket.htonl(0xc0000201)
    said = answer("name", "[2001:db8::1]:80", "--bytes")
    assert "20 01 0d b8" in said


def test_order_is_that_of_getaddrinfo():
    """U19: the first that works is used."""
    want = []
    for _, _, _, _, address in socket.getaddrinfo(
            "localhost", 0, type=socket.SOCK_STREAM):
        if address[0] not in want:
            want.append(address[0])
    got = [o["address"] for o in objects(answer("name", "localhost", "--json"))]
    got = [a.removeprefix("tcp:").removesuffix(":0").strip("[]") for a in got]
    assert got == want


def test_dual_stack():
    """T9: one socket takes both; the IPv4 client is shown as such."""
    with Serve("tcp::0", "--echo") as s:
        port = s.port()
        for host in ("127.0.0.1", "[::1]"):
            assert answer(f"tcp:{host}:{port}", input="x") == "x"
            assert s.wait_for("accept")["peer"].startswith(f"tcp:{host}:")
        assert run("serve", f"tcp4::{port}").returncode == LOCAL


def test_v6_only():
    """T9: a socket for IPv6 alone."""
    with kept_port(socket.AF_INET, socket.AF_INET6) as port, \
            Serve(f"tcp6::{port}", "--echo") as s:
        assert s.port() == port
        assert answer(f"tcp:[::1]:{port}", input="x") == "x"
        assert run(f"tcp:127.0.0.1:{port}").returncode == PEER
        with Serve(f"tcp4::{port}", "--echo") as other:
            assert other.port() == port


def test_low_port_as_nobody():
    """U10: the message names the knob."""
    if os.geteuid() != 0:
        pytest.skip("needs root to become nobody")
    start = int(open("/proc/sys/net/ipv4/ip_unprivileged_port_start").read())
    if start < 80:
        pytest.skip("port 79 is for everybody here")
    done = run("serve", "tcp:127.0.0.1:79", program=for_nobody(), user=NOBODY,
               group=NOBODY, extra_groups=[])
    assert done.returncode == LOCAL
    assert b"EACCES" in done.stderr
    assert b"ip_unprivileged_port_start" in done.stderr


def test_works_as_nobody():
    if os.geteuid() != 0:
        pytest.skip("needs root to become nobody")
    program = for_nobody()
    who = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    with Serve("tcp:127.0.0.1:0", "--echo", program=program, **who) as s:
        address = s.address()
        done = run(address, input="hello", program=program, **who)
        assert (done.returncode, done.stdout) == (DONE, b"hello")
        done = run("opts", f"pid:{s.process.pid}/5", program=program, **who)
        assert b"reuseaddr" in done.stdout or b"EPERM" in done.stderr
    for verb in ("ls", "check"):
        assert run(verb, program=program, **who).returncode == DONE
