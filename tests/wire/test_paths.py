# SPDX-License-Identifier: ISC
"""From URL to file: decoding, dots, directories and their redirects."""

import urllib.parse

import pytest

import docroot
from html_check import check_html
from rawhttp import request

# target, status, body (None: whatever)
PATHS = [
    ("/ping.txt", 200, b"pong\n"),
    ("/%70ing.txt", 200, b"pong\n"),
    ("/%70%69%6E%67%2e%74%78%74", 200, b"pong\n"),
    ("//ping.txt", 200, b"pong\n"),
    ("///sub///page.txt", 200, b"page\n"),
    ("/./ping.txt", 200, b"pong\n"),
    ("/%2e/ping.txt", 200, b"pong\n"),
    ("/sub/../ping.txt", 200, b"pong\n"),
    ("/sub/%2E%2e/ping.txt", 200, b"pong\n"),
    ("/nowhere/../ping.txt", 200, b"pong\n"),
    ("/sub/", 200, docroot.FILES[b"sub/index.html"]),
    ("/", 200, docroot.FILES[b"index.html"]),
    ("/?q", 200, docroot.FILES[b"index.html"]),

    ("/nowhere", 404, None),
    ("/Ping.txt", 404, None),
    ("/ping.txt/", 404, None),
    ("/ping.txt/x", 404, None),
    ("/ping.txt/.", 404, None),
    ("/ping+txt", 404, None),
    ("/%2570ing.txt", 404, None),                   # decoded once
    ("/" + "a" * 300, 404, None),
    ("/" + "a/" * 3000, 404, None),
    ("/" + "a" * 5000, 404, None),

    ("/.hidden", 404, None),
    ("/%2ehidden", 404, None),
    ("/.dir/", 404, None),
    ("/.dir/file", 404, None),
    ("/plain/.hidden", 404, None),
    ("/...", 404, None),
    ("/.well-known/security.txt", 200, None),
    ("/.well-known/.hidden", 404, None),
    ("/sub/.well-known/security.txt", 404, None),
    ("/.well-knownx/security.txt", 404, None),
]


@pytest.mark.parametrize("target,status,body", PATHS,
                         ids=[case[0][:40] for case in PATHS])
def test_path(server, target, status, body):
    talk = server.talk(request(target))
    assert talk.story == f"{status} open"
    assert body is None or talk[0].body == body


def test_hidden_on_request(start, site):
    server = start(site, "--hidden")
    assert server.get("/.hidden").body == b"hidden\n"
    assert server.get("/plain/.hidden").body == b"hidden\n"
    assert server.get("/%2e%2e/secret.txt").status == 400


# target, where it leads
REDIRECTS = [
    ("/sub", "/sub/"),
    ("/sub?a=b&c=%20d", "/sub/?a=b&c=%20d"),
    ("/sub?", "/sub/?"),
    ("/plain/deeper", "/plain/deeper/"),
    ("/s%75b", "/sub/"),
    ("/./sub", "/sub/"),
    ("/plain/../sub", "/sub/"),
    # A location that begins with two slashes would name another host.
    ("//evil", "/evil/"),
    ("////evil?x", "/evil/?x"),
    ("/.//evil", "/evil/"),
    ("/sub/..//evil", "/evil/"),
    ("http://elsewhere/evil", "/evil/"),
]


@pytest.mark.parametrize("target,expected", REDIRECTS)
def test_redirect(server, target, expected):
    talk = server.talk(request(target))
    assert talk.story == "301 open"
    location = talk[0]["Location"]
    there = urllib.parse.urlsplit(
        urllib.parse.urljoin("http://x/", location))
    # A client that names another host in the target may get that one back.
    assert there.netloc in ("x", "elsewhere" if "elsewhere" in target else "x")
    assert location.partition(there.netloc)[2] == expected \
        or location == expected


@pytest.mark.parametrize("target", ["/links/inside-dir", "/many"])
def test_redirect_keeps_the_path(server, target):
    assert server.get(target)["Location"].endswith(target + "/")


@pytest.mark.parametrize("target", [
    "/sub", "/sub?a=b&lt=c", '/sub?"><script>', "/sub?\u00fc",
    "/evil%0d%0aX-Injected:%20yes"])
def test_redirect_has_a_page_with_a_link(server, target):
    """For people, whose browser does not follow (RFC 1945 9.3)."""
    with server.connect() as c:
        r = c.ask(request(target.encode().decode("latin-1")))
    assert r["Content-Type"] == "text/html; charset=utf-8"
    page = check_html(r.body)
    assert [link.encode() for link in page.links] == [
        r["Location"].encode("latin-1")]
    assert "script" not in page.tags


def test_redirect_injects_no_field(server):
    r = server.get("/evil%0d%0aX-Injected:%20yes")
    assert r.status == 301
    assert "X-Injected" not in r
    assert "%0d%0a" in r["Location"].lower()


def test_query_injects_no_field(server):
    talk = server.talk(request("/sub?a%0d%0aX-Injected:%20yes"))
    assert talk.story == "301 open"
    assert "X-Injected" not in talk[0]


def test_index_by_another_name(start, site):
    server = start(site, "--index=page.txt")
    assert server.get("/sub/").body == b"page\n"
    assert server.get("/").body != docroot.FILES[b"index.html"]


def test_no_listings(start, site):
    server = start(site, "--no-index")
    assert server.get("/plain/").status in (403, 404)
    assert server.get("/sub/").status == 200
    assert b"one.txt" not in server.get("/plain/").body


def test_index_that_is_no_file(start, tmp_path):
    (tmp_path / "index.html").mkdir()
    assert start(tmp_path).get("/").status in (200, 403, 404)


def test_index_has_its_own_type_and_tag(server):
    index, file = server.get("/sub/"), server.get("/sub/index.html")
    for name in ("Content-Type", "ETag", "Last-Modified"):
        assert index[name] == file[name]
