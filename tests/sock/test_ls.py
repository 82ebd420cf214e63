# SPDX-License-Identifier: ISC
"""sock ls: the same sockets as ss, and more about them."""

import os
import re
import socket
import subprocess
import time

import pytest

from workbench import (PARTIAL, PATIENCE_S, SOCK, UNAVAILABLE, USAGE, answer,
                       objects, run)


def ls(*arguments):
    """Objects of sock ls; nothing matching is an empty list."""
    done = run("ls", "--json", *arguments)
    assert done.returncode in (0, PARTIAL), done.stderr
    return objects(done.stdout)


@pytest.fixture
def fixtures(tmp_path):
    """Sockets of each kind: {name: socket}."""
    made = {"listen": socket.create_server(("127.0.0.1", 0), backlog=7)}
    port = made["listen"].getsockname()[1]
    made["client"] = socket.create_connection(("127.0.0.1", port))
    made["accepted"], _ = made["listen"].accept()
    made["six"] = socket.create_server(("::1", 0), family=socket.AF_INET6)
    made["udp"] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made["udp"].bind(("127.0.0.1", 0))
    made["connected udp"] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made["connected udp"].connect(made["udp"].getsockname())
    made["unix"] = socket.socket(socket.AF_UNIX)
    made["unix"].bind(str(tmp_path / "s"))
    made["unix"].listen(3)
    made["abstract"] = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made["abstract"].bind(f"\0sock-test-{os.getpid()}")
    made["unix client"] = socket.socket(socket.AF_UNIX)
    made["unix client"].connect(str(tmp_path / "s"))
    yield made
    for s in made.values():
        s.close()


def inode_of(s):
    return os.fstat(s.fileno()).st_ino


def by_inode(listed):
    return {o["inode"]: o for o in listed if o["inode"]}


def test_each_is_there(fixtures):
    """R8, T7, U3, L9: with its process."""
    listed = by_inode(ls())
    for name, s in fixtures.items():
        found = listed[inode_of(s)]
        assert any(f"[{os.getpid()}]/{s.fileno()}" in o
                   for o in found["owners"]), name
        assert found["uid"] == os.geteuid()


def test_mptcp():
    """D4: its subflow is a socket of TCP, on the same port."""
    try:
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM,
                          socket.IPPROTO_MPTCP)
    except OSError:
        pytest.skip("this kernel has no MPTCP")
    with s:
        s.bind(("127.0.0.1", 0))
        s.listen(3)
        port = s.getsockname()[1]
        done = run("ls", "--json", "mptcp")
        if done.returncode == UNAVAILABLE:
            pytest.skip("this kernel lists no MPTCP sockets")
        found = by_inode(objects(done.stdout))[inode_of(s)]
        assert found["local"] == f"mptcp:127.0.0.1:{port}"
        assert found["state"] == "LISTEN"
        assert len(ls(f"mptcp:*:{port}")) == 1
        assert ls("-6", f"mptcp:*:{port}") == []


def raw_sockets():
    """{what ls calls it: socket}."""
    made = {}
    for text, family, kind, protocol in [
            ("raw:0.0.0.0:1", socket.AF_INET, socket.SOCK_RAW,
             socket.IPPROTO_ICMP),
            ("raw:[::]:58", socket.AF_INET6, socket.SOCK_RAW,
             socket.IPPROTO_ICMPV6)]:
        try:
            made[text] = socket.socket(family, kind, protocol)
        except PermissionError:
            pytest.skip("raw sockets are not for us")
    return made


def test_raw():
    """R1: by the protocol, with or without INET_RAW_DIAG."""
    made = raw_sockets()
    listed = by_inode(ls())
    for text, s in made.items():
        found = listed[inode_of(s)]
        assert (found["kind"], found["local"]) == ("raw", text)
        assert found["peer"] is None and found["state"] is None
        assert any(f"[{os.getpid()}]/" in o for o in found["owners"])
        assert inode_of(s) in by_inode(ls(text))
    six = by_inode(ls("raw6"))
    assert inode_of(made["raw:[::]:58"]) in six
    assert inode_of(made["raw:0.0.0.0:1"]) not in six
    made["raw:0.0.0.0:1"].connect(("127.0.0.1", 0))
    found = by_inode(ls("raw"))[inode_of(made["raw:0.0.0.0:1"])]
    assert found["peer"] == "raw:127.0.0.1:0"
    for s in made.values():
        s.close()


