# SPDX-License-Identifier: ISC
"""--bind: from which local address and port we come."""

import os
import socket

import pytest

from workbench import (DONE, LOCAL, NAME, PATIENCE_S, USAGE, Serve, answer,
                       kept_port, objects, run)

NOT_OURS = "192.0.2.1"          # of RFC 5737: no host has it


def held_udp_port():
    s = socket.socket(type=socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    return s


def test_host():
    with Serve("tcp:127.0.0.1:0", "--echo") as s:
        assert answer(s.address(), "--bind=127.0.0.2", input="x") == "x"
        assert s.wait_for("accept")["peer"].startswith("tcp:127.0.0.2:")


@pytest.mark.parametrize("family, host, bind, peer", [
    (socket.AF_INET, "127.0.0.1", ":{}", "tcp:127.0.0.1:{}"),
    (socket.AF_INET, "127.0.0.1", "127.0.0.2:{}", "tcp:127.0.0.2:{}"),
    (socket.AF_INET6, "[::1]", "[::1]:{}", "tcp:[::1]:{}"),
])
def test_port(family, host, bind, peer):
    with kept_port(family) as port, Serve(f"tcp:{host}:0", "--echo") as s:
        assert answer(s.address(), f"--bind={bind.format(port)}",
                      input="x") == "x"
        assert s.wait_for("accept")["peer"] == peer.format(port)


@pytest.mark.parametrize("bind", ["::1", "[::1]"])
def test_host_of_ipv6_has_no_need_of_brackets(bind):
    with Serve("tcp:[::1]:0", "--discard") as s:
        answer("send", s.address(), "x", f"--bind={bind}")
        assert s.wait_for("accept")["peer"].startswith("tcp:[::1]:")


@pytest.mark.parametrize("via", ["send", "sendto"])
def test_datagrams(via):
    """Connected or not."""
    with Serve("udp:127.0.0.1:0", "--discard") as s:
        answer("send", s.address(), "x", "--bind=127.0.0.3", f"--via={via}")
        assert s.wait_for("message")["peer"].startswith("udp:127.0.0.3:")


@pytest.mark.parametrize("kind", ["unix", "unix-dgram", "unix-seqpacket"])
def test_name(tmp_path, kind):
    name = f"@sock-bind-{os.getpid()}-{kind}"
    with Serve(f"{kind}:{tmp_path}/s", "--discard") as s:
        answer("send", s.address(), "x", f"--bind={name}")
        said = s.wait_for("message" if kind == "unix-dgram" else "accept")
        assert said["peer"] == f"{kind}:{name}"


def test_family_chooses_among_the_addresses_of_a_name():
    """No host means [::1], which is tried first, and 0.0.0.0."""
    with Serve("tcp4::0", "--discard") as s:
        done = run("send", f"tcp::{s.port()}", "x", "--bind=127.0.0.2")
        assert (done.returncode, done.stderr) == (DONE, b"")
        assert s.wait_for("accept")["peer"].startswith("tcp:127.0.0.2:")


@pytest.mark.parametrize("measure, server", [
    ("trips", "--echo"), ("connections", "--source=10")])
def test_bench(measure, server):
    with Serve("tcp:127.0.0.1:0", server) as s:
        answer("bench", s.address(), f"--measure={measure}", "--count=1",
               f"--timeout={PATIENCE_S}", f"--for={PATIENCE_S}",
               "--bind=127.0.0.4")
        assert s.wait_for("accept")["peer"].startswith("tcp:127.0.0.4:")


def test_scan():
    with Serve("tcp:127.0.0.1:0", "--discard") as s:
        answer("scan", f"127.0.0.1:{s.port()}", "--bind=127.0.0.5")
        assert s.wait_for("accept")["peer"].startswith("tcp:127.0.0.5:")


def test_name_connects():
    with Serve("tcp:127.0.0.1:0", "--discard") as s:
        answer("name", f"127.0.0.1:{s.port()}", "--connect",
               "--bind=127.0.0.6")
        assert s.wait_for("accept")["peer"].startswith("tcp:127.0.0.6:")


CONNECTING = [
    ["cat", "tcp:127.0.0.1:9"], ["send", "udp:127.0.0.1:9", "x"],
    ["send", "udp:127.0.0.1:9", "x", "--via=sendto"],
    ["name", "127.0.0.1:9", "--connect"], ["trace", "127.0.0.1"],
    ["scan", "127.0.0.1:9"], ["scan", "udp:127.0.0.1:9"],
    ["bench", "tcp:127.0.0.1:9"], ["bench", "udp:127.0.0.1:9"],
    ["bench", "tcp:127.0.0.1:9", "-m", "connections"],
]


@pytest.mark.parametrize("arguments", CONNECTING)
def test_address_that_is_not_ours(arguments):
    """One line, which names it and not the peer."""
    done = run(*arguments, f"--bind={NOT_OURS}")
    assert done.returncode == LOCAL
    assert done.stderr.startswith(f"sock: {NOT_OURS}: bind: ".encode())
    assert b"EADDRNOTAVAIL): no interface" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_ping_from_an_address_that_is_not_ours():
    done = run("ping", "127.0.0.1", "--count=1", f"--bind={NOT_OURS}")
    if b"needs your group" in done.stderr:
        pytest.skip("ping is not for us")
    assert done.returncode == LOCAL
    assert f"sock: {NOT_OURS}: bind: " in done.stderr.decode()


def test_port_that_is_held():
    with held_udp_port() as s:
        bind = "127.0.0.1:%d" % s.getsockname()[1]
        done = run("send", "udp:127.0.0.1:9", "x", f"--bind={bind}")
    assert done.returncode == LOCAL
    assert done.stderr.startswith(f"sock: {bind}: bind: ".encode())
    assert f"[{os.getpid()}]" in done.stderr.decode()


def test_as_json():
    done = run("send", "tcp:127.0.0.1:9", "x", f"--bind={NOT_OURS}", "--json")
    error, = objects(done.stderr)
    assert error["address"] == NOT_OURS
    assert (error["errno"], error["exit"]) == ("EADDRNOTAVAIL", LOCAL)


@pytest.mark.parametrize("address, bind, status, words", [
    ("tcp:[::1]:9", "127.0.0.1", LOCAL, "another family"),
    ("tcp:127.0.0.1:9", "[::1]:0", LOCAL, "another family"),
    ("tcp4:127.0.0.1:9", "::1", LOCAL, "another family"),
    ("tcp:127.0.0.1:9", "no-such-host.invalid", NAME, "no-such-host"),
    ("tcp:127.0.0.1:9", "", USAGE, "HOST:PORT"),
    ("tcp:127.0.0.1:9", "127.0.0.1:65536", USAGE, "65535"),
    ("tcp:127.0.0.1:9", "127.0.0.1:0,nodelay", USAGE, "HOST:PORT"),
    ("tcp:127.0.0.1:9", "@name", USAGE, "character"),
    ("tcp:127.0.0.1:9", "[::1", USAGE, "bracket"),
    ("tcp:127.0.0.1:9", "a" * 256, USAGE, "HOST:PORT"),
    ("unix:/proc/x", "127.0.0.1", USAGE, "@NAME"),
    ("unix:/proc/x", "@", USAGE, "path is missing"),
])
def test_no_local_address(address, bind, status, words):
    done = run("send", address, "x", f"--bind={bind}")
    assert done.returncode == status, done.stderr
    assert done.stderr.startswith(b"sock: " + bind.encode())
    assert words in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("arguments", [
    ["serve", "tcp:127.0.0.1:0"], ["ls"], ["opts", "tcp::0"], ["check"],
    ["run", "true"], ["watch"], ["lab"]])
def test_verbs_that_do_not_connect(arguments):
    """Rather an error than an option without effect."""
    verb, *operands = arguments
    done = run(verb, "--bind=127.0.0.1", *operands)
    assert done.returncode == USAGE
    assert f"sock {verb} connects to nobody" in done.stderr.decode()
