# SPDX-License-Identifier: ISC
"""sock trace: hops in their order, silence, and without any privilege."""

import pytest

from network import in_network, objects_in_network
from workbench import (DONE, NAME, NOBODY, PEER, TIMEOUT, USAGE, for_nobody,
                       objects, run)

WAY = ["10.0.1.2", "10.0.2.2", "10.0.3.2"]


def hops(told):
    return [o["from"] for o in told if o["ev"] == "hop"]


def test_hops_are_in_order():
    """R3: longer and longer, the host is the last."""
    told = objects_in_network("trace", "$SOCK trace --json 10.0.3.2\n")
    assert hops(told) == WAY
    assert [o["ttl"] for o in told] == [1, 2, 3]
    assert [(o["type"], o["code"]) for o in told] == [
        (11, 0), (11, 0), (3, 3)]
    assert [o["arrived"] for o in told] == [False, False, True]
    assert all(o["seconds"] > 0 for o in told)


def test_each_hop_is_asked_so_often():
    told = objects_in_network("trace",
                              "$SOCK trace --json --count=2 10.0.3.2\n")
    assert hops(told) == [way for way in WAY for _ in range(2)]


def test_silent_hop_is_asked_again_and_passed():
    *told, code = in_network("trace", """
        nsenter --net=$NET_R2 ip route replace blackhole 10.0.1.0/24
        $SOCK trace --json -t 1 --tries=2 --hops=2 10.0.3.2; echo $?
        """).splitlines()
    assert hops(objects("\n".join(told))) == ["10.0.1.2", None]
    assert int(code) == TIMEOUT


def test_somebody_on_the_way_refuses():
    *told, code = in_network("trace", """
        nsenter --net=$NET_R1 ip route del 10.0.3.0/24
        $SOCK trace --json 10.0.3.2; echo $?
        """).splitlines()
    told = objects("\n".join(told))
    assert hops(told) == ["10.0.1.2"] * len(told)
    assert (told[-1]["type"], told[-1]["code"]) == (3, 0)
    assert int(code) == PEER


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_machine_itself(host):
    (hop,) = objects(run("trace", "--json", "-q", host).stdout)
    assert hop["from"] == host and hop["arrived"]


def test_needs_no_privilege():
    try:
        done = run("trace", "127.0.0.1", program=for_nobody(), user=NOBODY,
                   group=NOBODY, extra_groups=[])
    except PermissionError:
        pytest.skip("only root can become another user")
    assert done.returncode == DONE, done.stderr


@pytest.mark.parametrize("words, code", [
    (["no.such.host.invalid"], NAME), (["127.0.0.1", "--hops=0"], USAGE),
    (["127.0.0.1", "--hops=256"], USAGE), (["127.0.0.1", "-t0"], USAGE),
    (["127.0.0.1", "--tries=0"], USAGE), (["x" * 400], USAGE),
])
def test_refused(words, code):
    done = run("trace", *words)
    assert done.returncode == code and done.stderr.count(b"\n") == 1