def test_ping_sockets():
    """R2: the kernel lists them in /proc alone; the identifier is the port."""
    try:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM,
                          socket.IPPROTO_ICMP)
    except PermissionError:
        pytest.skip("ping sockets are not for our group")
    with s:
        s.bind(("127.0.0.1", 0))
        found = by_inode(ls("icmp"))[inode_of(s)]
        assert found["local"] == f"icmp:127.0.0.1:{s.getsockname()[1]}"


def test_states(fixtures):
    """R9: UDP has none."""
    listed = by_inode(ls())
    states = {name: listed[inode_of(s)]["state"]
              for name, s in fixtures.items()}
    assert states["listen"] == states["six"] == states["unix"] == "LISTEN"
    assert states["client"] == states["accepted"] == "ESTABLISHED"
    assert states["unix client"] == "ESTABLISHED"
    assert states["udp"] is None            # R9: udp is stateless
    assert listed[inode_of(fixtures["listen"])]["send_queue"] == 7


def ss_sockets(ss, *arguments):
    """{(local, peer, state, receive queue, send queue)} of ss -Han."""
    text = subprocess.run([ss, "-Han", *arguments], capture_output=True,
                          text=True, check=True).stdout
    return {tuple(line.split()[:5]) for line in text.splitlines()}


def as_ss(o):
    """One of ours in the words of ss."""
    state = {"ESTABLISHED": "ESTAB", None: "UNCONN"}.get(o["state"],
                                                        o["state"])
    def plain(address):
        return address.partition(":")[2] if address else None
    peer = plain(o["peer"]) or \
        ("[::]:*" if "[" in o["local"] else "0.0.0.0:*")
    return (state.replace("_", "-"), str(o["receive_queue"]),
            str(o["send_queue"]), plain(o["local"]), peer)


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_set_equals_ss(tool, fixtures, kind):
    """R8: the fixtures, word for word; others come and go meanwhile."""
    ours = [o for o in ls(kind) if o["inode"] in
            {inode_of(s) for s in fixtures.values()}]
    theirs = ss_sockets(tool("ss"), f"--{kind}")
    assert len(ours) == {"tcp": 4, "udp": 2}[kind]
    for o in ours:
        assert as_ss(o) in theirs


def test_unix_set_equals_ss(tool, fixtures):
    """R8: in the UNIX domain, too."""
    text = subprocess.run([tool("ss"), "-Hanx"], capture_output=True,
                          text=True, check=True).stdout
    theirs = set(map(int, re.findall(r"(?<= )\d+(?= +\S+ \d)", text)))
    ours = {o["inode"] for o in ls("unix")}
    mine = {inode_of(s) for name, s in fixtures.items()
            if "unix" in name or name == "abstract"}
    assert mine <= theirs
    assert mine <= ours


def test_patterns(fixtures, tmp_path):
    port = fixtures["listen"].getsockname()[1]
    assert len(ls(f"tcp:*:{port}")) >= 3        # listener, client, accepted
    assert len(ls(f"tcp::{port}", "-l")) == 1
    found, = ls(f"tcp:[::1]:{fixtures['six'].getsockname()[1]}")
    assert found["inode"] == inode_of(fixtures["six"])
    assert inode_of(fixtures["unix"]) in \
        {o["inode"] for o in ls(f"unix:{tmp_path}/*", "-l")}
    found, = ls(f"unix-dgram:@sock-test-{os.getpid()}")
    assert found["inode"] == inode_of(fixtures["abstract"])
    assert ls("tcp:*:1.5") == []


