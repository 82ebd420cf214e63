# SPDX-License-Identifier: ISC
"""sock serve --engine=NAME: each way to wait, and the same transcript."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import pytest

from workbench import (CHARGE, DONE, PATIENCE_S, SOCK, UNAVAILABLE, Serve,
                       answer, run)


def listed():
    """{engine: the lines of --engine=help about it}."""
    if not SOCK.exists():
        return {}       # which a fixture says
    text = subprocess.run([SOCK, "serve", "--engine=help"], text=True,
                          capture_output=True).stdout
    return dict(re.findall(r"^(\S+) +(.*(?:\n\s+.*)*)", text, re.M))


ENGINES = listed()
PROCESSES = ["fork", "select-fork"]


def need(engine):
    if "not available" in ENGINES[engine]:
        pytest.skip(f"{engine} {ENGINES[engine]}")


def connect(address):
    host, _, port = address.removeprefix("tcp:").rpartition(":")
    return socket.create_connection((host, int(port)), PATIENCE_S)


def children(pid):
    return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def await_children(pid, n):
    deadline = time.monotonic() + PATIENCE_S
    while len(found := children(pid)) != n:
        assert time.monotonic() < deadline, found
        time.sleep(0.005)


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_blocking_waits_for_the_first_address():
    """M1: who comes on B alone is not heard before somebody comes on A."""
    with Serve("tcp:127.0.0.1:0", "tcp:127.0.0.1:0", "--engine=blocking",
               "--count=2") as s:
        a, b = s.addresses(2)
        with connect(b) as second:
            second.sendall(b"sent to B before\n")
            second.shutdown(socket.SHUT_WR)
            answer("send", a, "sent to A after it\n")
            assert s.output() == "sent to A after it\nsent to B before\n"


def test_select_does_not():
    """M1, M6: the cure."""
    with Serve("tcp:127.0.0.1:0", "tcp:127.0.0.1:0", "--engine=select",
               "--count=2") as s:
        a, b = s.addresses(2)
        answer("send", b, "for B\n")
        assert s.process.stdout.readline() == b"for B\n"
        answer("send", a, "for A\n")
        assert s.output() == "for A\n"


@pytest.mark.parametrize("engine", PROCESSES)
def test_process_for_each_client(engine):
    """M2, M18: N children, then none, no zombie, no descriptor left."""
    with Serve("tcp:127.0.0.1:0", "--echo", f"--engine={engine}") as s:
        address, pid = s.address(), s.process.pid
        before = descriptors(pid)
        clients = [connect(address) for _ in range(5)]
        for n, client in enumerate(clients):
            client.sendall(b"%d" % n)
            assert client.recv(1) == b"%d" % n
        assert len(children(pid)) == 5
        for client in clients:
            client.close()
        for _ in range(45):
            assert answer(address, input=CHARGE) == CHARGE
        await_children(pid, 0)
        assert descriptors(pid) == before
        assert s.stop() == DONE
        assert s.said[-1]["clients"] == 50


@pytest.mark.parametrize("engine", [e for e in ENGINES if e != "blocking"])
def test_strchkread(engine):
    """M3, M4, M6, M7, M14, M15, M17, M18, M19: idle lines, then the poem.

    The same transcript, whatever waits.
    """
    need(engine)
    with subprocess.Popen(
            [SOCK, "serve", "--lecture", "tcp::0", "--idle=50ms",
             f"--engine={engine}"], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True) as p:
        port = p.stdout.readline().split("#")[1].strip()
        for _ in range(2):
            assert p.stdout.readline() == "Do something else\n"
        answer("send", f"tcp:localhost:{port}", CHARGE)
        seen = []
        while not seen or seen[-1] != "Ending connection\n":
            seen.append(p.stdout.readline())
        assert [line for line in seen if line != "Do something else\n"] == [
            f"--> {CHARGE}\n", "Ending connection\n"]
        p.send_signal(signal.SIGINT)
        _, said = p.communicate(timeout=PATIENCE_S)
        assert (p.returncode, said) == (DONE, "")


@pytest.mark.parametrize("engine", [e for e in ENGINES if e != "blocking"])
def test_no_client_is_starved(engine):
    """M15: what came in one piece is read to its end, and others go on.

    An edge is told once: who reads less than all of it waits for ever.
    """
    need(engine)
    data = os.urandom(150000)
    with Serve("tcp:127.0.0.1:0", "--echo", f"--engine={engine}") as s:
        address = s.address()
        with connect(address) as silent, connect(address) as small:
            for _ in range(3):
                assert run(address, input=data).stdout == data
                small.sendall(b"x")
                assert small.recv(1) == b"x"
            silent.sendall(b"y")
            assert silent.recv(1) == b"y"


def test_kqueue():
    """M16: it is the BSDs' own; elsewhere that is said, and exit 6."""
    if "not available" not in ENGINES["kqueue"]:
        pytest.skip("this system has it: it is tested as the others are")
    done = run("serve", "tcp::0", "--engine=kqueue")
    assert done.returncode == UNAVAILABLE
    assert done.stderr.count(b"\n") == 1
    assert b"kqueue: not available here: it is the BSDs' own" in done.stderr
    assert "BSD" in ENGINES["kqueue"]


@pytest.mark.parametrize("engine", ["libevent", "libev"])
def test_libraries_say_what_they_chose(engine):
    """M17: their choice is printed."""
    need(engine)
    assert re.search(r"which chooses (epoll|poll|select|kqueue|iouring)",
                     ENGINES[engine])


def test_list_tells_what_each_costs():
    """M20: the difference that the pages on poll and c10k are about."""
    about = {name: " ".join(text.split()) for name, text in ENGINES.items()}
    assert "FD_SETSIZE" in about["select"]
    assert "number of connections" in about["poll"]
    assert "(default)" in about["epoll"]
