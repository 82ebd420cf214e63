# SPDX-License-Identifier: ISC
"""Which path is which CGI program, and which is none."""

import os
import shutil

import pytest

import cgi_bin as programs
import docroot
from rawhttp import request
from server import wait_until

# target, SCRIPT_NAME, PATH_INFO
FOUND = [
    ("/cgi-bin/show", "show", None),
    ("/cgi-bin/show?a=b", "show", None),
    ("/cgi-bin/show/", "show", "/"),
    ("/cgi-bin/show/extra/path", "show", "/extra/path"),
    ("/cgi-bin/show/a//b/", "show", "/a/b/"),
    ("/cgi-bin/show/a%20b%3Fc%25", "show", "/a b?c%"),
    ("/cgi-bin/show/%C3%BC%ff", "show", "/\xc3\xbc\xff"),
    ("/cgi-bin/sh%6Fw/x", "show", "/x"),
    ("/cgi%2Dbin/show/x", "show", "/x"),
    ("/x/../cgi-bin/./show/x", "show", "/x"),
    ("/cgi-bin/show/.hidden", "show", "/.hidden"),
    ("/cgi-bin/sub/deep/show", "sub/deep/show", None),
    ("/cgi-bin/sub/deep/show/show", "sub/deep/show", "/show"),
    ("/cgi-bin/a%20b", "a b", None),
    ("/cgi-bin/a%20b/c", "a b", "/c"),
]


@pytest.fixture(scope="session", autouse=True)
def more_of_show(cgi_bin):
    for name in ("sub/deep/show", "a b"):
        programs.write(cgi_bin, name, programs.PROGRAMS["show"])


@pytest.mark.parametrize("target,script,info", FOUND)
def test_found(cgi, site, cgi_bin, target, script, info):
    env = programs.shown(cgi.get(target))["env"]
    assert env["SCRIPT_NAME"] == "/cgi-bin/" + script
    assert env["SCRIPT_FILENAME"] == f"{cgi_bin}/{script}"
    assert env.get("PATH_INFO") == info
    assert env.get("PATH_TRANSLATED") == (
        None if info is None else str(site) + info)


# target, status
NOT_FOUND = [
    ("/cgi-bin/", 404), ("/cgi-bin", 404), ("/cgi-bin?x", 404),
    ("/cgi-bin/nowhere", 404), ("/cgi-bin/nowhere/show", 404),
    ("/cgi-bin/sub", 404), ("/cgi-bin/sub/", 404),
    ("/cgi-bin/sub/nowhere", 404), ("/cgi-bin/sub/deep/", 404),
    ("/cgi-binfoo", 404), ("/cgi-binshow", 404), ("/cgi-bin.show", 404),
    ("/CGI-BIN/show", 404), ("/sub/cgi-bin/show", 404),
    ("/cgi-bin/" + "x" * 300, 404), ("/cgi-bin/" + "x/" * 2000, 404),
    ("/cgi-bin/plain", 403), ("/cgi-bin/plain/x", 403),
    ("/cgi-bin/fifo", 403),
    ("/cgi-bin/sub/.hidden", 404), ("/cgi-bin/.git/config", 404),
    ("/cgi-bin/link-loop", 404),
    ("/cgi-bin/link-out", 403), ("/cgi-bin/link-out-dir/true", 403),
    ("/cgi-bin/show%00", 400), ("/cgi-bin/%2e%2e/%2e%2e/bin/true", 400),
    ("/cgi-bin/..%2fshow", 400), ("/cgi-bin/sub%2fdeep%2fshow", 400),
    ("/cgi-bin/../../../bin/true", 400),
]


