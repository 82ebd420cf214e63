# SPDX-License-Identifier: ISC
"""Nothing outside the root, nothing but files, nothing that hangs."""

import os

import pytest

from docroot import SECRET, write
from rawhttp import request

MIB = 1 << 20

# targets that climb, the statuses that may answer them
CLIMBS = [
    ("/../secret.txt", {400}),
    ("/sub/../../secret.txt", {400}),
    ("/sub/../../root/ping.txt", {400}),
    ("/..", {400}),
    ("/%2e%2e/secret.txt", {400}),
    ("/%2E./secret.txt", {400}),
    ("/.%2e/secret.txt", {400}),
    ("/%2e%2e%2fsecret.txt", {400}),
    ("/..%2fsecret.txt", {400}),
    ("/..%2Fsecret.txt", {400}),
    ("/sub/%2e%2e/%2e%2e/secret.txt", {400}),
    ("//../secret.txt", {400}),
    ("/./../secret.txt", {400}),
    ("http://x/../secret.txt", {400}),
    ("/..%00/secret.txt", {400}),
    ("/../secret.txt%00.html", {400}),
    ("/%252e%252e/secret.txt", {404}),
    ("/..%5csecret.txt", {400, 404}),
    ("/..\\secret.txt", {400, 404}),
    ("/..;/secret.txt", {404}),
    ("/%c0%ae%c0%ae/secret.txt", {404}),
    ("/%e0%80%ae%e0%80%ae/secret.txt", {404}),
    ("/%u002e%u002e/secret.txt", {400}),
    ("//etc/hostname", {404}),
    ("/proc/self/environ", {404}),
]


@pytest.mark.parametrize("target,statuses", CLIMBS)
def test_climb(server, target, statuses):
    r = server.get(target)
    assert r.status in statuses
    assert SECRET not in r.body


@pytest.mark.parametrize("target", [
    "out", "out-absolute", "out-dir", "out-dir/", "out-dir/secret.txt",
    "out-root", "out-root/", "out-root/etc/hostname", "loop", "loop-a",
    "dangling", "magic", "magic-cwd", "magic-cwd/", "inside-absolute"])
def test_link_that_is_refused(server, target):
    talk = server.talk(request(f"/links/{target}"))
    assert talk.story in {"403 open", "404 open"}
    assert SECRET not in talk[0].body


@pytest.mark.parametrize("target,body", [
    ("inside", b"pong\n"), ("chain", b"pong\n"),
    ("inside-dir/page.txt", b"page\n")])
def test_link_that_stays_inside(server, target, body):
    assert server.get(f"/links/{target}").body == body


@pytest.mark.parametrize("name", ["fifo", "socket", "device"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_no_file(server, site, name, method):
    if not os.path.lexists(site / "special" / name):
        pytest.skip("only root can make a device")
    talk = server.talk(request(f"/special/{name}", method=method),
                       methods=[method])
    assert talk.story in {"403 open", "404 open"}


def test_fifo_is_not_opened(server, site):
    """A writer that waits for a reader must not take the server for one."""
    server.get("/special/fifo")
    with pytest.raises(OSError):
        os.open(site / "special/fifo", os.O_WRONLY | os.O_NONBLOCK)


# Files that change while they are sent.

@pytest.fixture
def changing(start, tmp_path):
    """A file of 64 MiB of which the client has read the first bytes."""
    file = write(tmp_path / "f.bin", b"x" * (64 * MIB))
    server = start(tmp_path)
    with server.connect(rcvbuf=4096) as c:
        c.send(request("/f.bin"))
        head = c.head()
        assert head["Content-Length"] == str(64 * MIB)
        yield file, c
    assert server.get("/f.bin").status in (200, 404)


def test_file_that_shrinks(changing):
    file, c = changing
    os.truncate(file, MIB)
    try:
        body = c.rest()
    except ConnectionResetError:
        return
    assert len(body) < 64 * MIB         # never padded
    assert body[:MIB].strip(b"x") == b""
    # What sendfile(2) had queued shares its pages with the file, and the
    # kernel clears those as it cuts: the one thing that may come instead.
    assert set(body[MIB:]) <= {ord("x"), 0}


def test_simple_request_for_a_file_that_shrinks(start, tmp_path):
    """HTTP/0.9 has no length; only a reset tells that there was more."""
    file = write(tmp_path / "f.bin", b"x" * (64 * MIB))
    server = start(tmp_path)
    with server.connect(rcvbuf=4096) as c:
        c.send(b"GET /f.bin\r\n")
        c.take(1)
        os.truncate(file, MIB)
        with pytest.raises(ConnectionResetError):
            c.rest()


def test_file_that_grows(changing):
    file, c = changing
    with open(file, "ab") as f:
        f.write(b"y" * MIB)
    body = c.take(64 * MIB)
    assert body.count(b"x") == 64 * MIB
    assert c.ask(request("/nowhere")).status == 404


def test_file_that_is_replaced(changing):
    file, c = changing
    other = write(file.with_name("g.bin"), b"y" * 100)
    os.replace(other, file)
    body = c.take(64 * MIB)
    assert body.count(b"x") == 64 * MIB


def test_file_that_is_removed(changing):
    file, c = changing
    file.unlink()
    assert len(c.take(64 * MIB)) == 64 * MIB


def test_root_that_is_a_link(start, site, tmp_path):
    (tmp_path / "link").symlink_to(site)
    assert start(tmp_path / "link").get().body == b"pong\n"
