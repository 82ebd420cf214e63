# SPDX-License-Identifier: ISC
"""sock scan: open, closed, silent and unreachable ports, TCP and UDP."""

import contextlib
import resource
import socket
import threading

import pytest

from network import in_network, objects_in_network
from workbench import (DONE, NAME, PARTIAL, PATIENCE_S, PEER, TIMEOUT, USAGE,
                       Serve, objects, run)

OURS = [b"\0\0\0\1", b"\x6b\x33\x43\xcf"]


def states(told):
    return {o["port"]: o["state"] for o in told if o["ev"] == "port"}


def scan(*words):
    done = run("scan", "--json", "--all", *words)
    return states(objects(done.stdout)), done.returncode


@contextlib.contextmanager
def closed_port(kind, family=socket.AF_INET):
    """A port that is bound, so nobody else's, and yet refuses."""
    with socket.socket(family, kind) as s:
        s.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        if kind == socket.SOCK_DGRAM:
            s.connect(s.getsockname()[:1] + (1,))
        yield s.getsockname()[1]


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as s:
        yield s.getsockname()[1]


def test_tcp(listener):
    """R6: SYN-ACK or RST."""
    with closed_port(socket.SOCK_STREAM) as closed:
        found, code = scan(f"127.0.0.1:{listener},{closed}")
    assert found == {listener: "open", closed: "closed"}
    assert code == PARTIAL


def test_all_open_or_none(listener):
    assert run("scan", f"tcp:127.0.0.1:{listener}").returncode == DONE
    with closed_port(socket.SOCK_STREAM) as closed:
        done = run("scan", f"127.0.0.1:{closed}")
    assert done.returncode == PEER
    assert done.stdout == b""


def test_tcp_over_ipv6():
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as s:
        port = s.getsockname()[1]
        assert scan(f"[::1]:{port}") == ({port: "open"}, DONE)


def test_service_by_name():
    done = run("scan", "--json", "--all", "127.0.0.1:discard")
    assert states(objects(done.stdout)).keys() == {9}
    assert objects(done.stdout)[0]["service"] == "discard"


def test_many_with_few_descriptors(listener):
    """Fewer descriptors than are asked for at a time: fewer at a time."""
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
    done = run("scan", "--json", "--parallel=100",
               f"127.0.0.1:{listener},1-200", preexec_fn=limit)
    assert states(objects(done.stdout))[listener] == "open"


def test_whole_range_finds_all(listener):
    done = run("scan", "--json", "127.0.0.1:1-65535")
    assert states(objects(done.stdout))[listener] == "open"
    total = objects(done.stderr)[-1]
    assert sum(total[s] for s in (
        "open", "closed", "silent", "unreachable")) == 65535


def test_silent_and_unreachable():
    told = objects_in_network("trace", """
        $SOCK scan --json --all 10.0.9.1:80 -t 20; echo "{\\"code\\": $?}"
        nsenter --net=$NET_R2 ip route replace blackhole 10.0.1.0/24
        $SOCK scan --json --all 10.0.3.2:80 -t 0.2; echo "{\\"code\\": $?}"
        """)
    unreachable, peer, silent, timeout = told
    assert unreachable["state"] == "unreachable"
    assert unreachable["why"] == "10.0.1.2: network unreachable (ICMP 3/0)"
    assert peer["code"] == PEER
    assert silent["state"] == "silent" and timeout["code"] == TIMEOUT


def test_udp():
    """R7: answers, errors, and silence."""
    with Serve("udp:127.0.0.1:0", "--echo") as echo, \
            Serve("udp:127.0.0.1:0", "--discard") as mute, \
            closed_port(socket.SOCK_DGRAM) as closed:
        ports = echo.port(), mute.port()
        found, code = scan(f"udp:127.0.0.1:{ports[0]},{ports[1]},{closed}",
                           "-t10", "--tries=1")
    assert found == {ports[0]: "open", ports[1]: "silent", closed: "closed"}
    assert code == PARTIAL


def test_udp_over_ipv6():
    with closed_port(socket.SOCK_DGRAM, socket.AF_INET6) as closed:
        assert scan(f"udp:[::1]:{closed}") == ({closed: "closed"}, PEER)


def test_udp_keeps_to_the_limit_of_icmp_and_says_so():
    ports = 11
    *told, pace = in_network("trace", f"""
        $SOCK scan --json --all --tries=5 \\
            udp:10.0.3.2:20001-{20000 + ports} 2>$PWD/said
        grep -h '"pace"' $PWD/said
        """).splitlines()
    found = states(objects("\n".join(told)))
    assert found == {20001 + i: "closed" for i in range(ports)}
    assert objects(pace)[0]["interval"] > 1


def answer_quic(server):
    probe, client = server.recvfrom(2048)
    assert len(probe) == 1200 and probe[0] & 0x80
    server.sendto(b"\x80\0\0\0\0" + probe[14:23] + probe[5:14] +
                  b"".join(OURS), client)


def test_quic():
    """D6: versions, over plain UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.settimeout(PATIENCE_S)
        server.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=answer_quic, args=[server])
        thread.start()
        done = run("scan", "--json", "--quic", "-t10",
                   f"udp:127.0.0.1:{server.getsockname()[1]}")
        thread.join()
    assert objects(done.stdout)[0]["why"] == \
        "QUIC versions 0x00000001 0x6b3343cf"
    assert done.returncode == DONE


def test_who_only_echoes_speaks_no_quic():
    with Serve("udp:127.0.0.1:0", "--echo") as echo:
        done = run("scan", "--json", "--quic", "-t10", echo.address())
    assert "not as QUIC" in objects(done.stdout)[0]["why"]


@pytest.mark.parametrize("address, code", [
    ("127.0.0.1", USAGE), ("127.0.0.1:0", USAGE), ("127.0.0.1:5-4", USAGE),
    ("127.0.0.1:1,", USAGE), ("127.0.0.1:65536", USAGE),
    ("unix:/tmp/x:1", USAGE), ("127.0.0.1:nonesuch", NAME),
    ("no.such.host.invalid:1", NAME), ("x" * 400 + ":1", USAGE),
])
def test_refused(address, code):
    done = run("scan", address)
    assert done.returncode == code and done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("option", [
    "--quic", "--parallel=1025", "--tries=11", "--rate=100001", "-t0",
])
def test_options_refused(option):
    assert run("scan", option, "127.0.0.1:1").returncode == USAGE
