# SPDX-License-Identifier: ISC
"""Which symbolic links are followed: --symlinks."""

import os
import re

import pytest

import cgi_bin as programs
from codings import ENCODE
from docroot import write
from rawhttp import request
from server import wait_until

OTHER = 4001                    # a user that is not the one of the tests

CACHES = {"known": [], "asked": ["--cache-size=0"]}


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    write(root / "file.txt", b"file\n")
    write(root / "sub/page.txt", b"page\n")
    write(root / "pages/real.html", b"<title>index</title>")
    (root / "pages/index.html").symlink_to("real.html")
    (root / "near").symlink_to("file.txt")
    (root / "chain").symlink_to("near")
    (root / "linked").symlink_to("sub")
    (root / "sub/up").symlink_to("../file.txt")
    (root / "nothing").symlink_to("nowhere")
    (root / "out").symlink_to("../secret.txt")
    write(tmp_path / "secret.txt", b"secret\n")
    return root


# What is behind a link, and with what it is answered when that is followed.
LINKED = {
    "/near": 200, "/chain": 200, "/linked": 301, "/linked/": 200,
    "/linked/page.txt": 200, "/linked/up": 200, "/sub/up": 200,
    "/pages/": 200, "/linked/nowhere": 404, "/nothing": 404, "/out": 403,
}
PLAIN = {"/": 200, "/file.txt": 200, "/sub/": 200, "/sub/page.txt": 200,
         "/pages/real.html": 200, "/nowhere": 404}


def statuses(server, targets):
    """The same, if asked for again."""
    first = {target: server.get(target).status for target in targets}
    assert {target: server.get(target).status for target in targets} == first
    return first


@pytest.mark.parametrize("caches", CACHES.values(), ids=CACHES)
@pytest.mark.parametrize("policy", ["beneath", "owner"])
def test_followed(start, root, policy, caches):
    """All is of one owner."""
    server = start(root, f"--symlinks={policy}", *caches)
    assert statuses(server, LINKED) == LINKED
    assert statuses(server, PLAIN) == PLAIN


@pytest.mark.parametrize("caches", CACHES.values(), ids=CACHES)
def test_none(start, root, caches):
    server = start(root, "--symlinks=none", *caches)
    assert statuses(server, LINKED) == dict.fromkeys(LINKED, 403)
    assert statuses(server, PLAIN) == PLAIN


def give(path, owner=OTHER):
    if os.geteuid() != 0:
        pytest.skip("files can be given away by root only")
    os.chown(path, owner, -1, follow_symlinks=False)


@pytest.mark.parametrize("caches", CACHES.values(), ids=CACHES)
def test_owner(start, root, caches):
    for name in ("near", "linked", "pages/index.html"):
        give(root / name)
    server = start(root, "--symlinks=owner", *caches)
    assert statuses(server, LINKED) == {
        "/near": 403, "/chain": 403, "/linked": 403, "/linked/": 403,
        "/linked/page.txt": 403, "/linked/up": 403, "/sub/up": 200,
        "/pages/": 403, "/linked/nowhere": 403, "/nothing": 404, "/out": 403}
    assert statuses(server, PLAIN) == PLAIN
    give(root / "file.txt")
    assert server.get("/near").status == 200
    assert server.get("/sub/up").status == 403


@pytest.mark.parametrize("caches", CACHES.values(), ids=CACHES)
@pytest.mark.parametrize("name,target", [("near", "/near"),
                                         ("linked", "/linked/page.txt")])
def test_known_link_that_changes_its_owner(start, root, name, target, caches):
    server = start(root, "--symlinks=owner", *caches)
    with server.connect() as c:
        for owner, status in [(0, 200), (OTHER, 403), (0, 200)]:
            give(root / name, owner)
            for _ in range(2):
                assert c.ask(request(target)).status == status


def test_known_file_that_a_link_leads_to(start, root):
    """The very same file, when a link has come between."""
    server = start(root, "--symlinks=none")
    assert [server.get("/sub/page.txt").status for _ in range(2)] == [200, 200]
    (root / "sub").rename(root / "moved")
    (root / "sub").symlink_to("moved")
    assert [server.get("/sub/page.txt").status for _ in range(2)] == [403, 403]


def names(server, target):
    return set(re.findall(r'href="\./([^"]*)"',
                          server.get(target).body.decode()))


def test_listing(start, root):
    given = {"file.txt", "sub/", "pages/"}
    links = {"near", "chain", "linked/"}
    assert names(start(root, "--symlinks=none"), "/") == given
    assert names(start(root, "--symlinks=owner"), "/") == given | links


def test_listing_of_owners(start, root):
    give(root / "near")
    found = names(start(root, "--symlinks=owner"), "/")
    assert "linked/" in found
    assert not found & {"near", "chain"}


@pytest.mark.parametrize("policy,coding", [("beneath", "gzip"),
                                           ("owner", "gzip"),
                                           ("none", None)])
@pytest.mark.parametrize("caches", CACHES.values(), ids=CACHES)
def test_sidecar(start, root, policy, coding, caches):
    write(root / "packed", ENCODE["gzip"](b"file\n"))
    (root / "file.txt.gz").symlink_to("packed")
    server = start(root, "--no-compress", f"--symlinks={policy}", *caches)
    for _ in range(3):
        r = server.get("/file.txt", "Accept-Encoding: gzip")
        assert r.status == 200
        assert ("Content-Encoding" in r) == (coding is not None)


@pytest.fixture
def cgi_dir():
    path = programs.make()
    programs.write(path, "sub/show", programs.PROGRAMS["show"])
    (path / "near").symlink_to("sub/show")
    (path / "linked").symlink_to("sub")
    yield path
    programs.remove(path)


def run_programs(server):
    return [server.get(target).status for target in (
        "/cgi-bin/sub/show", "/cgi-bin/near", "/cgi-bin/linked/show/x")]


@pytest.mark.parametrize("policy,wanted", [("beneath", [200, 200, 200]),
                                           ("owner", [200, 200, 200]),
                                           ("none", [200, 403, 403])])
def test_programs(start, root, cgi_dir, policy, wanted):
    server = start(root, "-c", cgi_dir, f"--symlinks={policy}")
    assert run_programs(server) == wanted


def test_programs_of_owners(start, root, cgi_dir):
    give(cgi_dir / "near")
    server = start(root, "-c", cgi_dir, "--symlinks=owner")
    assert run_programs(server) == [200, 403, 200]


def test_root_that_is_a_link(start, root, tmp_path):
    (tmp_path / "site").symlink_to(root)
    server = start(tmp_path / "site", "--symlinks=none")
    assert server.get("/file.txt").status == 200


def test_reason(start, root, tmp_path):
    log = tmp_path / "log"
    server = start(root, "--symlinks=none", "--log-reasons", "-l", str(log))
    assert b"link on the way" in server.get("/near").body
    assert wait_until(lambda: log.read_text().endswith(" link-refused\n"))
