# SPDX-License-Identifier: ISC
"""What is known of files while they change.

A writer changes files at random and notes when each state began and ended;
readers note when they asked and were answered.  All clocks are one, so an
answer is right when, and only when, its content is a state that the file may
have had in between.
"""

import contextlib
import os
import random
import shutil
import subprocess
import threading
import time
import zlib

import pytest

import docroot
from rawhttp import Malformed, request
from server import is_sanitized

RECORD = 64                     # divides a page: it is written at once
SMALL, LARGE = 20, 5000         # records
SECONDS = 3                     # and until all was seen, for PATIENCE_S
PATIENCE_S = 120


@pytest.fixture(autouse=True)
def seed():
    """Shown with a failure.  What is chosen is the same then, when is not."""
    number = int(os.environ.get("SWS_SEED", random.randrange(1 << 32)))
    random.seed(number)
    print(f"SWS_SEED={number}")


def record(generation, i):
    text = f"{generation:010} {i:010} ".encode().ljust(RECORD - 9, b".")
    return text + f"{zlib.crc32(text):08x}\n".encode()


def content(generation, n):
    return b"".join(record(generation, i) for i in range(n))


class File:
    """One file, and the history of its states: (content, begin, end)."""

    def __init__(self, root, name, most):
        self.path, self.target, self.most = root / name, f"/{name}", most
        self.generation, self.n = 0, 0
        self.mode = 0o644
        self.states = []
        self.change(self.replace)

    def change(self, how):
        """The state before may be seen until this is over, the one after it
        from its beginning."""
        begin = time.monotonic()
        how()
        end = time.monotonic()
        if self.states:
            self.states[-1][2] = end
        state = ("gone" if not self.path.exists() else
                 (self.generation, self.n) if self.mode else "forbidden")
        self.states.append([state, begin, None])

    # Each leaves one state, reached in one step.

    def replace(self):
        self.generation += 1
        self.n = random.randint(1, self.most)
        new = self.path.with_suffix(".new")
        new.write_bytes(content(self.generation, self.n))
        new.chmod(0o644)
        self.mode = 0o644
        new.rename(self.path)

    def append(self):
        with open(self.path, "ab", buffering=0) as f:
            f.write(record(self.generation, self.n))
        self.n += 1

    def truncate(self):
        n = random.randint(0, self.n)
        os.truncate(self.path, n * RECORD)
        self.n = n

    def rename_away(self):
        self.path.rename(self.path.with_suffix(".old"))

    def chmod(self):
        self.mode ^= 0o644
        self.path.chmod(self.mode)

    def step(self):
        if not self.path.exists():
            self.change(self.replace)
        elif self.most == LARGE:
            # What is sent from the file itself is only ever replaced.
            self.change(self.replace)
        else:
            ways = [self.replace, self.rename_away, self.chmod]
            if self.mode or os.geteuid() == 0:
                ways += [self.append, self.truncate]
            self.change(random.choice(ways))

    def possible(self, begin, end):
        """The states that an answer between the two may tell of."""
        return [s for s, since, until in self.states
                if since <= end and (until is None or until >= begin)]


def what(response):
    """The state that an answer tells of."""
    if response.status == 404:
        return "gone"
    if response.status == 403:
        return "forbidden"
    assert response.status == 200
    body = response.body
    assert len(body) % RECORD == 0, "half a record"
    generations = {int(body[:10])} if body else set()
    n = len(body) // RECORD
    for generation in generations:
        assert body == content(generation, n), "not one version"
        return generation, n
    return 0, 0                 # all generations are alike when empty


def is_among(state, possible):
    if state == (0, 0):
        return any(not isinstance(s, str) and s[1] == 0 for s in possible)
    return state in possible


