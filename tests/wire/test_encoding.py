# SPDX-License-Identifier: ISC
"""Representations: which one a client gets (RFC 9110 12.5.3), what each of
them says of itself, and that all follow the file."""

import os
import random
import signal

import pytest

from codings import ENCODE, SUFFIXES, begun, decoded
from docroot import MTIME, write
from rawhttp import request
from server import children, status_kib, wait_until

TEXT = b"".join(b"%d bottles of beer on the wall\n" % i for i in range(2000))
NOISE = random.Random(4711).randbytes(20000)
CODINGS = list(SUFFIXES)
# What compresses steps back behind all others, on a busy machine for long.
MADE_S = 300
CACHES = {"known": (), "unknown": ("--cache-size=0",)}


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


def put(root, name, content=TEXT, mtime=MTIME):
    return write(root / name, content, mtime)


def put_sidecar(root, name, coding, content=TEXT, mtime=MTIME):
    return write(root / (name + SUFFIXES[coding]), ENCODE[coding](content),
                 mtime)


@pytest.fixture
def beside(start, root):
    """A server that compresses nothing, with all sidecars of /f.txt."""
    put(root, "f.txt")
    for coding in CODINGS:
        put_sidecar(root, "f.txt", coding)
    return start(root, "--no-compress")


def ask(server, accept, *fields, target="/f.txt", method="GET"):
    if accept is not None:
        fields = (f"Accept-Encoding: {accept}", *fields)
    return server.get(target, *fields, method=method)


def coding_of(server, accept, target="/f.txt"):
    """The coding it is sent in, once it is known to be right."""
    response = ask(server, accept, target=target)
    assert response.status == 200
    assert decoded(response) == TEXT
    assert response["Vary"] == "Accept-Encoding"
    return response.get("Content-Encoding")


SMALLEST = min(CODINGS, key=lambda coding: len(ENCODE[coding](TEXT)))

# Accept-Encoding; what is sent
CHOICES = {
    "none": (None, None),
    "empty": ("", None),
    "gzip": ("gzip", "gzip"),
    "br": ("br", "br"),
    "zstd": ("zstd", "zstd"),
    "x-gzip": ("x-gzip", "gzip"),
    "case": ("GZIP", "gzip"),
    "others": ("deflate, compress", None),
    "browser": ("gzip, deflate, br, zstd", SMALLEST),
    "all": ("*", SMALLEST),
    "weights": ("br;q=0.5, gzip;q=0.6, zstd;q=0.4", "gzip"),
    "weights, identity": ("br;q=0.5, identity", None),
    "identity less": ("br;q=0.5, identity;q=0.4", "br"),
    "excluded": ("gzip;q=0", None),
    "excluded of all": ("*, br;q=0, zstd;q=0", "gzip"),
    "no identity": ("zstd, identity;q=0", "zstd"),
    "nothing else": ("br, *;q=0", "br"),
    "malformed weight": ("br;q=7, gzip", "gzip"),
    "malformed member": ("br;;, gzip", "gzip"),
}


@pytest.mark.parametrize("accept, coding", CHOICES.values(), ids=CHOICES)
def test_choice(beside, accept, coding):
    for _ in range(2):
        assert coding_of(beside, accept) == coding


def test_choice_of_two_lines(beside):
    response = ask(beside, "deflate", "Accept-Encoding: gzip")
    assert response["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("accept", ["identity;q=0", "*;q=0",
                                    "compress, identity;q=0"])
