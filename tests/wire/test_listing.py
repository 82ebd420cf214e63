# SPDX-License-Identifier: ISC
"""Listings of directories: order, escaping, valid HTML, and 100,000 names."""

import contextlib
import os
import re
import urllib.parse

import pytest

from docroot import HARD_NAMES
from html_check import check_html
from rawhttp import request
from server import is_sanitized, wait_until

CROWD = 100_000
SOON_S = 1.3


def names_of(body, base="/"):
    """What the links of a listing lead to, in order, without the way up."""
    names = []
    for link in check_html(body).links:
        url = urllib.parse.urljoin("http://x" + base, link)
        path = urllib.parse.urlsplit(url).path
        if path.startswith(base) and path != base:
            name = urllib.parse.unquote_to_bytes(path[len(base):])
            if name not in names[-1:]:      # an icon may be a link, too
                names.append(name)
    return names


def test_what_a_listing_says(server):
    r = server.get("/plain/")
    assert r.status == 200
    assert r["Content-Type"].lower() == "text/html; charset=utf-8"
    assert names_of(r.body, "/plain/").count(b"deeper/") == 1
    assert sorted(names_of(r.body, "/plain/")) == [
        b"deeper/", b"one.txt", b"two.txt"]
    text = check_html(r.body).text
    assert "2020-01-02 03:04" in text
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d", text)


def test_way_up(server):
    links = check_html(server.get("/plain/deeper/").body).links
    up = {urllib.parse.urljoin("http://x/plain/deeper/", a) for a in links}
    assert "http://x/plain/" in up


def test_order(server):
    r = server.get("/many/")
    assert names_of(r.body, "/many/") == [b"%02d" % i for i in range(100)]


def test_hidden_names(start, site):
    server = start(site, "--hidden")
    names = names_of(server.get("/plain/").body, "/plain/")
    assert b".hidden" in names
    assert b"." not in names and b".." not in names


def test_every_hard_name_is_there(server):
    names = names_of(server.get("/hard/").body, "/hard/")
    assert sorted(names) == sorted(HARD_NAMES)


@pytest.mark.parametrize("name", HARD_NAMES)
def test_hard_name_can_be_clicked(server, name):
    """The link that the listing gives leads to the file: it holds its name."""
    links = check_html(server.get("/hard/").body).links
    ours = [a for a in links if os.path.basename(
        urllib.parse.unquote_to_bytes(a.split("?")[0])) == name]
    assert ours
    url = urllib.parse.urljoin("http://x/hard/", ours[0])
    assert url.startswith("http://x/hard/")
    target = urllib.parse.urlsplit(url)
    assert not target.query and not target.fragment
    assert server.get(target.path).body == name


@pytest.mark.parametrize("name", [
    n for n in HARD_NAMES if re.fullmatch(rb"[ -~\x80-\xff]+", n)
    and n.decode("utf-8", "ignore").encode() == n and len(n) < 40])
def test_hard_name_can_be_read(server, name):
    text = check_html(server.get("/hard/").body).text
    assert name.decode().strip() in text


def test_hard_name_of_a_directory(start, tmp_path):
    names = ["<i>", "a&b", "q?", "h#", "%41"]
    for name in names:
        (tmp_path / name / "inner").mkdir(parents=True)
    server = start(tmp_path)
    for name in names:
        base = f"/{urllib.parse.quote(name)}/"
        assert names_of(server.get(base).body, base) == [b"inner/"]


def test_empty_directory(start, tmp_path):
    server = start(tmp_path)
    r = server.get("/")
    assert r.status == 200
    assert names_of(r.body) == []


def test_dangling_link_breaks_nothing(server):
    r = server.get("/links/")
    assert r.status == 200
    check_html(r.body)


def test_listing_has_no_foreign_parts(server):
    """Works without scripts, and asks nobody else for anything."""
    body = server.get("/plain/").body
    assert not re.search(rb"(src|href)=[\"']?(https?:)?//", body)
    assert b"<script" not in body


