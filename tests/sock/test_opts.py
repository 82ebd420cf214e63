# SPDX-License-Identifier: ISC
"""The table of socket options, of any socket."""

import os
import socket
import struct

import pytest

from workbench import LOCAL, NAME, UNAVAILABLE, USAGE, answer, objects, run

LECTURE = """DEBUG REUSEADDR REUSEPORT KEEPALIVE DONTROUTE LINGER BROADCAST
    OOBINLINE SNDBUF RCVBUF SNDLOWAT RCVLOWAT SNDTIMEO RCVTIMEO TIMESTAMP TYPE
    ERROR""".split()


def options(*arguments, **more):
    said = objects(answer("opts", *arguments, "--json", "-q", **more))
    return {o["name"]: o for o in said if o["ev"] == "option"}


def test_table_is_the_lectures():
    """O1-O17, in the order of the slide."""
    names = [o["c_name"] for o in options().values() if o["lecture"]]
    assert names == ["SO_" + name for name in LECTURE]


@pytest.mark.parametrize("kind", ["tcp4::0", "tcp6::0", "udp4::0", "udp6::0",
                                  "unix:x", "unix-dgram:x"])
def test_all_of_the_lecture_are_shown(kind):
    shown = options(kind)
    for name in LECTURE:
        assert shown[name.lower()]["value"] is not None


def test_all_kinds():
    """What each kind has by itself is what the table has of it."""
    rows = options("--all-kinds")
    for kind, address in [("tcp4", "tcp4::0"), ("udp6", "udp6::0"),
                          ("unix-dgram", "unix-dgram:x")]:
        alone = options(address)
        for name in ("sndbuf", "reuseaddr", "type", "domain", "linger"):
            assert rows[name][kind] == alone[name]["value"]
    assert rows["nodelay"]["tcp4"] == "0"
    assert rows["nodelay"]["udp4"] is None and rows["nodelay"]["unix"] is None
    assert rows["v6only"]["tcp6"] is not None
    line, = [line for line in answer("opts", "-a").splitlines()
             if line.startswith("type ")]
    assert line.split()[1:] == ["1", "1", "2", "2", "1", "2", "5"]
    assert run("opts", "-a", "tcp::0").returncode == USAGE
    assert run("opts", "-a", "-s", "nodelay").returncode == USAGE


def test_set_and_read_back():
    """O9: the kernel doubles buffers; O6; O14."""
    got = options("tcp::0", "--set=sndbuf=65536", "--set=linger=1",
                  "--set=rcvtimeo=1.5s", "-s", "keepalive",
                  "-s", "congestion=reno", "-s", "keepidle=7")
    assert got["sndbuf"]["value"] == "131072"
    assert got["linger"]["value"] == "1 s"
    assert got["rcvtimeo"]["value"].startswith("1.5")
    assert got["keepalive"]["value"] == "1"
    assert got["congestion"]["value"] == '"reno"'
    assert got["keepidle"]["value"] == "7"


@pytest.mark.parametrize("name", ["sndlowat=5", "type=1", "error=0"])
def test_get_only(name):
    """O11, O16, O17."""
    done = run("opts", "tcp::0", "--set=" + name)
    assert done.returncode == UNAVAILABLE
    assert b"ENOPROTOOPT" in done.stderr and b"read only" in done.stderr


def test_inherited_descriptor():
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        got = options(f"fd:{s.fileno()}", pass_fds=[s.fileno()])
        assert got["reuseaddr"]["value"] == "1"
        assert got["domain"]["value"] == str(int(socket.AF_INET))


def test_another_process():
    """pidfd_getfd: the same socket, so a change there is one here."""
    with socket.socket() as s:
        address = f"pid:{os.getpid()}/{s.fileno()}"
        done = run("opts", address, "--set=keepalive")
        if done.returncode == UNAVAILABLE:
            pytest.skip("this user may not trace")
        assert s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1


def test_peer_credentials():
    """O18: who is on the other side."""
    a, b = socket.socketpair()
    with a, b:
        got = options(f"fd:{b.fileno()}", pass_fds=[b.fileno()])
        pid, uid, gid = struct.unpack("3i", b.getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        assert got["peercred"]["value"] == f"pid {pid} uid {uid} gid {gid}"


@pytest.mark.parametrize("address, status", [
    ("fd:0", LOCAL), ("fd:77", LOCAL), ("pid:2147483647/3", NAME)])
def test_no_socket(address, status):
    done = run("opts", address)
    assert done.returncode == status
    assert done.stderr.count(b"\n") == 1
