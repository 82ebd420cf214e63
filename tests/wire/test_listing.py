# SPDX-License-Identifier: ISC
"""Listings of directories: order, escaping, valid HTML, and 100,000 names."""

import os
import re
import time
import urllib.parse

import pytest

from docroot import HARD_NAMES
from html_check import check_html
from rawhttp import request
from server import is_sanitized

CROWD = 100_000


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
    began = time.monotonic()
    with server.connect(rcvbuf=65536, timeout=30) as c:
        c.send(request("/"))
        c.fill()
        # We do not read on: what grows now is the server.
        assert server.get("/nowhere").status == 404
        grown = server.memory_kib() - before
        body = c.receive().body
    assert time.monotonic() - began < 20
    found = re.findall(rb'href="(?:\./)?(file-\d{6}\.txt)"', body)
    assert found == [b"file-%06d.txt" % i for i in range(CROWD)]
    # The names must be sorted, so they are held; the page need not be.
    assert grown < (256 << 10 if is_sanitized() else 24 << 10)
    assert len(body) > 5 << 20