def test_nothing_acceptable(beside, accept):
    response = ask(beside, accept)
    assert response.status == 406
    assert response["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in response


def test_types_that_gain_nothing_are_not_negotiated(start, root):
    put(root, "a.png", NOISE)
    put_sidecar(root, "a.png", "gzip", NOISE)
    server = start(root)
    for accept in "gzip", "identity;q=0", "*;q=0":
        response = ask(server, accept, target="/a.png")
        assert response.status == 200
        assert response.body == NOISE
        assert "Vary" not in response
        assert "Content-Encoding" not in response


def test_sidecar_by_its_own_name(beside, root):
    response = ask(beside, "gzip", target="/f.txt.gz")
    assert response.body == (root / "f.txt.gz").read_bytes()
    assert response["Content-Type"] == "application/gzip"
    assert "Content-Encoding" not in response
    assert "Vary" not in response


def test_sidecar_alone(start, root):
    put(root, "other.txt")
    put_sidecar(root, "f.txt", "gzip")
    assert ask(start(root), "gzip").status == 404


def test_each_has_its_own_tag(beside):
    tags = {ask(beside, accept)["ETag"] for accept in ["", *CODINGS]}
    assert len(tags) == 1 + len(CODINGS)
    assert not any(tag.startswith("W/") for tag in tags)


@pytest.mark.parametrize("coding", CODINGS)
def test_conditions(beside, coding):
    plain = ask(beside, None)["ETag"]
    whole = ask(beside, coding)
    tag = whole["ETag"]

    same = ask(beside, coding, f"If-None-Match: {tag}")
    assert same.status == 304
    assert same["ETag"] == tag
    assert same["Vary"] == "Accept-Encoding"
    assert same["Cache-Control"] == "no-cache"
    assert "Content-Encoding" not in same
    assert "Content-Type" not in same

    assert ask(beside, coding, f"If-None-Match: {plain}").status == 200
    assert ask(beside, None, f"If-None-Match: {tag}").status == 200
    assert ask(beside, coding, f"If-Match: {tag}").status == 200
    failed = ask(beside, coding, f"If-Match: {plain}")
    assert failed.status == 412
    assert failed["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("coding", CODINGS)
def test_ranges_are_of_what_is_chosen(beside, root, coding):
    coded = (root / ("f.txt" + SUFFIXES[coding])).read_bytes()
    part = ask(beside, coding, "Range: bytes=10-19")
    assert part.status == 206
    assert part.body == coded[10:20]
    assert part["Content-Range"] == f"bytes 10-19/{len(coded)}"
    assert part["Content-Encoding"] == coding
    assert part["Vary"] == "Accept-Encoding"

    behind = ask(beside, coding, f"Range: bytes={len(coded)}-")
    assert behind.status == 416
    assert behind["Content-Range"] == f"bytes */{len(coded)}"
    assert behind["Vary"] == "Accept-Encoding"

    several = ask(beside, coding, "Range: bytes=0-1,5-6")
    assert (several.status, several.body) == (200, coded)

    tag = ask(beside, None)["ETag"]
    other = ask(beside, coding, "Range: bytes=10-19", f"If-Range: {tag}")
    assert (other.status, other.body) == (200, coded)


def test_range_of_the_plain_file(beside):
    part = ask(beside, None, "Range: bytes=10-19")
    assert part.body == TEXT[10:20]
    assert "Content-Encoding" not in part


@pytest.mark.parametrize("accept", [None, *CODINGS])
def test_head(beside, accept):
    got, head = (ask(beside, accept, method=m) for m in ("GET", "HEAD"))
    assert [f for f in got.fields if f[0] != "Date"] == \
        [f for f in head.fields if f[0] != "Date"]


# What lies there as f.txt.gz, and is not sent.
def older(root):
    put_sidecar(root, "f.txt", "gzip", mtime=MTIME - 1)


def empty(root):
    put(root, "f.txt.gz", b"")


def directory(root):
    (root / "f.txt.gz").mkdir()


def unreadable(root):
    put_sidecar(root, "f.txt", "gzip").chmod(0)


def fifo(root):
    os.mkfifo(root / "f.txt.gz")


def outside(root):
    other = write(root.parent / "outside.gz", ENCODE["gzip"](b"secret"))
    (root / "f.txt.gz").symlink_to(other)


@pytest.mark.parametrize("lay", [older, empty, directory, unreadable, fifo,
                                 outside], ids=lambda lay: lay.__name__)
@pytest.mark.parametrize("options", CACHES.values(), ids=CACHES)
def test_no_sidecar(start, root, lay, options):
    if lay is unreadable and os.geteuid() != 0:
        pytest.skip("the server is the owner")
    put(root, "f.txt")
    lay(root)
    server = start(root, "--no-compress", *options)
    for _ in range(3):
        assert coding_of(server, "gzip") is None


@pytest.mark.parametrize("options", CACHES.values(), ids=CACHES)
def test_known_or_not(start, root, options):
    """The same answers, of what lies there."""
    put(root, "f.txt")
    put_sidecar(root, "f.txt", "gzip")
    server = start(root, "--no-compress", *options)
    for _ in range(2):
        assert coding_of(server, "gzip, br") == "gzip"
        assert coding_of(server, "br") is None
        assert ask(server, "br, identity;q=0").status == 406


def test_newer_sidecar(start, root):
    put(root, "f.txt")
    put_sidecar(root, "f.txt", "gzip", mtime=MTIME + 5)
    assert coding_of(start(root, "--no-compress"), "gzip") == "gzip"


S = MTIME * 10**9
AHEAD = 21 * 10**17     # later than the sidecar is made: 2036

# Times of the file and of the sidecar, in ns; is it sent?
TIMES = {
    "equal": (S + 123456789, S + 123456789, True),
    "older by a bit": (S + 123456789, S + 123456788, False),
    "seconds": (S + 123456789, S, True),
    "seconds, older": (S + 123456789, S - 10**9, False),
    "microseconds": (S + 123456789, S + 123456000, True),
    "microseconds, older": (S + 123456789, S + 123455000, False),
    "seconds, file changed since": (AHEAD + 123456789, AHEAD, False),
}


@pytest.mark.parametrize(("plain", "side", "is_sent"), TIMES.values(),
                         ids=TIMES)
def test_grain_of_times(start, root, plain, side, is_sent):
    """utime(2) and utimes(2) cannot copy a time to the nanosecond."""
    put(root, "f.txt")
    put_sidecar(root, "f.txt", "gzip")
    os.utime(root / "f.txt", ns=(plain, plain))
    os.utime(root / "f.txt.gz", ns=(side, side))
    server = start(root, "--no-compress")
    assert coding_of(server, "gzip") == ("gzip" if is_sent else None)


def test_sidecar_by_links(start, root):
    put(root, "releases/1/f.txt")
    put_sidecar(root, "releases/1/f.txt", "gzip")
    put(root, "releases/2/f.txt")
    (root / "now").symlink_to("releases/1")
    server = start(root, "--no-compress")
    for _ in range(3):
        assert coding_of(server, "gzip", "/now/f.txt") == "gzip"
    (root / "new").symlink_to("releases/2")
    os.rename(root / "new", root / "now")
    for _ in range(3):
        assert coding_of(server, "gzip", "/now/f.txt") is None
    put_sidecar(root, "releases/2/f.txt", "gzip")
    assert coding_of(server, "gzip", "/now/f.txt") == "gzip"


def test_sidecars_come_and_go(start, root):
    """Each change is there with the next request."""
    put(root, "f.txt")
    server = start(root, "--no-compress")
    for _ in range(20):
        assert coding_of(server, "gzip") is None
        side = put_sidecar(root, "f.txt", "gzip")
        assert coding_of(server, "gzip") == "gzip"
        os.utime(side, (MTIME - 1, MTIME - 1))
        assert coding_of(server, "gzip") is None
        os.utime(side, (MTIME, MTIME))
        assert coding_of(server, "gzip") == "gzip"
        os.utime(root / "f.txt", (MTIME + 1, MTIME + 1))
        assert coding_of(server, "gzip") is None
        os.utime(root / "f.txt", (MTIME, MTIME))
        assert coding_of(server, "gzip") == "gzip"
        side.unlink()


def test_index(start, root):
    put(root, "d/index.html")
    put_sidecar(root, "d/index.html", "br")
    assert coding_of(start(root, "--no-compress"), "br", "/d/") == "br"


# Compressed by the server.

def becomes(server, coding, target="/f.txt"):
    return wait_until(lambda: coding_of(server, coding, target) == coding,
                      MADE_S)


@pytest.fixture
def compressing(start, root):
    put(root, "f.txt")
    return start(root)


@pytest.mark.parametrize("coding", CODINGS)
def test_compressed(compressing, coding):
    first = ask(compressing, coding)
    assert first.status == 200 and first.body == TEXT
    assert becomes(compressing, coding)
    coded = ask(compressing, coding)
    assert len(coded.body) < len(TEXT) / 4
    assert coded["ETag"] != first["ETag"]
    assert coded["Content-Length"] == str(len(coded.body))
    tag = coded["ETag"]
    assert ask(compressing, coding, f"If-None-Match: {tag}").status == 304
    part = ask(compressing, coding, "Range: bytes=-7", f"If-Range: {tag}")
    assert part.body == coded.body[-7:]
    assert ask(compressing, None).body == TEXT


def test_large_compressed(start, root):
    """So large that it stays a file when it is compressed."""
    lines = random.Random(1).choices(TEXT.splitlines(), k=90000)
    text = b"\n".join(lines)
    put(root, "f.txt", text)
    server = start(root)
    wait_until(lambda: "Content-Encoding" in ask(server, "br"), MADE_S)
    response = ask(server, "br")
    assert response["Content-Encoding"] == "br"
    assert len(response.body) > 1 << 17
    assert decoded(response) == text


def test_what_changes_is_compressed_anew(compressing, root):
    assert becomes(compressing, "gzip")
    other = TEXT[::-1]
    put(root, "f.txt", other, MTIME + 10)
    response = ask(compressing, "gzip")
    assert decoded(response) == other
    wait_until(lambda: "Content-Encoding" in ask(compressing, "gzip"), MADE_S)
    assert decoded(ask(compressing, "gzip")) == other


def test_restart(compressing):
    """Who has what was made before the restart has it still."""
    assert becomes(compressing, "br")
    tag = ask(compressing, "br")["ETag"]
    compressing.stop()
    compressing.launch()
    same = ask(compressing, "br", f'If-None-Match: "x", {tag}')
    assert same.status == 304
    assert same["ETag"] == tag
    assert same["Vary"] == "Accept-Encoding"
    assert same["Cache-Control"] == "no-cache"
    for accept, other in (("gzip", tag), ("", tag),
                          ("br", tag.replace("-br.", "-bro."))):
        response = ask(compressing, accept, f"If-None-Match: {other}")
        assert response.status == 200


def test_sidecar_wins(compressing, root):
    assert becomes(compressing, "gzip")
    side = put_sidecar(root, "f.txt", "gzip")
    assert ask(compressing, "gzip").body == side.read_bytes()


LEFT_ALONE = {
    "small": ("f.txt", TEXT[:511], ()),
    "no gain": ("f.txt", NOISE, ()),
    "too large": ("f.txt", TEXT, ("--compress-max=10K",)),
    "turned off": ("f.txt", TEXT, ("--no-compress",)),
    "turned off by size": ("f.txt", TEXT, ("--compress-max=0",)),
}


@pytest.mark.parametrize("name, content, options", LEFT_ALONE.values(),
                         ids=LEFT_ALONE)
def test_left_alone(start, root, name, content, options):
    put(root, name, content)
    put(root, "mark.txt", TEXT[:9000])
    server = start(root, *options)
    for coding in CODINGS:
        ask(server, coding)
    if "compress" not in "".join(options[:1]) or "10K" in options[0]:
        # What was asked for later is there: so nothing comes of the first.
        wait_until(lambda: "Content-Encoding" in
                   ask(server, "br", target="/mark.txt"), MADE_S)
        assert "Content-Encoding" in ask(server, "br", target="/mark.txt")
    for coding in CODINGS:
        response = ask(server, coding)
        assert response.body == content
        assert "Content-Encoding" not in response
        assert response["Vary"] == "Accept-Encoding"


def test_compressed_for_one(start, root):
    """Who takes nothing as it is does not get it so."""
    put(root, "f.txt", NOISE)
    server = start(root)
    for coding in CODINGS:
        response = ask(server, f"{coding}, identity;q=0")
        assert response["Content-Encoding"] == coding
        assert decoded(response) == NOISE
    assert ask(server, "identity;q=0").status == 406


def encoders(server):
    return server.processes("encoder")


def test_encoder_ends(compressing, root):
    """Files are sent as they are until there is another one."""
    assert becomes(compressing, "gzip")
    old = wait_until(lambda: encoders(compressing))[0]
    os.kill(old, signal.SIGKILL)
    put(root, "g.txt")
    assert decoded(ask(compressing, "br", target="/g.txt")) == TEXT
    assert coding_of(compressing, "gzip") == "gzip"
    assert becomes(compressing, "br", "/g.txt")
    assert encoders(compressing) != [old]


def test_encoder_steps_back(compressing):
    pid = wait_until(lambda: encoders(compressing))[0]
    # It has its name before it has stepped back.
    assert wait_until(lambda: os.getpriority(os.PRIO_PROCESS, pid) >=
                      min(19, 10 + os.getpriority(os.PRIO_PROCESS, 0)))


@pytest.mark.parametrize("option", ["--no-compress", "--compress-max=0",
                                    "--cache-size=0"])
def test_no_encoder(start, root, option):
    put(root, "f.txt")
    server = start(root, option)
    server.workers()
    assert len(encoders(server)) == 0
    assert children(server.process.pid)


def test_encoder_is_bounded(start, root):
    """Many files are compressed, in memory that stays within its bounds."""
    for i in range(60):
        put(root, f"{i}.txt", TEXT + b"%d" % i)
    server = start(root)
    for i in range(60):
        ask(server, "zstd", target=f"/{i}.txt")
    for i in range(60):
        wait_until(lambda: "Content-Encoding" in
                   ask(server, "zstd", target=f"/{i}.txt"), MADE_S)
        assert decoded(ask(server, "zstd", target=f"/{i}.txt")) == \
            TEXT + b"%d" % i
    assert status_kib(encoders(server)[0], "VmRSS") < 256 << 10


# What programs write.

HTML = b"Content-Type: text/html\n"


def said(server, text, accept="gzip", name="repeat", method="POST"):
    with server.connect() as c:
        return c.ask(request(
            f"/cgi-bin/{name}", f"Content-Length: {len(text)}",
            f"Accept-Encoding: {accept}", method=method, body=text), method)


@pytest.mark.parametrize("coding", CODINGS)
def test_program(cgi, coding):
    response = said(cgi, HTML + b"\n" + TEXT, coding)
    assert response["Content-Encoding"] == coding
    assert response["Vary"] == "Accept-Encoding"
    assert response.framing == "chunked"
    assert decoded(response) == TEXT
    assert len(response.body) < len(TEXT) / 4


def test_program_with_length(cgi):
    response = said(cgi, HTML + b"Content-Length: %d\n\n" % len(TEXT) + TEXT)
    assert response["Content-Encoding"] == "gzip"
    assert "Content-Length" not in response
    assert decoded(response) == TEXT


# what it says of its answer; whether Vary is added
UNTOUCHED = {
    "identity wanted": (HTML, "", True),
    "picture": (b"Content-Type: image/png\n", "gzip", False),
    "no type": (b"Status: 200\n", "gzip", False),
    "coded": (HTML + b"Content-Encoding: x-own\n", "gzip", False),
    "part": (HTML + b"Content-Range: bytes 0-1/2\n", "gzip", False),
    "no-transform": (HTML + b"Cache-Control: private, No-Transform\n", "gzip",
                     False),
    "status": (HTML + b"Status: 404\n", "gzip", False),
    "nothing acceptable": (HTML, "identity;q=0", True),
}


@pytest.mark.parametrize("head, accept, varies", UNTOUCHED.values(),
                         ids=UNTOUCHED)
def test_program_untouched(cgi, head, accept, varies):
    response = said(cgi, head + b"\n" + TEXT, accept)
    assert response.body == TEXT
    assert response.get("Content-Encoding") in (None, "x-own")
    assert ("Vary" in response) == varies


def test_short_program(cgi):
    response = said(cgi, HTML + b"Content-Length: 5\n\nshort")
    assert response.body == b"short"
    assert response["Content-Length"] == "5"


@pytest.mark.parametrize("tag, weak", [('"a"', 'W/"a"'), ('W/"a"', 'W/"a"')])
def test_tag_of_program(cgi, tag, weak):
    text = HTML + f"ETag: {tag}\n\n".encode() + TEXT
    assert said(cgi, text)["ETag"] == weak
    assert said(cgi, text, "")["ETag"] == tag


def test_program_that_breaks_its_word(cgi):
    """What is shorter than it said must not look whole."""
    text = HTML + b"Content-Length: %d\n\n" % (len(TEXT) + 1) + TEXT
    with cgi.connect() as c:
        c.send(request("/cgi-bin/repeat", f"Content-Length: {len(text)}",
                       "Accept-Encoding: gzip", method="POST", body=text))
        assert not c.rest().endswith(b"0\r\n\r\n")


def test_pause_of_program(cgi):
    """What it wrote is read before it writes more."""
    with cgi.connect() as c:
        c.send(request("/cgi-bin/begins", "Accept-Encoding: gzip"))
        head = c.head()
        assert head["Content-Encoding"] == "gzip"
        size = int(c.line(), 16)
        assert begun(c.take(size)).startswith(b"begun\n")


def test_endless_program_leaves_others_their_turn(cgi):
    with cgi.connect() as c:
        c.send(request("/cgi-bin/endless", "Accept-Encoding: gzip"))
        assert c.head()["Content-Encoding"] == "gzip"
        assert cgi.get("/ping.txt").status == 200


def test_no_compress_of_programs(start, site, cgi_bin):
    server = start(site, "-c", cgi_bin, "--no-compress")
    response = said(server, HTML + b"\n" + TEXT)
    assert response.body == TEXT
    assert "Vary" not in response


# Listings.

@pytest.fixture
def listed(root):
    for i in range(200):
        put(root, f"file-{i}.txt", b"")
    return root


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("options", CACHES.values(), ids=CACHES)
def test_listing(start, listed, coding, options):
    server = start(listed, *options)
    plain = ask(server, None, target="/")
    assert b"file-199.txt" in plain.body
    assert plain["Vary"] == "Accept-Encoding"
    for _ in range(3):
        response = ask(server, coding, target="/")
        assert response["Content-Encoding"] == coding
        assert response["Vary"] == "Accept-Encoding"
        assert decoded(response) == plain.body
        tag = response["ETag"]
        assert tag != plain["ETag"]
        assert ask(server, coding, f"If-None-Match: {tag}",
                   target="/").status == 304
        assert ask(server, coding, method="HEAD",
                   target="/")["Content-Encoding"] == coding
    if options:
        return
    # Then it is known, and has a length.
    assert wait_until(lambda: "Content-Length" in
                      ask(server, coding, target="/"), MADE_S)
    made = ask(server, coding, target="/")
    assert decoded(made) == plain.body
    assert not made["ETag"].startswith("W/")
    put(listed, "new.txt", b"")
    assert b"new.txt" in decoded(ask(server, coding, target="/"))


def test_listing_not_compressed(start, listed):
    response = ask(start(listed, "--no-compress"), "gzip", target="/")
    assert "Content-Encoding" not in response
    assert "Vary" not in response


def test_without_tags(start, root):
    put(root, "f.txt")
    put_sidecar(root, "f.txt", "gzip")
    server = start(root, "--etag=none")
    assert becomes(server, "br")
    for accept in "br", "gzip", None:
        assert "ETag" not in ask(server, accept)


def test_tags_of_content(start, tmp_path):
    """Two hosts have the same, whenever the files were copied."""
    tags = []
    for i in range(2):
        root = tmp_path / f"root{i}"
        put(root, "f.txt", mtime=MTIME + i)
        put_sidecar(root, "f.txt", "gzip", mtime=MTIME + 2 * i)
        server = start(root, "--etag=content")
        assert becomes(server, "br")
        tags.append([ask(server, a)["ETag"] for a in ("br", "gzip", None)])
    assert tags[0] == tags[1]
    assert len(set(tags[0])) == 3


# What may be done with copies.

def test_cache_control(start, root):
    for name in "a.css", "b.html", "static/a.js", "static/deep/c.js", "none":
        put(root, name)
    server = start(
        root, "--cache-control=*.css=max-age=60",
        "--cache-control=/static/a*=private", "--immutable=static/*",
        "--cache-control=/none=", "--cache-control=max-age=1, must-revalidate")
    wanted = {
        "/a.css": "max-age=60",
        "/b.html": "max-age=1, must-revalidate",
        "/static/a.js": "private",
        "/static/deep/c.js": "public, max-age=31536000, immutable",
        "/none": None,
    }
    for _ in range(2):
        for target, value in wanted.items():
            whole = ask(server, None, target=target)
            assert whole.get("Cache-Control") == value
            for field in ("Range: bytes=0-0",
                          f"If-None-Match: {whole['ETag']}"):
                assert ask(server, None, field, target=target).get(
                    "Cache-Control") == value


@pytest.mark.parametrize("target, status", [
    ("/ping.txt", 200), ("/missing", 404), ("/links", 301)])
def test_cache_control_by_default(server, target, status):
    response = server.get(target)
    assert response.status == status
    assert response["Cache-Control"] == "no-cache"


SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>" + b" " * 2000
SVGZ = ENCODE["gzip"](SVG)


@pytest.mark.parametrize("accept", [None, "gzip", "br, zstd, gzip;q=0.1",
                                    "identity", "gzip;q=0", "*;q=0"])
@pytest.mark.parametrize("options", CACHES.values(), ids=CACHES)
def test_svgz(start, root, accept, options):
    """It is stored coded: there is nothing to choose, nor to compress."""
    put(root, "a.svgz", SVGZ)
    put_sidecar(root, "a.svgz", "br", SVGZ)
    server = start(root, *options)
    for method in ("GET", "HEAD", "GET"):
        r = ask(server, accept, target="/a.svgz", method=method)
        assert r.status == 200
        assert r["Content-Type"] == "image/svg+xml"
        assert r["Content-Encoding"] == "gzip"
        assert r["Content-Length"] == str(len(SVGZ))
        assert "Vary" not in r
        assert r.body == (b"" if method == "HEAD" else SVGZ)
        kept = ask(server, accept, f"If-None-Match: {r['ETag']}",
                   target="/a.svgz", method=method)
        assert (kept.status, kept["ETag"]) == (304, r["ETag"])
        assert "Content-Encoding" not in kept


def test_ranges_of_svgz(start, root):
    """Of what is coded, and of several of them the whole."""
    put(root, "a.svgz", SVGZ)
    server = start(root)
    tag = server.get("/a.svgz")["ETag"]
    r = server.get("/a.svgz", "Range: bytes=2-11", f"If-Range: {tag}")
    assert (r.status, r.body) == (206, SVGZ[2:12])
    assert r["Content-Encoding"] == "gzip"
    r = server.get("/a.svgz", "Range: bytes=0-0,2-2")
    assert (r.status, r.body) == (200, SVGZ)


def test_svgz_that_is_none(start, root):
    put(root, "a.svgz", SVG)
    r = start(root, "--no-compress").get("/a.svgz", "Accept-Encoding: gzip")
    assert "Content-Encoding" not in r and r.body == SVG
