# SPDX-License-Identifier: ISC
"""What the relay and the list cost, beside those that do the same.

Processor time, not the clock: it is the same on a busy machine.
"""

import os
import resource
import socket
import subprocess
import threading

import pytest

from workbench import SOCK

BYTES = 256 << 20
ROUNDS = 12


pytestmark = pytest.mark.skipif(
    SOCK.exists() and b"__asan_init" in SOCK.read_bytes(),
    reason="the sanitizers' time is not ours")


@pytest.fixture(scope="module")
def zeros(tmp_path_factory):
    path = tmp_path_factory.mktemp("cost") / "zeros"
    with open(path, "wb") as f:
        for _ in range(BYTES >> 20):
            f.write(bytes(1 << 20))
    yield path
    path.unlink()


def cpu_of(command, stdin=None):
    with subprocess.Popen(command, stdin=stdin,
                          stdout=subprocess.DEVNULL) as p:
        _, status, used = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
    assert p.returncode == 0
    return used.ru_utime + used.ru_stime


def drain(listening):
    connection, _ = listening.accept()
    room = bytearray(1 << 20)
    with connection:
        while connection.recv_into(room):
            pass


def carried(command, listening, path):
    thread = threading.Thread(target=drain, args=(listening,))
    thread.start()
    with open(path, "rb") as f:
        cost = cpu_of(command, f)
    thread.join()
    return cost


def leasts(ours, theirs):
    """The least of both, since nothing makes it less than it is.

    In turns, so that what else the machine does meets both; of three at the
    least, and of more each time.
    """
    our_least = their_least = float("inf")
    for i in range(ROUNDS):
        our_least = min(our_least, ours())
        their_least = min(their_least, theirs())
        if i >= 2:
            yield our_least, their_least


@pytest.mark.parametrize("kind", ["tcp", "unix"])
@pytest.mark.parametrize("name, ratio", [("socat", 1.5), ("nc", 1.0)])
def test_relay(tool, tmp_path, zeros, kind, name, ratio):
    """Theirs costs at least so many times ours."""
    program = tool(name)
    if kind == "tcp":
        listening = socket.create_server(("127.0.0.1", 0))
        host, port = "127.0.0.1", str(listening.getsockname()[1])
        ours = [SOCK, f"tcp:{host}:{port}"]
        theirs = {"nc": [program, "-N", host, port],
                  "socat": [program, "-", f"TCP:{host}:{port}"]}[name]
    else:
        path = f"{tmp_path}/s"
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(path)
        listening.listen()
        ours = [SOCK, f"unix:{path}"]
        theirs = {"nc": [program, "-N", "-U", path],
                  "socat": [program, "-", f"UNIX:{path}"]}[name]
    with listening:
        assert any(other >= ratio * cost for cost, other in leasts(
            lambda: carried(ours, listening, zeros),
            lambda: carried(theirs, listening, zeros)))


def test_list_of_many(tool):
    """Like for like: without processes, and with them."""
    ss = tool("ss")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    n = min(5000, (hard - 100) // 2)
    made = []
    try:
        with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
            for _ in range(n):
                made.append(socket.create_connection(listening.getsockname()))
                made.append(listening.accept()[0])
            for ours, theirs in [(["ls", "-n"], ["-Han"]),
                                 (["ls"], ["-Hanp"])]:
                assert any(cost <= 1.5 * other for cost, other in leasts(
                    lambda: cpu_of([SOCK, *ours]),
                    lambda: cpu_of([ss, *theirs])))
    finally:
        for s in made:
            s.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
