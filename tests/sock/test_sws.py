# SPDX-License-Identifier: ISC
"""sock as the client of sws: requests, listeners, and a crowd."""

import json
import pathlib
import subprocess
import sys

import pytest

from workbench import DONE, SOCK, answer, objects

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "wire"))
from server import SWS, Server  # noqa: E402

CROWD = 1000
CROWD_S = 120

# What the course's test script sends with nc: requests and their versions.
REQUESTS = [
    ("GET / HTTP/1.0", 200), ("HEAD / HTTP/1.0", 200),
    ("GET / HTTP/1.1", 200), ("GET /page.txt HTTP/1.0", 200),
    ("GET /folder/ HTTP/1.0", 200), ("GET /folder HTTP/1.0", 301),
    ("GET /nothing HTTP/1.0", 404), ("GET /%70age.txt HTTP/1.0", 200),
    ("GET /../../etc/passwd HTTP/1.0", (400, 403, 404)),
    ("GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.0", (400, 403, 404)),
    ("GET page.txt HTTP/1.0", 400),
    ("GET / HTTP/2.0", 505), ("GET / HTTP/0.9", (400, 505)),
    ("GET / HTTP/1", 400), ("GET / HTTP/a.b", 400), ("GET / http/1.0", 400),
    ("GET / FTP/1.0", 400), ("GET / HTTP/1.0 x", 400),
    ("POST / HTTP/1.0", (405, 411)), ("PUT / HTTP/1.0", (405, 411)),
    ("DELETE / HTTP/1.0", 405), ("BREW / HTTP/1.0", 501),
    ("GET /cgi-bin/hello HTTP/1.0", 200), ("GET /cgi-bin/no HTTP/1.0", 404),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    if not SWS.exists():
        pytest.fail(f"{SWS} is not built", pytrace=False)
    base = tmp_path_factory.mktemp("sws")
    for folder in (base, *base.parents[:2]):
        folder.chmod(0o755)
    root, cgi = base / "root", base / "cgi"
    (root / "folder").mkdir(parents=True)
    cgi.mkdir()
    (root / "index.html").write_text("home\n")
    (root / "page.txt").write_text("page\n")
    (root / "folder/one.txt").write_text("one\n")
    (cgi / "hello").write_text(
        "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nhello\\n'\n")
    (cgi / "hello").chmod(0o755)
    with Server(root, "-c", str(cgi), address=None) as s:
        yield s


def ask(server, text):
    return answer("send", f"tcp:127.0.0.1:{server.port}", "--half-close", text)


@pytest.mark.parametrize("line, expected", REQUESTS)
def test_status_of_request(server, line, expected):
    """H4: send --half-close is the nc of the course's test script."""
    host = "Host: localhost\r\n" if line.endswith("HTTP/1.1") else ""
    said = ask(server, f"{line}\r\n{host}\r\n")
    version, status = said.split(" ")[:2]
    assert version in ("HTTP/1.0", "HTTP/1.1")
    assert int(status) in (expected if isinstance(expected, tuple)
                           else (expected,)), said


def test_without_a_version(server):
    """H4: HTTP/0.9 has neither status nor fields."""
    assert ask(server, "GET /page.txt\r\n") == "page\n"


def test_listens_to_all_and_is_seen(server):
    """H5: one socket for IPv4 and IPv6, or one each; scan and ls show it."""
    listeners = objects(answer("ls", f"tcp:*:{server.port}", "--json",
                               "--listening"))
    assert {o["state"] for o in listeners} == {"LISTEN"}
    for host in ("127.0.0.1", "[::1]"):
        port, = [o for o in objects(answer(
            "scan", f"{host}:{server.port}", "--json"))
            if o["ev"] == "port"]
        assert port["state"] == "open"


def test_many_clients_at_once(server):
    """H6: a thousand connections at a time, each answered."""
    done = subprocess.run(
        [SOCK, "bench", f"127.0.0.1:{server.port}", f"--clients={CROWD}",
         "--measure=connections", f"--count={2 * CROWD}", f"--for={CROWD_S}",
         f"--timeout={CROWD_S}", "--json",
         "--text=GET /page.txt HTTP/1.0\\r\\n\\r\\n"],
        capture_output=True, text=True, timeout=2 * CROWD_S, check=False)
    assert done.returncode == DONE, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["failed"] == told["lost"] == 0
    assert told["done"] == 2 * CROWD
