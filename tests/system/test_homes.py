# SPDX-License-Identifier: ISC
"""User directories: /~user/ as its user has made it, and nobody else's."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from html_check import check_html
from rawhttp import request
from server import wait_until

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("useradd"),
    reason="users can be made by root only, with useradd(8)")

# Of this run, should there be another one on this host.
PREFIX = f"sws-{os.getpid()}-"
# A failure waits for the second tick of a clock that ticks so often.
TICK_S = 0.025


class Homes:
    """Some users, whose homes are below a directory of their own."""

    def __init__(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="sws-homes-"))
        self.top.chmod(0o755)
        self.names = []

    def add(self, name, *options, shell="/bin/sh"):
        """A user with a home; its path."""
        user, home = PREFIX + name, self.top / name
        subprocess.run(["userdel", user], capture_output=True, check=False)
        subprocess.run(
            ["useradd", "-M", "-N", "-d", home, "-s", shell, *options, user],
            check=True, capture_output=True)
        self.names.append(user)
        home.mkdir(mode=0o755)
        shutil.chown(home, user)
        return home

    def add_with_directory(self, name, *options, directory="sws", **more):
        web = self.add(name, *options, **more) / directory
        web.mkdir(mode=0o755)
        (web / "file.txt").write_text(f"{name}'s file\n")
        shutil.chown(web, PREFIX + name)
        return web

    def remove(self):
        for user in self.names:
            subprocess.run(["userdel", user], capture_output=True, check=True)
        shutil.rmtree(self.top)


def fill(web):
    (web / "sub").mkdir()
    (web / "sub/gr\u00fc\u00df & co.txt").write_text("gr\u00fc\u00df\n")
    (web / "page").mkdir()
    (web / "page/index.html").write_text("<title>mine</title>")
    (web / "cgi-bin").mkdir()
    (web / "cgi-bin/run").write_text("#!/bin/sh\necho no\n")
    (web / "cgi-bin/run").chmod(0o755)
    (web / "large.bin").write_bytes(bytes(range(256)) * 4096)
    (web / ".hidden").write_text("hidden")
    (web / "unreadable").write_text("secret")
    (web / "unreadable").chmod(0o600)
    (web.parent / "private").write_text("secret")
    (web / "near").symlink_to("file.txt")
    (web / "far").symlink_to("../private")
    (web / "etc").symlink_to("/etc")
    os.mkfifo(web / "fifo")


@pytest.fixture(scope="module")
def homes():
    made = Homes()
    try:
        fill(made.add_with_directory("alice"))
        made.add_with_directory("public", directory="public_html")
        made.add("bare")
        made.add_with_directory("nologin", shell="/usr/sbin/nologin")
        made.add_with_directory("false", shell="/bin/false")
        # A number below those of people.
        made.add_with_directory("low", "--system")
        shutil.chown(made.add_with_directory("foreign"), "root")
        made.add_with_directory("closed").chmod(0o700)
        made.add_with_directory("private").parent.chmod(0o700)
        yield made
    finally:
        made.remove()


@pytest.fixture
def server(start, homes, tree):
    return start(tree)


def path(rest, user="alice"):
    return f"/~{PREFIX}{user}{rest}"


class TestFound:
    def test_file(self, server):
        r = server.get(path("/file.txt"))
        assert (r.status, r.body) == (200, b"alice's file\n")
        assert r["Content-Type"] == "text/plain; charset=utf-8"
        assert "ETag" in r and "Last-Modified" in r

    @pytest.mark.parametrize("policy,owner,status", [
        ("none", "root", 404), ("owner", "root", 200),
        ("owner", PREFIX + "alice", 404), ("beneath", PREFIX + "alice", 200)])
    def test_link_by_policy(self, start, homes, tree, policy, owner, status):
        web = homes.top / "alice/sws"
        uid = pwd.getpwnam(owner).pw_uid
        os.chown(web / "near", uid, -1, follow_symlinks=False)
        try:
            server = start(tree, f"--symlinks={policy}")
            assert server.get(path("/near")).status == status
            assert server.get(path("/file.txt")).status == 200
            listing = server.get(path("/")).body
            assert (b'"./near"' in listing) == (status == 200)
        finally:
            os.chown(web / "near", 0, -1, follow_symlinks=False)

    def test_head(self, server):
        r = server.head(path("/file.txt"))
        assert (r.status, r["Content-Length"]) == (200, "13")

    def test_encoded(self, server):
        r = server.get(path("/%66ile.txt").replace("~", "%7E"))
        assert (r.status, r.body) == (200, b"alice's file\n")

    def test_condition(self, server):
        tag = server.get(path("/file.txt"))["ETag"]
        r = server.get(path("/file.txt"), f"If-None-Match: {tag}")
        assert r.status == 304

    def test_range_of_a_large_file(self, server):
        r = server.get(path("/large.bin"), "Range: bytes=1000000-")
        assert r.status == 206
        assert r.body == (bytes(range(256)) * 4096)[1000000:]

    def test_link_that_stays_inside(self, server):
        assert server.get(path("/near")).body == b"alice's file\n"

    def test_index(self, server):
        r = server.get(path("/page/"))
        assert (r.status, r.body) == (200, b"<title>mine</title>")
        assert r["Content-Type"] == "text/html; charset=utf-8"

    def test_listing(self, server):
        r = server.get(path("/"))
        assert r.status == 200
        page = check_html(r.body)
        assert page.title == f"/~{PREFIX}alice/"
        names = page.links
        assert "./near" in names and "./sub/" in names
        # What no request would get to is not shown either.
        assert "./far" not in names and "./etc/" not in names
        assert "./.hidden" not in names

    def test_listing_of_a_subdirectory(self, server):
        r = server.get(path("/sub/"))
        assert r.status == 200
        page = check_html(r.body)
        assert "./gr%C3%BC%C3%9F%20%26%20co.txt" in page.links
        assert "../" in page.links

    def test_cgi_bin_is_a_directory_like_others(self, server):
        r = server.get(path("/cgi-bin/run"))
        assert (r.status, r.body) == (200, b"#!/bin/sh\necho no\n")

    def test_connection_goes_on(self, server):
        with server.connect() as c:
            for rest, status in [("/file.txt", 200), ("/", 200), ("", 301),
                                 ("/no", 404), ("/file.txt", 200)] * 3:
                assert c.ask(request(path(rest))).status == status

    def test_pipelined(self, server):
        rests = ["/file.txt", "/no", "/near", "/nothing", "/page/"]
        raw = b"".join(request(path(rest)) for rest in rests)
        with server.connect() as c:
            c.send(raw)
            status = [c.receive().status for _ in rests]
        assert status == [200, 404, 200, 404, 200]

    def test_request_with_content(self, server):
        raw = request(path("/file.txt"), "Content-Length: 5", body=b"12345")
        with server.connect() as c:
            assert c.ask(raw).status == 200


@pytest.mark.parametrize("rest, location", [
    ("", "/"), ("?a=b&c", "/?a=b&c"), ("/sub", "/sub/"),
    ("/page?q", "/page/?q")])
def test_redirect(server, rest, location):
    r = server.get(path(rest))
    assert (r.status, r["Location"]) == (301, path(location))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_other_methods(server, method):
    assert server.get(path("/file.txt"), method=method).status == 405


# Without a user, without a directory, without permission to be served, and
# what is not there or not to be had in a directory that is served.
MISSING = [
    *(path(rest, user)
      for user in ("nobody", "bare", "nologin", "false", "low", "foreign",
                   "closed", "private", "public")
      for rest in ("", "/", "/file.txt")),
    "/~root/", "/~", "/~/", "/~:/x", "/~-/", "/~" + "a" * 300,
    path("/no"), path("/file.txt/"), path("/unreadable"), path("/fifo"),
    path("/far"), path("/etc/"), path("/etc/passwd"),
    path("/" + "a/" * 3000),
]


def test_failures_are_all_the_same(server):
    def shown(r):
        fields = [(n, v) for n, v in r.fields if n != "Date"]
        return r.status, r.reason, fields, r.body

    expected = shown(server.get("/nothing/here"))
    assert expected[0] == 404
    for target in MISSING:
        assert shown(server.get(target)) == expected, target
        assert shown(server.head(target))[:3] == expected[:3], target


def test_failures_take_the_same_time(server):
    """At least a tick, at most two; the rest is for a busy machine."""
    def is_told_soon(target):
        begin = time.monotonic()
        assert server.get(target).status == 404
        took = time.monotonic() - begin
        assert TICK_S * 0.9 <= took, target
        return took <= TICK_S * 2 + 0.5

    for target in MISSING:
        # Not at the first try if somebody stood still.
        assert wait_until(lambda: is_told_soon(target)), target


def test_hidden(server):
    assert server.get(path("/.hidden")).status == 404


@pytest.mark.parametrize("rest", [
    "/../../probe.txt", "/%2e%2e/%2E./probe.txt"])
def test_climbing(server, rest):
    """A path is made plain before anybody asks whose it is."""
    assert server.get(path(rest)).status == 400
    assert server.get(path("/../probe.txt")).body == b"probe\n"


class TestOptions:
    def test_other_name(self, start, homes, tree):
        server = start(tree, "--user-dir=public_html")
        assert server.get(path("/file.txt", "public")).status == 200
        assert server.get(path("/file.txt")).status == 404

    def test_off(self, start, homes, tree):
        (tree / f"~{PREFIX}alice").write_text("of the site\n")
        server = start(tree, "--user-dir=")
        assert server.get(path("")).body == b"of the site\n"
        assert server.get(path("/file.txt")).status == 404
        assert not find_homes(server)

    def test_lower_uid(self, start, homes, tree):
        uid = pwd.getpwnam(PREFIX + "low").pw_uid
        server = start(tree, f"--user-dir-min-uid={uid}")
        assert server.get(path("/file.txt", "low")).status == 200

    def test_higher_uid(self, start, homes, tree):
        uid = pwd.getpwnam(PREFIX + "alice").pw_uid
        server = start(tree, f"--user-dir-min-uid={uid + 1}")
        assert server.get(path("/file.txt")).status == 404

    def test_no_listing(self, start, homes, tree):
        server = start(tree, "--no-index")
        assert server.get(path("/")).status == 404
        assert server.get(path("/page/")).status == 200

    def test_other_index(self, start, homes, tree):
        server = start(tree, "--index=file.txt")
        assert server.get(path("/")).body == b"alice's file\n"


def find_homes(server):
    """The process that serves home directories, if there is one."""
    return next(iter(server.processes("homes")), None)


def descriptors(pid):
    return len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))


class TestProcess:
    def test_killed(self, server):
        """It comes back; until then the answer is 503, never a hang."""
        assert server.get(path("/file.txt")).status == 200
        pid = find_homes(server)
        os.kill(pid, signal.SIGKILL)
        statuses = set()

        def is_back():
            statuses.add(server.get(path("/file.txt")).status)
            return 200 in statuses and find_homes(server) not in (None, pid)

        assert wait_until(is_back)
        assert statuses <= {200, 503}
        assert server.get("/probe.txt").body == b"probe\n"

    @pytest.mark.many_clients
    def test_stuck(self, server):
        """Who waits for it holds up nobody else."""
        pid = wait_until(lambda: find_homes(server))
        os.kill(pid, signal.SIGSTOP)
        try:
            with server.connect() as c:
                c.send(request(path("/file.txt")))
                assert server.get("/probe.txt").body == b"probe\n"
                os.kill(pid, signal.SIGCONT)
                assert c.receive().body == b"alice's file\n"
        finally:
            os.kill(pid, signal.SIGCONT)

    def test_nothing_is_left_open(self, server):
        # After it the worker has the channels to all services, which count.
        for _ in range(6):
            assert server.get(path("/file.txt")).status == 200
        # Those that have answered: others may still be on their way.
        watched = [find_homes(server), *server.workers()]
        assert None not in watched
        before = [descriptors(pid) for pid in watched]
        for rest in ("/", "/large.bin", "/no", "", "/page/", "/sub/") * 5:
            with server.connect() as c:
                c.send(request(path(rest)))     # and is gone
            server.get(path(rest))

        def is_as_before():
            # Or less: of the first request something may still have been.
            return all(descriptors(pid) <= n
                       for pid, n in zip(watched, before))

        assert wait_until(is_as_before)

    def test_is_not_root(self, server):
        pid = wait_until(lambda: find_homes(server))
        assert os.stat(f"/proc/{pid}").st_uid != 0