@pytest.fixture(scope="session")
def crowd(tmp_path_factory):
    root = tmp_path_factory.mktemp("crowd")
    for i in range(CROWD):
        os.mknod(root / f"file-{i:06}.txt")
    return root


@pytest.mark.many_clients
def test_100_000_names(start, crowd):
    server = start(crowd)
    server.get("/nowhere")
    before = server.memory_kib()
    with server.connect(rcvbuf=65536) as c:
        c.send(request("/"))
        c.fill()
        # We do not read on: what grows now is the server.
        assert server.get("/nowhere").status == 404
        grown = server.memory_kib() - before
        body = c.receive().body
    found = re.findall(rb'href="(?:\./)?(file-\d{6}\.txt)"', body)
    assert found == [b"file-%06d.txt" % i for i in range(CROWD)]
    # The names must be sorted, so they are held; the page need not be.
    assert grown < (256 << 10 if is_sanitized() else 24 << 10)
    assert len(body) > 5 << 20


def test_listing_is_a_page_like_others(server):
    r = server.get("/plain/")
    assert "Last-Modified" not in r
    assert re.fullmatch(r'"[0-9a-f]{32}"', r["ETag"])
    again = server.get("/plain/", f"If-None-Match: {r['ETag']}")
    assert again.status == 304 and again["ETag"] == r["ETag"]
    assert server.get("/plain/", "Range: bytes=0-8").body == b"<!doctype"
    head = server.head("/plain/")
    assert head["Content-Length"] == str(len(r.body))
    assert head["ETag"] == r["ETag"]


def change_name(root):
    (root / "sub/b.txt").rename(root / "sub/c.txt")


def change_size(root):
    with open(root / "sub/b.txt", "ab") as f:
        f.write(b"more")


def change_time(root):
    os.utime(root / "sub/b.txt", (0, 86400 * 365))


def create(root):
    (root / "sub/new").mkdir()


def delete(root):
    (root / "sub/b.txt").unlink()


def create_index(root):
    (root / "sub/index.html").write_bytes(b"index\n")


@pytest.mark.parametrize("size", ["0", "64M"])
@pytest.mark.parametrize("change", [
    change_name, change_size, change_time, create, delete, create_index],
    ids=lambda f: f.__name__)
def test_change_is_seen(start, tmp_path, change, size):
    (tmp_path / "sub").mkdir()
    for name in ("a.txt", "b.txt"):
        (tmp_path / "sub" / name).write_bytes(b"text\n")
    server = start(tmp_path, f"--cache-size={size}")
    with server.connect() as c:
        old = c.ask(request("/sub/"))
        assert c.ask(request("/sub/")).body == old.body
        change(tmp_path)
        new = c.ask(request("/sub/"))
        assert new.status == 200 and new["ETag"] != old["ETag"]
        assert new.body != old.body


@pytest.mark.parametrize("size", ["0", "64M"])
def test_what_nobody_tells_of_is_seen_in_a_second(start, tmp_path, size):
    """The date of a sub-directory, and of what a link leads to."""
    (tmp_path / "sub/inner").mkdir(parents=True)
    (tmp_path / "target").write_bytes(b"text\n")
    (tmp_path / "sub/link").symlink_to("../target")
    server = start(tmp_path, f"--cache-size={size}")
    server.get("/sub/")
    os.utime(tmp_path / "sub/inner", (0, 86400 * 365))
    (tmp_path / "target").write_bytes(b"longer text\n")

    def is_seen():
        body = server.get("/sub/").body
        return b"1971-01-01" in body and b"<td>12<td>" in body

    assert wait_until(is_seen, SOON_S)


def test_many_wait_for_one(start, crowd):
    """Who asks while a list is made gets that one."""
    server = start(crowd)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect())
                   for _ in range(20)]
        for c in clients:
            c.send(request("/"))
        # Small requests have their turn in the meantime.
        assert server.get("/nowhere").status == 404
        answers = [c.receive() for c in clients]
    assert {r.status for r in answers} == {200}
    assert len({r["ETag"] for r in answers}) == 1
    assert len({r.body for r in answers}) == 1
