# SPDX-License-Identifier: ISC
"""sock c10k: slopes, ends of curves, and that the picture is one."""

import xml.etree.ElementTree as ElementTree

import pytest

from workbench import DONE, USAGE, UNAVAILABLE, objects, run
from test_serve import ENGINES

# Connections that a process has to be allowed for the long slopes.
LONG = [100, 4000]
SHORT = [100, 900]
MEASUREMENTS = 5


def measure(*arguments):
    done = run("c10k", "--json", *arguments)
    assert done.returncode == DONE, done.stderr.decode()
    return objects(done.stdout)


def points(said, engine):
    return [o for o in said if o["ev"] == "point" and o["engine"] == engine]


def cost(engine, steps):
    """CPU time of an event with few connections and with many."""
    said = measure(f"--engines={engine}",
                   "--n=" + ",".join(map(str, steps)))
    few, many = points(said, engine)
    if [few["n"], many["n"]] != steps:
        pytest.skip(f"no more than {many['n']} connections can be had here")
    return few["cpu_us"], many["cpu_us"]


def slopes(engine, steps):
    """How many times it has grown, each time known better.

    Whatever else a machine does makes it only more, so the least is nearest.
    """
    few = many = float("inf")
    for _ in range(MEASUREMENTS):
        costs = cost(engine, steps)
        few, many = min(few, costs[0]), min(many, costs[1])
        yield many / few


@pytest.mark.parametrize("engine", ["poll", "nonblock"])
def test_grows(engine):
    """M20: forty times the connections; noise does not hide such a slope."""
    assert any(slope > 10 for slope in slopes(engine, LONG))


@pytest.mark.parametrize("engine", ["select", "pselect"])
def test_grows_as_far_as_it_goes(engine):
    assert any(slope > 10 * SHORT[1] / LONG[1]
               for slope in slopes(engine, SHORT))


@pytest.mark.parametrize("engine", [
    e for e in ("epoll", "epoll-et", "sigio", "uring") if e in ENGINES])
def test_does_not_grow(engine):
    """M20: who is told, and need not ask, does not mind the crowd."""
    assert any(slope < 3 for slope in slopes(engine, LONG))


def test_fd_setsize_is_the_end():
    """The curve ends below 1,024 descriptors, and what is left goes on."""
    said = measure("--engines=select", "--n=100,2000")
    assert [p["n"] for p in points(said, "select")][0] == 100
    last = points(said, "select")[-1]
    assert 900 < last["n"] < 1024 and last["median_us"] > 0
    end, = (o for o in said if o["ev"] == "curve")
    assert (end["n"], end["cause"]) == (last["n"], "FD_SETSIZE")


def test_others_wait_for_blocking():
    few, many = points(measure("--engines=blocking", "--n=10,300"),
                       "blocking")
    assert many["median_us"] > 3 * few["median_us"]
    assert many["bytes"] is None and many["calls"] is None


def test_calls_are_counted():
    """Receive, send, wait; asking each, one for each that is asked."""
    said = measure("--engines=epoll,nonblock,fork", "--n=10,50")
    epoll, nonblock, fork = (points(said, e)
                             for e in ("epoll", "nonblock", "fork"))
    for point in epoll + nonblock + fork:
        if point["calls"] is None:
            pytest.skip("ptrace(2) is not allowed here")
    assert all(2.9 < p["calls"] < 4 for p in epoll + fork)
    # Perhaps it naps, and looks at all more than once.
    assert nonblock[1]["calls"] - nonblock[0]["calls"] > 30


def test_processes_cost_memory():
    fork, = points(measure("--engines=fork", "--n=100"), "fork")
    epoll, = points(measure("--engines=epoll", "--n=100"), "epoll")
    if fork["bytes"] is None:
        pytest.skip("smaps_rollup cannot be read here")
    assert fork["bytes"] > 10 * max(epoll["bytes"], 100)


@pytest.mark.parametrize("option", ["--unix", "--active=5", "--rounds=3"])
def test_options(option):
    few, many = points(measure("--engines=epoll", "--n=10,40", option),
                       "epoll")
    assert 0 < few["median_us"] <= few["p99_us"]
    assert many["cpu_us"] > 0


def test_http():
    """The same experiment with the web server that stands beside."""
    said = measure("--http", "--engines=epoll,select", "--n=10,30")
    setting = said[0]
    assert setting["server"] == "sws"
    for engine in "epoll", "select":
        assert [p["n"] for p in points(said, engine)] == [10, 30]


def test_table_and_chart():
    done = run("c10k", "--engines=epoll,poll", "--n=10,30",
               env={"LC_ALL": "C"})
    assert done.returncode == DONE, done.stderr.decode()
    text = done.stdout.decode("ascii")
    assert "idle connections" in text
    assert " a epoll" in text and " b poll" in text


def test_braille():
    done = run("c10k", "--engines=epoll", "--n=10,30",
               env={"LC_ALL": "C.UTF-8"})
    assert any(0x2800 < ord(c) < 0x2900 for c in done.stdout.decode())


def test_svg(tmp_path):
    file = tmp_path / "c10k.svg"
    measure("--engines=select,blocking", "--n=10,1100", f"--svg={file}")
    tree = ElementTree.parse(file)
    text = "".join(tree.getroot().itertext())
    assert "prefers-color-scheme: dark" in text
    assert "FD_SETSIZE" in text and "blocking" in text
    # Two charts: CPU time without blocking, and time with it.
    curves = [e for e in tree.iter() if e.get("class", "").startswith("curve")]
    assert len(curves) == 3


@pytest.mark.parametrize("arguments", [
    ["--n=0"], ["--n=10,10"], ["--n=30..10"], ["--n=x"], ["--n="],
    ["--n=1000000"], ["--active=0"], ["--active=100000"], ["--rounds=0"],
    ["--unix", "--http"], ["--engines=nosuch"], ["word"],
])
def test_usage(arguments):
    assert run("c10k", *arguments).returncode == USAGE


@pytest.mark.skipif("kqueue" in ENGINES, reason="kqueue is here")
def test_engine_that_is_not_here():
    done = run("c10k", "--engines=kqueue")
    assert done.returncode == UNAVAILABLE
    assert b"kqueue" in done.stderr