def test_patterns_of_a_process(fixtures):
    mine = {inode_of(s) for s in fixtures.values()}
    assert mine <= set(by_inode(ls(f"pid:{os.getpid()}")))
    assert mine <= set(by_inode(ls(f"pid:{os.getpid()}/*")))
    listen = fixtures["listen"]
    found, = ls(f"pid:{os.getpid()}/{listen.fileno()}")
    assert found["inode"] == inode_of(listen)
    assert ls(f"pid:{os.getpid()}/99999") == []
    assert run("ls", "-n", "pid:1").returncode == USAGE


def test_families(fixtures):
    four = {o["inode"] for o in ls("-4")}
    six = {o["inode"] for o in ls("-6")}
    assert inode_of(fixtures["listen"]) in four - six
    assert inode_of(fixtures["six"]) in six - four


def test_waiting_client_has_no_process(fixtures):
    """R11: what is not accepted has no inode; the listener counts it."""
    port = fixtures["listen"].getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)) as waiting:
        listed = ls(f"tcp:*:{port}")
        me = waiting.getsockname()[1]
        theirs, = [o for o in listed if (o["peer"] or "").endswith(f":{me}")]
        assert theirs["inode"] == 0 and theirs["owners"] == []
        listener, = [o for o in listed if o["state"] == "LISTEN"]
        assert listener["receive_queue"] == 1


def test_info(fixtures):
    """R11: TCP_INFO."""
    fixtures["client"].sendall(b"x" * 1000)
    found = by_inode(ls("-i", "tcp"))[inode_of(fixtures["client"])]
    assert found["mss"] > 0 and found["cwnd"] > 0
    assert found["rtt_ms"] >= 0
    assert "congestion" in found


def test_time_wait_has_its_time(fixtures):
    """Who closes first waits; the kernel says how long still."""
    fixtures["client"].close()
    fixtures["accepted"].close()
    port = fixtures["listen"].getsockname()[1]
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        waits = [o for o in ls(f"tcp:*:{port}") if o["state"] == "TIME_WAIT"]
        if waits:
            break
    assert 0 < waits[0]["timer_ms"] <= 60000


def test_watch(fixtures):
    """T8: states as they change."""
    port = fixtures["listen"].getsockname()[1]
    with subprocess.Popen([SOCK, "ls", "--watch", "--json", f"tcp:*:{port}"],
                          stdout=subprocess.PIPE) as p:
        seen = []

        def wait_for(event, state):
            for line in p.stdout:
                seen.append(objects(line)[0])
                if (seen[-1]["ev"], seen[-1]["state"]) == (event, state):
                    return
            raise AssertionError(seen)

        wait_for("socket", "ESTABLISHED")       # it has looked once
        fixtures["client"].shutdown(socket.SHUT_WR)
        wait_for("state", "FIN_WAIT2")
        fixtures["accepted"].close()
        wait_for("state", "TIME_WAIT")
        p.terminate()
        assert p.wait(PATIENCE_S) == 0


def test_lines_for_people(fixtures):
    port = fixtures["listen"].getsockname()[1]
    line, = answer("ls", "-l", f"tcp:127.0.0.1:{port}").splitlines()
    assert line.startswith("LISTEN ")
    assert f"[{os.getpid()}]/{fixtures['listen'].fileno()}" in line


def test_check():
    """D1, D4, R1, P7: a verdict for each row."""
    said = {o["name"]: o for o in objects(answer("check", "--json"))}
    assert said["TCP over IPv4"]["ok"]
    assert said["PF_ARP"]["errno"] == "EAFNOSUPPORT"
    for name, kind in [("raw ICMP", socket.SOCK_RAW),
                       ("ping (ICMP datagram)", socket.SOCK_DGRAM)]:
        try:
            socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP).close()
            opens = True
        except PermissionError:
            opens = False
        assert said[name]["ok"] == opens
    r, w = os.pipe()
    assert said["PIPE_BUF"]["value"] == str(os.fpathconf(r, "PC_PIPE_BUF"))
    os.close(r)
    os.close(w)
