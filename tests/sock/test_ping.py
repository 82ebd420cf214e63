# SPDX-License-Identifier: ISC
"""sock ping: replies, errors, silence, and who may."""

import signal
import subprocess

import pytest

from network import in_network, objects_in_network
from workbench import (DONE, NAME, NOBODY, PATIENCE_S, PEER, SOCK, TIMEOUT,
                       UNAVAILABLE, USAGE, for_nobody, objects, run)


@pytest.fixture
def permitted():
    if run("ping", "127.0.0.1", "--count=1").returncode == UNAVAILABLE:
        pytest.skip("this user may not ping")


permission = pytest.mark.usefixtures("permitted")


@permission
@pytest.mark.parametrize("host, ttl", [("127.0.0.1", 64), ("::1", 64)])
def test_replies(host, ttl):
    """R2: by name and by address."""
    done = run("ping", "--json", host, "--count=3", "--rate=50")
    *replies, total = objects(done.stdout)
    assert done.returncode == DONE
    assert [o["seq"] for o in replies] == [1, 2, 3]
    assert all(o["ev"] == "reply" and o["host"] == host and o["ttl"] == ttl
               and o["seconds"] > 0 for o in replies)
    times = [o["seconds"] for o in replies]
    assert total["sent"] == total["answered"] == 3
    assert total["min"] == min(times) and total["max"] == max(times)
    assert total["avg"] == pytest.approx(sum(times) / 3, abs=1e-8)


@permission
def test_several_hosts():
    done = run("ping", "--json", "127.0.0.1", "127.0.0.2", "icmp:127.0.0.3",
               "--count=2", "--rate=50")
    totals = [o for o in objects(done.stdout) if o["ev"] == "ping"]
    assert [o["host"] for o in totals] == [
        "127.0.0.1", "127.0.0.2", "127.0.0.3"]
    assert all(o["answered"] == 2 for o in totals)


@permission
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_size(host):
    """Bytes of ICMP, header and payload; those of IP are none of them."""
    done = run("ping", "--json", host, "--count=1", "--size=1000")
    assert objects(done.stdout)[0]["bytes"] == 1008


@permission
def test_for_a_while():
    done = run("ping", "127.0.0.1", "--for=0.3", "--rate=100")
    assert done.returncode == DONE


@permission
def test_until_a_signal():
    with subprocess.Popen([SOCK, "ping", "127.0.0.1", "--rate=100"],
                          stdout=subprocess.PIPE, text=True) as process:
        assert "seq 1" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode in (DONE, 1)
    assert " answered; min " in rest.splitlines()[-1]


def test_ttl_that_ends_on_the_way():
    first, total, code = in_network("trace", """
        $SOCK ping --json -o ttl=1 --count=1 10.0.3.2; echo $?
        """).splitlines()
    (failed,) = objects(first)
    assert failed["why"] == "10.0.1.2: time to live exceeded (ICMP 11/0)"
    assert objects(total)[0]["errors"] == 1
    assert int(code) == PEER


def test_silence():
    *said, code = in_network("trace", """
        nsenter --net=$NET_B ip route replace blackhole 10.0.1.0/24
        $SOCK ping --json --count=2 --rate=20 -t 0.3 10.0.3.2; echo $?
        """).splitlines()
    told = objects("\n".join(said))
    assert [o["errno"] for o in told if o["ev"] == "failed"] == [
        "ETIMEDOUT", "ETIMEDOUT"]
    assert int(code) == TIMEOUT


def test_by_a_ping_socket_or_a_raw_one():
    told = objects_in_network("trace", """
        echo '1 0' >/proc/sys/net/ipv4/ping_group_range
        $SOCK ping --json --count=1 10.0.3.2
        $SOCK ping --json --count=1 127.0.0.1
        echo '0 0' >/proc/sys/net/ipv4/ping_group_range
        $SOCK ping --json --count=1 10.0.3.2
        """)
    assert [o["by"] for o in told if o["ev"] == "ping"] == [
        "raw", "raw", "dgram"]
    assert all(o["answered"] == 1 for o in told if o["ev"] == "ping")


def test_not_permitted_names_both_knobs():
    try:
        done = run("ping", "127.0.0.1", "--count=1", program=for_nobody(),
                   user=NOBODY, group=NOBODY, extra_groups=[])
    except PermissionError:
        pytest.skip("only root can become another user")
    if done.returncode == DONE:
        pytest.skip("everybody may ping here")
    assert done.returncode == UNAVAILABLE
    assert b"ping_group_range=" in done.stderr
    assert b"CAP_NET_RAW" in done.stderr and done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("words, code", [
    (["no.such.host.invalid"], NAME), (["a b"], USAGE),
    (["127.0.0.1", "--rate=0"], USAGE), (["127.0.0.1", "--rate=1001"], USAGE),
    (["127.0.0.1", "--size=65000"], USAGE), (["x" * 400], USAGE), ([], USAGE),
])
def test_refused(words, code):
    done = run("ping", "--count=1", *words)
    assert done.returncode == code and done.stderr.count(b"\n") == 1