@pytest.mark.parametrize("target,status", NOT_FOUND,
                         ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_not_found(cgi, target, status, method):
    with cgi.connect() as c:
        r = c.ask(request(target, method=method), method)
        assert r.status == status
        assert programs.SOURCE not in r.body


@pytest.mark.parametrize("target,body", [
    ("/cgi-bin/link", b"short\n"), ("/cgi-bin/link/x", b"short\n"),
    ("/cgi-bin/link-dir/short", b"deep\n"),
    ("/cgi-bin/sub/../short", b"short\n"),
    ("/cgi-bin/sub/deep/short", b"deep\n"),
])
def test_links_and_dots_beneath(cgi, target, body):
    assert cgi.get(target).body == body


@pytest.mark.parametrize("name", ["no-interpreter", "no-program"])
def test_cannot_be_run(cgi, name):
    r = cgi.get("/cgi-bin/" + name)
    assert r.status == 502
    assert wait_until(lambda: f"cgi-bin/{name}: " in cgi.stderr())


def test_only_somebody_else_may_run_it(cgi, cgi_bin):
    """Its owner, or everybody but its owner, which the server is then."""
    path = programs.write(cgi_bin, "private", programs.PROGRAMS["short"])
    path.chmod(0o100 if os.geteuid() == 0 else 0o011)
    try:
        assert cgi.get("/cgi-bin/private").status == 403
    finally:
        path.unlink()


def test_without_the_option_it_is_a_plain_path(server):
    assert server.get("/cgi-bin/short").status == 404


@pytest.fixture
def inside(start, tmp_path, cgi_bin):
    """The CGI directory lies in the document root."""
    root = tmp_path / "root"
    docroot.write(root / "ping.txt", b"pong\n")
    docroot.write(root / "cgi-binfoo", b"plain\n")
    shutil.copytree(cgi_bin, root / "cgi-bin", symlinks=True, copy_function=(
        lambda a, b: None if a.endswith("fifo") else shutil.copy2(a, b)),
        ignore=shutil.ignore_patterns("fifo"))
    return start(root, "-c", root / "cgi-bin")


@pytest.mark.parametrize("target", [
    "/cgi-bin/plain", "/cgi-bin//plain", "//cgi-bin/plain", "/cgi-bin/plain/",
    "/./cgi-bin/plain", "/x/../cgi-bin/plain", "/cgi-bin/./plain",
    "/cgi-bin/sub/../plain", "/%63gi-bin/plain", "/cgi%2dbin/plain",
    "/cgi-bin%2fplain", "/cgi-bin/%70lain", "/cgi-bin/plain?x",
    "/cgi-bin/plain%00", "/cgi-bin/plain%20", "/cgi-bin/plain.",
    "/CGI-BIN/plain", "/cgi-bin\\plain", "/cgi-bin",
    "/cgi-bin/", "http://x/cgi-bin/plain",
    "/cgi-bin;x/plain", "/cgi-bin/plain;x"])
def test_source_is_never_served(inside, target):
    with inside.connect() as c:
        r = c.ask(request(target))
        assert r.status >= 300
        assert programs.SOURCE not in r.body and b"plain" not in r.body


@pytest.fixture
def aside(start, tmp_path):
    """It lies there by another name, and links lead to it."""
    root = tmp_path / "root"
    docroot.write(root / "ping.txt", b"pong\n")
    docroot.write(root / "progsfoo", b"plain\n")
    docroot.write(root / "progs/plain", programs.SOURCE)
    docroot.write(root / "progs/sub/plain", programs.SOURCE)
    docroot.write(root / "progs/sub/index.html", programs.SOURCE)
    programs.write(root / "progs", "short", programs.PROGRAMS["short"])
    for link, target in {
            "link": "progs", "link-sub": "progs/sub", "link-link": "link",
            "source": "progs/plain", "source-sub": "link/sub/plain",
            "dir/index.html": "../progs/plain"}.items():
        (root / link).parent.mkdir(exist_ok=True)
        (root / link).symlink_to(target)
    return start(root, "-c", root / "progs")


@pytest.mark.parametrize("target", [
    "/progs", "/progs/", "//progs//", "/progs/plain", "//progs//plain",
    "/%70rogs/plain", "/x/../progs/./plain", "/progs/short", "/progs/sub/",
    "/progs/sub/plain", "/progs/sub/index.html", "/link", "/link/",
    "/link/plain", "/link-sub/", "/link-sub/plain", "/link-link/plain",
    "/source", "/source-sub", "/dir/index.html", "/progs/nowhere"])
def test_source_by_another_name(aside, target):
    """Asked for twice: what is answered once is not thereby known."""
    for r in (aside.get(target), aside.get(target)):
        assert r.status == 404
        assert programs.SOURCE not in r.body and b"short" not in r.body


def test_beside_the_other_name(aside):
    assert aside.get("/cgi-bin/short").body == b"short\n"
    assert aside.get("/ping.txt").body == b"pong\n"
    assert aside.get("/progsfoo").body == b"plain\n"


def test_source_as_an_index(aside):
    """Such a directory is as one that has none."""
    r = aside.get("/dir/")
    assert r.status == 200 and programs.SOURCE not in r.body


def test_source_is_in_no_nameless_home(inside):
    """Nobody is asked about a user without a name, so nobody waits long."""
    with inside.connect(timeout=8) as c:
        assert c.ask(request("/~/cgi-bin/plain")).status == 404


def test_source_is_not_served_from_the_cache(inside):
    for method in ("GET", "POST", "GET", "HEAD", "GET"):
        with inside.connect() as c:
            r = c.ask(request("/cgi-bin/plain", method=method), method)
            assert r.status == 403
    assert inside.get("/cgi-bin/short").body == b"short\n"


def test_what_only_begins_like_it(inside):
    assert inside.get("/cgi-binfoo").body == b"plain\n"