class Reader(threading.Thread):
    """Asks again and again on one connection, often conditionally."""

    def __init__(self, server, files, is_over):
        super().__init__()
        self.server, self.files, self.is_over = server, files, is_over
        self.known = {}         # (target, strong tag): state
        self.told = []
        self.answers = {200: 0, 304: 0, 403: 0, 404: 0}
        self.error = None

    def ask(self, c, file):
        tags = [tag for target, tag in self.known if target == file.target]
        fields = ()
        if tags and random.random() < 0.5:
            fields = (f"If-None-Match: {random.choice(tags[-3:])}",)
        begin = time.monotonic()
        r = c.ask(request(file.target, *fields))
        end = time.monotonic()
        self.answers[r.status] += 1
        if r.status == 304:
            state = self.known[file.target, r["ETag"]]
        else:
            state = what(r)
        # Judged in the end: the writer may just now write its history.
        self.told.append((file, r.status, state, begin, end))
        tag = r.get("ETag")
        if r.status == 200 and tag and not tag.startswith("W/"):
            assert self.known.setdefault((file.target, tag), state) == state

    def check(self):
        if self.error:
            raise self.error
        for file, status, state, begin, end in self.told:
            possible = file.possible(begin, end)
            assert is_among(state, possible), (
                f"{file.target}: {status} {state}, but it was {possible}")

    def ask_on_one_connection(self):
        with self.server.connect(timeout=60) as c:
            while not self.is_over.is_set():
                file = random.choice(self.files)
                try:
                    self.ask(c, file)
                except Malformed as e:
                    # A file may be cut while it is read or sent: what was
                    # promised is gone, and to close says so.
                    if "too early" not in str(e):
                        raise
                    return

    def run(self):
        try:
            while not self.is_over.is_set():
                self.ask_on_one_connection()
        except Exception as e:  # noqa: BLE001: the test is told of all
            self.error = e


@pytest.mark.parametrize("engine,options", [
    ("epoll", ()),
    ("epoll", ("--etag=content",)),
    ("epoll", ("--cache-size=0",)),
    ("poll", ()),
    ("select", ()),
], ids=lambda v: " ".join(v) if isinstance(v, tuple) else v)
def test_every_answer_was_true(start, tmp_path, engine, options):
    root = tmp_path / "root"
    root.mkdir()
    files = [File(root, f"{i}.txt", SMALL) for i in range(3)]
    files.append(File(root, "large.txt", LARGE))
    server = start(root, "--no-compress", *options, engine=engine)
    is_over = threading.Event()
    readers = [Reader(server, files, is_over) for _ in range(3)]

    def total():
        return {s: sum(r.answers[s] for r in readers)
                for s in readers[0].answers}

    def goes_on():
        took = time.monotonic() - begin
        return all(r.is_alive() for r in readers) and (
            took < SECONDS
            or took < PATIENCE_S and min(total().values()) == 0)

    begin = time.monotonic()
    for r in readers:
        r.start()
    try:
        while goes_on():
            random.choice(files).step()
            time.sleep(random.random() * 0.005)
    finally:
        is_over.set()
        for r in readers:
            r.join()
    for r in readers:
        r.check()
    # All kinds were there, or nothing was tested.
    assert min(total().values()) > 0, total()


@contextlib.contextmanager
def load(server):
    if not shutil.which("wrk"):
        yield
        return
    with subprocess.Popen(
            ["wrk", "-t1", "-c4", "-d600",
             f"http://127.0.0.1:{server.port}/other.txt"],
            stdout=subprocess.DEVNULL) as wrk:
        try:
            yield
        finally:
            wrk.terminate()


@pytest.mark.parametrize("size", ["64M", "0"])
def test_moved_then_got(start, tmp_path, size):
    """On a connection that is kept and on new ones; 10,000 times in
    `make test-long'."""
    root = tmp_path / "root"
    docroot.write(root / "other.txt", b"other\n")
    server = start(root, f"--cache-size={size}")
    times = int(os.environ.get("SWS_MOVES",
                               1000 if is_sanitized() else 3000))
    with server.connect() as kept, load(server):
        for i in range(times):
            text = f"{i} {'x' * (i % 100)}\n".encode()
            with open(root / "new", "wb") as f:
                f.write(text)
            os.rename(root / "new", root / "file.txt")
            if i % 4 == 0:
                with server.connect() as c:
                    r = c.ask(request("/file.txt"))
            else:
                r = kept.ask(request("/file.txt"))
            assert r.body == text, i


