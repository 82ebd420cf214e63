# SPDX-License-Identifier: ISC
"""The request log: one line a request, in exactly one format."""

import calendar
import os
import re
import signal
import threading
import time

import pytest

from access_log import Log, parse
from rawhttp import request
from server import wait_until

@pytest.fixture
def log(tmp_path):
    return Log(tmp_path / "log")


@pytest.fixture
def logged(start, site, log):
    return start(site, "-l", str(log.path))


def test_line(logged, log):
    before = int(time.time())
    r = logged.get("/index.html?q=1")
    line, = log.wait(1)
    assert line["address"] == "127.0.0.1"
    assert line["request"] == "GET /index.html?q=1 HTTP/1.1"
    assert line["status"] == "200"
    assert line["size"] == str(len(r.body))
    at = calendar.timegm(time.strptime(line["time"], "%Y-%m-%dT%H:%M:%SZ"))
    assert before - 1 <= at <= time.time()


NONE = {"0", "-"}

# raw bytes, the request as logged, status, size (None: what the answer had)
REQUESTS = {
    "file": (request(), "GET /ping.txt HTTP/1.1", 200, {"5"}),
    "1.0": (request(version="1.0"), "GET /ping.txt HTTP/1.0", 200, {"5"}),
    "0.9": (b"GET /ping.txt\r\n", "GET /ping.txt", 200, {"5"}),
    "range": (request("/ping.txt", "Range: bytes=0-1"),
              "GET /ping.txt HTTP/1.1", 206, {"2"}),
    "head": (request(method="HEAD"), "HEAD /ping.txt HTTP/1.1", 200, NONE),
    "not modified": (request("/ping.txt", "If-None-Match: *"),
                     "GET /ping.txt HTTP/1.1", 304, NONE),
    "empty": (request("/empty.txt"), "GET /empty.txt HTTP/1.1", 200, NONE),
    "missing": (request("/no"), "GET /no HTTP/1.1", 404, None),
    "LF ends": (b"GET /ping.txt HTTP/1.1\nHost: x\n\n",
                "GET /ping.txt HTTP/1.1", 200, {"5"}),
    "behind empty lines": (b"\r\n\r\n" + request(),
                           "GET /ping.txt HTTP/1.1", 200, {"5"}),
    "method": (request(method="FOO"), "FOO /ping.txt HTTP/1.1", 501, None),
    "version": (request(version="2.0"), "GET /ping.txt HTTP/2.0", 505, None),
    "junk": (b"NONSENSE\r\n\r\n", "NONSENSE", 400, None),
    "bad field": (b"GET / HTTP/1.1\r\n: x\r\n\r\n", "GET / HTTP/1.1", 400,
                  None),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1", 400, None),
    "fields too many": (request("/", *["X: y"] * 200), "GET / HTTP/1.1", 431,
                        None),
    "quote": (b'GET /"x" HTTP/1.1\r\nHost: x\r\n\r\n',
              r"GET /\x22x\x22 HTTP/1.1", 404, None),
    "backslash": (b"GET /\\x HTTP/1.1\r\nHost: x\r\n\r\n",
                  r"GET /\x5cx HTTP/1.1", 404, None),
    "UTF-8": ("GET /\u00fc HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
              r"GET /\xc3\xbc HTTP/1.1", 404, None),
    "escape sequence": (b"GET /\x1b[31m HTTP/1.1\r\nHost: x\r\n\r\n",
                        r"GET /\x1b[31m HTTP/1.1", 400, None),
    "NUL": (b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
            r"GET /\x00 HTTP/1.1", 400, None),
    "percent is left alone": (request("/%22%0a"),
                              "GET /%22%0a HTTP/1.1", 404, None),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_request(logged, log, name):
    raw, first_line, status, sizes = REQUESTS[name]
    with logged.connect() as c:
        c.send(raw)
        c.half_close()
        answer = c.rest()
    line, = log.wait(1)
    assert line["request"].lower() == first_line.lower()
    assert line["status"] == str(status)
    if sizes is None:
        sizes = {str(len(answer) - answer.index(b"\r\n\r\n") - 4)}
    assert line["size"] in sizes


# a path, why it is refused
REASONS = {
    "/nowhere": "404 missing",
    "/.hidden": "404 hidden",
    "/ping.txt/x": "404 not-directory",
    "/%": "400 path",
    "/gate": "403 not-file",
    "/out": "403 link-leaves",
    "/ping.txt": "200",
}


def test_reasons(start, tmp_path, log):
    root = tmp_path / "site"
    root.mkdir()
    (root / "ping.txt").write_text("pong\n")
    (root / ".hidden").write_text("")
    (root / "out").symlink_to("/etc/hostname")
    os.mkfifo(root / "gate")
    server = start(root, "-l", str(log.path), "--log-reasons")
    for path in REASONS:
        server.get(path)
    assert wait_until(lambda: len(log.lines()) == len(REASONS))
    for line, (path, why) in zip(log.lines(), REASONS.items()):
        status, _, code = why.partition(" ")
        assert re.search(rf'"GET {path} HTTP/1.1" {status} \d+ ?{code}$', line)


def test_to_standard_output(start, site):
    """As containers and service managers collect it."""
    server = start(site, "-l", "-")
    server.get("/ping.txt?1")
    server.get("/ping.txt?2")
    assert wait_until(lambda: server.stdout().count("\n") == 2)
    server.process.send_signal(signal.SIGUSR1)
    server.get("/ping.txt?3")
    assert wait_until(lambda: server.stdout().count("\n") == 3)
    assert [parse(line)["request"] for line in server.stdout().splitlines()] \
        == [f"GET /ping.txt?{i} HTTP/1.1" for i in (1, 2, 3)]


def test_overlong_line_is_cut(logged, log):
    with logged.connect() as c:
        assert c.ask(b"GET /" + b"\xff" * 100000 + b"\r\n").status == 414
    line, = log.wait(1)
    assert line["request"].startswith("GET /")
    assert line["status"] == "414"
    assert len(line[0]) < 10000


def test_long_line_of_escapes(logged, log):
    raw = b"GET /" + b'"' * 7000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    with logged.connect() as c:
        assert c.ask(raw).status == 404
    line, = log.wait(1)
    assert line["request"].startswith(r"GET /\x22\x22")


def test_slow_head_is_logged(start, site, log):
    server = start(site, "-l", str(log.path), "--header-timeout=0.3")
    with server.connect() as c:
        c.send(b"GET /half")
        assert c.receive().status == 408
    line, = log.wait(1)
    assert line["status"] == "408"
    assert line["request"] in ("-", "GET /half")


def test_pipeline_is_logged_in_order(logged, log):
    raw = b"".join(request(f"/many/{i:02}") for i in range(100))
    with logged.connect() as c:
        c.send(raw)
        for _ in range(100):
            c.receive()
    assert [line["request"] for line in log.wait(100)] == [
        f"GET /many/{i:02} HTTP/1.1" for i in range(100)]


def test_interrupted_answer_is_logged(logged, log):
    with logged.connect(rcvbuf=4096) as c:
        c.send(request("/big.bin"))
        c.head()
    line, = log.wait(1)
    assert line["request"] == "GET /big.bin HTTP/1.1"


@pytest.mark.parametrize("more", [b"", request("/nowhere")],
                         ids=["alone", "with another behind"])
def test_head_in_two_parts(logged, log, more):
    """The answer outlives the buffer that the parts were put together in."""
    target = "/big.bin?" + "q" * 100
    line, rest = request(target).split(b"\r\n", 1)
    with logged.connect(rcvbuf=4096) as c:
        c.send(line + b"\r\n")
        time.sleep(0.05)                # it is received by itself
        c.send(rest + more)
        c.head()
    line, *_ = log.wait(1)
    assert line["request"] == f"GET {target} HTTP/1.1"
    assert line["status"] == "200"


def test_flushed_within_a_second(start, site, log):
    """Before somebody who came later is left for being silent so long."""
    server = start(site, "-l", str(log.path), "--idle-timeout=1")
    with server.held():
        c = server.connect()
        c.send(request())
    with c:
        assert c.receive().status == 200
        with server.connect() as later:
            assert later.rest() == b""
    assert len(log.lines()) == 1


def test_flushed_at_the_end(logged, log):
    for _ in range(10):
        logged.get()
    assert logged.end() == 0
    assert len(log.lines()) == 10


def test_appends(start, site, log):
    log.path.write_text("what was there\n")
    start(site, "-l", str(log.path)).get()
    assert wait_until(lambda: len(log.lines()) == 2)
    assert log.lines()[0] == "what was there"


def test_ipv6(start, site, log):
    try:
        server = start(site, "-l", str(log.path), address="::1")
    except RuntimeError:
        pytest.skip("no IPv6 here")
    server.get()
    line, = log.wait(1)
    assert line["address"] == "::1"


def test_workers_do_not_interleave(start, site, log):
    server = start(site, "-l", str(log.path), workers=4)
    each, clients = 200, 8

    def client(i):
        with server.connect() as c:
            target = f"/nowhere?{i}" + "x" * 300
            for _ in range(each // 10):
                c.send(request(target) * 10)
                for _ in range(10):
                    c.receive()

    threads = [threading.Thread(target=client, args=(i,))
               for i in range(clients)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    lines = log.wait(each * clients)
    for i in range(clients):
        mine = f"GET /nowhere?{i}x"
        assert sum(line["request"].startswith(mine) for line in lines) == each


def test_usr1_reopens(logged, log):
    logged.get("/ping.txt?before")
    log.wait(1)
    old = Log(log.path.rename(log.path.with_name("log.1")))
    logged.process.send_signal(signal.SIGUSR1)
    assert wait_until(log.path.exists)

    def has_moved():
        logged.get("/ping.txt?after")
        return wait_until(log.lines, 1.5)

    # Which request is the first to land in the new file is not promised.
    assert wait_until(has_moved)
    logged.end()
    requests = [parse(line)["request"]
                for line in old.lines() + log.lines()]
    assert requests[0] == "GET /ping.txt?before HTTP/1.1"
    assert set(requests[1:]) == {"GET /ping.txt?after HTTP/1.1"}
    assert "before" in old.lines()[0]
    assert "before" not in "".join(log.lines())


def test_full_disk_is_said_once(start, site):
    server = start(site, "-l", "/dev/full")
    for _ in range(50):
        assert server.get().status == 200
    assert wait_until(lambda: "No space left" in server.stderr())
    time.sleep(1.2)                     # one more flush
    assert server.get().status == 200
    assert server.stderr().count("No space left") == 1
