# SPDX-License-Identifier: ISC
"""sock bench: it counts what happens, in the closed and in the open loop."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

import pytest

from workbench import (DONE, PARTIAL, PATIENCE_S, PEER, SOCK, TIMEOUT, USAGE,
                       Serve, objects, run)


def bench(*words, code=DONE):
    done = run("bench", "--json", *words)
    assert done.returncode == code, done.stderr
    (told,) = objects(done.stdout)
    return told


@pytest.mark.parametrize("address", ["tcp:127.0.0.1:0", "tcp:[::1]:0",
                                     "udp:127.0.0.1:0", "unix"])
def test_trips(address, tmp_path):
    if address == "unix":
        address = f"unix:{tmp_path}/s"
    with Serve(address, "--echo") as echo:
        told = bench(echo.address(), "--count=200", "-n4", "-s100", "-t60",
                     "--for=60")
    assert told["done"] == 200 and told["failed"] == told["lost"] == 0
    assert told["bytes"] >= 200 * 100 * 2
    times = [told[k] for k in (
        "min", "p50", "p90", "p99", "p99.9", "max")]
    assert times == sorted(times) and times[0] > 0
    assert told["min"] <= told["mean"] <= told["max"]
    assert told["per_second"] == pytest.approx(200 / told["seconds"])


def test_large_messages_that_do_not_fit_the_buffers():
    with Serve("tcp:127.0.0.1:0", "--echo") as echo:
        told = bench(echo.address(), "--count=3", "-s8M", "-t60", "--for=60")
    assert told["done"] == 3
    assert told["bytes"] == 3 * 2 * (8 << 20)


def test_ends_in_time():
    with Serve("tcp:127.0.0.1:0", "--echo") as echo:
        told = bench(echo.address(), "--for=4")
    # To connect is part of that time, but not of what is measured.
    assert 0 < told["seconds"] < 60 and told["done"] > 0


@pytest.mark.parametrize("measure, serve", [
    ("send", "--discard"), ("receive", "--source")])
def test_streams(measure, serve):
    with Serve("tcp:127.0.0.1:0", serve) as server:
        told = bench(server.address(), f"--measure={measure}", "--for=4",
                     "-n2")
    assert told["bytes"] > 0 and "p50" not in told
    assert told["bytes_per_second"] == pytest.approx(
        told["bytes"] / told["seconds"])


@pytest.mark.parametrize("address", ["tcp:127.0.0.1:0", "unix"])
def test_connections(address, tmp_path):
    if address == "unix":
        address = f"unix:{tmp_path}/s"
    with Serve(address, "--discard") as server:
        told = bench(server.address(), "--measure=connections",
                     "--count=300", "-n8", "-t60", "--for=60")
        # The last may still wait to be accepted, and no more come.
        for _ in range(300):
            server.wait_for("accept")
        assert server.stop() == 0
    came = [o for o in server.said if o["ev"] == "accept"]
    assert told["done"] == len(came) == 300


def test_connections_that_ask_and_read_to_the_end(tmp_path):
    answer = "x" * 1000
    with Serve("tcp:127.0.0.1:0", "--", "sh", "-c",
               f"read line; echo \"$line {answer}\"") as server:
        told = bench(server.address(), "--measure=connections", "--count=20",
                     "-n2", "--text=hello\\n", "-t60", "--for=60")
    assert told["done"] == 20
    assert told["bytes"] == 20 * (2 * len("hello\n") + 1001)


def test_open_loop_keeps_its_pace():
    with Serve("tcp:127.0.0.1:0", "--echo") as echo:
        told = bench(echo.address(), "--rate=100", "--count=50", "-n4",
                     "-t60", "--for=60")
    assert told["loop"] == "open" and told["done"] == 50
    # The 50th is due 0.49 s after the first, and never before.
    assert told["seconds"] >= 0.48


def echo_after_a_pause(listener, pause):
    connection, _ = listener.accept()
    with connection:
        connection.recv(1, socket.MSG_PEEK)
        time.sleep(pause)           # the server stands still: that is tested
        while data := connection.recv(65536):
            connection.sendall(data)


@pytest.mark.parametrize("rate", [0, 100])
def test_open_loop_does_not_hide_who_had_to_wait(rate):
    """One pause of 0.5 s: the closed loop sees it once, the open one more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=echo_after_a_pause,
                                  args=[listener, 0.5])
        thread.start()
        told = bench("127.0.0.1:%d" % listener.getsockname()[1],
                     f"--rate={rate}", "--count=100", "-t60", "--for=60")
        thread.join()
    assert told["max"] >= 0.49
    # At 100 a second 50 were due in the pause, 25 of them 0.25 s or more
    # before its end.
    assert told["p90"] > 0.2 if rate else told["min"] < 0.2


def test_datagrams_without_an_answer_are_lost():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        done = run("bench", "--json", "udp:127.0.0.1:%d" %
                   mute.getsockname()[1], "--count=3", "-t0.05")
    assert done.returncode == TIMEOUT


def test_a_server_that_ends():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve_three():
            connection, _ = listener.accept()
            with connection:
                for _ in range(3):
                    connection.sendall(connection.recv(64))
        thread = threading.Thread(target=serve_three)
        thread.start()
        told = bench("127.0.0.1:%d" % listener.getsockname()[1], "--for=60",
                     code=PARTIAL)
        thread.join()
    assert told["done"] == 3 and told["failed"] == 1


def takes_signals(pid):
    """Has it a signalfd(2)?  Other descriptors may go meanwhile."""
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            if "signalfd" in os.readlink(fd):
                return True
    return False


def test_signal_ends_it_with_a_result():
    with Serve("tcp:127.0.0.1:0", "--echo") as echo, subprocess.Popen(
            [SOCK, "bench", "--json", "--for=60", echo.address()],
            stdout=subprocess.PIPE) as process:
        echo.wait_for("accept")
        # It is connected, so signals are its own soon.
        deadline = time.monotonic() + PATIENCE_S
        while not takes_signals(process.pid):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode in (DONE, TIMEOUT)
    assert process.returncode == TIMEOUT or objects(out)[0]["seconds"] < 60


@pytest.mark.parametrize("words, code", [
    (["127.0.0.1:1"], PEER), (["127.0.0.1:1", "-mconnections"], PEER),
    (["127.0.0.1:1", "-mnonsense"], USAGE),
    (["udp:127.0.0.1:1", "-mconnections"], USAGE),
    (["127.0.0.1:1", "-msend", "--rate=5"], USAGE),
    (["127.0.0.1:1", "-n0"], USAGE), (["127.0.0.1:1", "-n20001"], USAGE),
    (["udp:127.0.0.1:1", "-s65508"], USAGE),
    (["127.0.0.1:1", "--for=0"], USAGE),
    (["127.0.0.1:1", "--text", "x" * 5000], USAGE),
    (["file:/etc/hosts"], USAGE),
    (["tcp:127.0.0.1:1", "-m", "connections", "-o", "nosuch"], USAGE),
])
def test_refused(words, code):
    done = run("bench", *words)
    assert done.returncode == code and done.stderr.count(b"\n") == 1