FIELDS = [
    (), ("Range: bytes=0-9",), ("Range: bytes=-5",), ("Range: bytes=2-",),
    ("Range: bytes=9999999-",), ("Range: bytes=0-1,4-5",),
    ("Range: junk",), ("If-None-Match: *",), ('If-None-Match: "x"',),
    ('If-Match: "x"',), ("If-Match: *",),
    (f"If-Modified-Since: {docroot.MTIME_TEXT}",),
    ("If-Modified-Since: Wed, 01 Jan 2020 00:00:00 GMT",),
    ("If-Unmodified-Since: Wed, 01 Jan 2020 00:00:00 GMT",),
    ("Range: bytes=0-9", 'If-Range: "x"'),
    ("Range: bytes=0-9", f"If-Range: {docroot.MTIME_TEXT}"),
    ("Accept-Encoding: gzip",), ("Accept-Encoding: identity;q=0",),
]

TARGETS = [
    "/small.txt", "/small.txt?query", "/sm%61ll.txt", "/./small.txt",
    "//small.txt", "/sub/../small.txt", "/large.bin", "/empty", "/sub",
    "/sub/", "/sub/?C=M", "/list/", "/no", "/no/", "/no/no", "/small.txt/",
    "/small.txt/no", "/link", "/dangling", "/out", "/second", "/.hidden",
    "/page.html", "/page.html.gz", "/epoch", "/%00", "/../x", "/unreadable",
    "/list/loop", "*",
]


@pytest.fixture(scope="session")
def varied(tmp_path_factory):
    root = tmp_path_factory.mktemp("varied")
    for name, text in (
            ("small.txt", b"0123456789 small\n"), ("empty", b""),
            ("large.bin", bytes(range(256)) * 1024), (".hidden", b"x"),
            ("sub/index.html", b"<p>index\n"), ("list/a", b"a"),
            ("list/b c", b"b"), ("list/d/e", b"e"), ("second", b"2"),
            ("page.html", b"<p>plain\n" * 100), ("page.html.gz", b"\x1f\x8b"),
            ("epoch", b"epoch\n"), ("unreadable", b"x")):
        docroot.write(root / name, text)
    os.link(root / "second", root / "third")
    os.symlink("small.txt", root / "link")
    os.symlink("nothing", root / "dangling")
    os.symlink("/etc/passwd", root / "out")
    os.symlink("loop", root / "list/loop")
    os.utime(root / "epoch", (1, 1))
    os.utime(root / "list/d", (docroot.MTIME, docroot.MTIME))
    (root / "unreadable").chmod(0)
    return root


def corpus():
    for target in TARGETS:
        yield target, (), "GET"
        yield target, (), "HEAD"
        yield target, (), "POST"
        yield target, (), "OPTIONS"
    for target in ("/small.txt", "/large.bin", "/list/", "/link", "/no",
                   "/page.html", "/epoch", "/sub/"):
        for fields in FIELDS[1:]:
            yield target, fields, "GET"
            yield target, fields, "HEAD"


def seen(c, target, fields, method):
    r = c.ask(request(target, *fields, method=method), method)
    # Parts of a multipart body are divided by what nobody can guess.
    kind = r.get("Content-Type") or ""
    boundary = kind.partition("boundary=")[2]
    body = r.body
    if boundary:
        body = body.replace(boundary.strip('"').encode(), b"")
        kind = "multipart"
    return (r.status, r.reason, kind, body, r.framing,
            [(n, v) for n, v in r.fields
             if n not in ("Date", "Content-Type")])


@pytest.mark.parametrize("etag", ["mtime", "content", "none"])
def test_known_or_not_is_the_same(start, varied, etag):
    options = ("--no-compress", f"--etag={etag}")
    known = start(varied, *options)
    unknown = start(varied, "--cache-size=0", *options)
    asked = list(corpus())
    assert len(asked) > 200
    for server in (known, unknown):         # until digests are known
        deadline = time.monotonic() + 30
        while etag == "content" and time.monotonic() < deadline and \
                "ETag" not in server.get("/large.bin"):
            time.sleep(0.01)
    for target, fields, method in asked:
        answers = []
        for server in (known, known, unknown):
            with server.connect() as c:
                answers.append(seen(c, target, fields, method))
        assert answers[0] == answers[2], (target, fields, method)
        assert answers[1] == answers[2], (target, fields, method)
