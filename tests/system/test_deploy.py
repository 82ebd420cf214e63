# SPDX-License-Identifier: ISC
"""The document root is replaced while it is served: a link that leads to
another directory, as git-sync, Kubernetes and Capistrano do it."""

import contextlib
import os
import re
import shutil
import statistics
import threading
import time

import pytest

from rawhttp import request
from server import children, wait_until

LARGE = 400_000         # bytes: more than one slice of output
SWAPS = 10
SEEN_S = 5.0            # until the new tree is seen, on a busy machine


def page(number, size):
    line = b"%d\n" % number
    return (line * (size // len(line) + 1))[:size]


PAGES = {"/small.txt": 64, "/large.txt": LARGE, "/": 1000}


class Site:
    """Releases, each of which carries its number on every page, and a link
    to one of them, the document root."""

    def __init__(self, path):
        self.path = path
        self.link = path / "current"

    def release(self, number):
        folder = self.path / "releases" / str(number)
        folder.mkdir(parents=True)
        for target, size in PAGES.items():
            name = target[1:] or "index.html"
            (folder / name).write_bytes(page(number, size))
        return folder

    def deploy(self, number):
        """As rename(2) replaces a link: there is one at any time."""
        new = self.path / "new"
        new.symlink_to(f"releases/{number}")
        new.replace(self.link)


@pytest.fixture
def site(tmp_path):
    result = Site(tmp_path)
    result.release(1)
    result.deploy(1)
    return result


def number_of(response, size):
    """Which release is it of?  All of it must be."""
    assert response.status == 200
    number = int(response.body.split(b"\n", 1)[0])
    assert response.body == page(number, size)
    return number


def ask(c, target="/small.txt"):
    return number_of(c.ask(request(target)), PAGES[target])


def get(server, target="/small.txt"):
    return number_of(server.get(target), PAGES[target])


def sees(server, number):
    return wait_until(lambda: get(server) == number)


def workers_settle(server, n):
    return wait_until(lambda: len(server.processes("worker")) == n)


def descriptors(pid, root):
    """What it has open, but for what is of the site."""
    links = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            links.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
    return sorted(re.sub(r"\d+", "N", link) for link in links
                  if not link.startswith(os.path.realpath(root)))


def all_descriptors(server, root):
    return [descriptors(server.process.pid, root),
            *(descriptors(pid, root) for pid in server.workers())]


class Clients:
    """Threads that ask all the time, each in its own way.

    Whoever has seen a release must not be shown an older one: not the same
    client, nor another that asks after that.
    """

    def __init__(self, server):
        self.server = server
        self.newest = 0
        self.counts = {}
        self.failures = []
        self.is_over = False
        ways = self.keeps, self.comes_anew, self.hesitates, self.pipelines
        self.threads = [threading.Thread(target=self.run, args=(way,))
                        for way in ways]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        for thread in self.threads:
            thread.join()

    def run(self, way):
        try:
            with contextlib.closing(self.server.connect()) as c:
                while not self.is_over:
                    for target in PAGES:
                        way(c, target)
                        name = way.__name__
                        self.counts[name] = self.counts.get(name, 0) + 1
        except Exception as error:
            self.failures.append((way.__name__, repr(error)))

    def check(self, number, newest_before):
        assert number >= newest_before, \
            f"{number} after {newest_before} was seen"
        self.newest = max(self.newest, number)

    def keeps(self, c, target):
        before = self.newest
        self.check(ask(c, target), before)

    def comes_anew(self, _, target):
        before = self.newest
        self.check(get(self.server, target), before)

    def hesitates(self, c, target):
        raw = request(target)
        c.send(raw[:20])
        # Other clients make up the pause: no clock.
        count = self.counts.get("keeps", 0)
        wait_until(lambda: self.is_over
                   or self.counts.get("keeps", 0) > count + 3, 0.5)
        before = self.newest
        self.check(number_of(c.ask(raw[20:]), PAGES[target]), before)

    def pipelines(self, c, target):
        before = self.newest
        c.send(request(target) * 8)
        for _ in range(8):
            number = number_of(c.receive(), PAGES[target])
            self.check(number, before)
            before = max(before, number)


@pytest.mark.parametrize("sandbox", ["on", "off"])
def test_no_answer_fails_or_goes_back(start, site, sandbox, record_property):
    server = start(site.link, f"--sandbox={sandbox}", workers=2)
    for number in range(2, SWAPS + 2):
        site.release(number)
    one, other = server.workers()
    assert get(server) == 1
    assert wait_until(lambda: server.connections() == 0)
    n_services = len(children(server.process.pid)) - 2
    # One has answered, so it has all that it will have; so has the other then.
    assert wait_until(lambda: descriptors(one, site.path)
                      == descriptors(other, site.path))
    before = all_descriptors(server, site.path)
    delays = []
    with Clients(server) as clients:
        for number in range(2, SWAPS + 2):
            begin = time.monotonic()
            site.deploy(number)
            assert sees(server, number), server.stderr()
            delays.append(time.monotonic() - begin)
            # The next swap comes when all have seen this one.
            counts = dict(clients.counts)
            wait_until(lambda: clients.failures or all(
                clients.counts.get(name, 0) > counts.get(name, 0) + 3
                for name in ("keeps", "comes_anew", "pipelines")))
            assert not clients.failures, server.stderr()
    assert not clients.failures
    assert len(clients.counts) == 4
    record_property("median_ms", 1000 * statistics.median(delays))
    assert statistics.median(delays) < SEEN_S
    assert workers_settle(server, 2)
    # No zombies: of the other roles, one each.
    assert wait_until(
        lambda: len(children(server.process.pid)) == 2 + n_services)
    if not wait_until(lambda: all_descriptors(server, site.path) == before):
        assert all_descriptors(server, site.path) == before
    assert server.stderr().count("another directory") == SWAPS


def test_swaps_in_quick_succession(start, site):
    server = start(site.link, workers=2)
    for number in range(2, 42):
        site.release(number)
    with Clients(server) as clients:
        for number in range(2, 42):
            site.deploy(number)
        assert sees(server, 41), server.stderr()
    assert not clients.failures
    assert workers_settle(server, 2)


def test_idle_connections_move(start, site):
    server = start(site.link, workers=2)
    site.release(2)
    site.release(3)
    idle = [server.connect() for _ in range(300)]
    assert {ask(c) for c in idle} == {1}
    site.deploy(2)
    assert sees(server, 2)
    # They went with nothing of theirs left behind.
    assert workers_settle(server, 2)
    site.deploy(3)
    assert sees(server, 3)
    assert {ask(c) for c in idle} == {3}
    for c in idle:
        c.close()


def test_half_a_head_moves(start, site):
    server = start(site.link)
    site.release(2)
    raw = request("/small.txt", "Accept-Language: " + "x" * 3000)
    with server.connect() as c:
        assert ask(c) == 1
        c.send(raw[:2000])
        # It has been read when a later request is answered; a worker takes
        # what is ready in turn.
        for _ in range(3):
            assert get(server) == 1
        site.deploy(2)
        assert sees(server, 2)
        assert number_of(c.ask(raw[2000:]), PAGES["/small.txt"]) == 2


def test_what_runs_is_finished(start, site):
    """A download goes on from the old tree, and its connection then serves
    the new one."""
    size = 64 << 20
    (site.path / "releases/1/huge").write_bytes(bytes(size))
    server = start(site.link)
    site.release(2)
    with server.connect(rcvbuf=65536) as c:
        c.send(request("/huge"))
        assert c.head().status == 200
        assert len(c.take(100_000)) == 100_000
        old, = server.workers()
        # What comes behind it is answered by the new one, in its turn.
        c.send(request("/small.txt"))
        site.deploy(2)
        assert sees(server, 2)
        shutil.rmtree(site.path / "releases/1")
        site.release(3)
        site.deploy(3)
        assert sees(server, 3)
        assert old in server.processes("worker")
        assert c.take(size - 100_000) == bytes(size - 100_000)
        assert number_of(c.receive(), PAGES["/small.txt"]) == 3
        assert wait_until(lambda: old not in server.processes("worker"))
        assert ask(c) == 3
    assert workers_settle(server, 1)


def test_link_to_nowhere(start, site):
    server = start(site.link)
    site.release(3)
    kept = server.connect()
    assert ask(kept) == 1
    site.deploy(2)
    assert wait_until(lambda: "No such file" in server.stderr())
    for _ in range(3):
        # Each is noticed, and none is told again.
        site.deploy(2)
        assert get(server) == 1 and ask(kept) == 1
    site.deploy(3)
    assert sees(server, 3) and ask(kept) == 3
    assert server.stderr().count("No such file") == 1
    kept.close()


def test_link_is_removed_and_made_again(start, site):
    server = start(site.link)
    site.release(2)
    site.link.unlink()
    assert wait_until(lambda: "No such file" in server.stderr())
    assert get(server) == 1
    site.link.symlink_to("releases/2")
    assert sees(server, 2)


@pytest.mark.skipif(os.geteuid() != 0, reason="root's server is not root")
def test_tree_that_may_not_be_read(start, site):
    server = start(site.link)
    folder = site.release(2)
    folder.chmod(0o700)
    site.deploy(2)
    assert wait_until(lambda: "may not read it" in server.stderr())
    assert get(server) == 1
    folder.chmod(0o755)
    assert sees(server, 2)
    assert server.stderr().count("may not read it") == 1


def test_directory_is_renamed(start, site):
    root = site.path / "plain"
    shutil.copytree(site.release(2), root)
    server = start(root)
    assert get(server) == 2
    site.release(3).rename(site.path / "new")
    root.rename(site.path / "old")
    (site.path / "new").rename(root)
    assert sees(server, 3)


def test_link_on_the_way(start, site):
    """Kubernetes' way: volume/site is ..data/site, ..data a link that
    changes; and a directory above that is renamed."""
    for number in (1, 2, 3):
        folder = site.path / f"volume/..{number}/site"
        folder.mkdir(parents=True)
        (folder / "small.txt").write_bytes(page(number, 64))
    data = site.path / "volume/..data"
    data.symlink_to("..1")
    (site.path / "volume/site").symlink_to("..data/site")
    server = start(site.path / "volume/site")
    assert get(server) == 1
    (site.path / "volume/..new").symlink_to("..2")
    (site.path / "volume/..new").replace(data)
    assert sees(server, 2)
    other = site.path / "other"
    shutil.copytree(site.path / "volume", other, symlinks=True)
    (other / "..data").unlink()
    (other / "..data").symlink_to("..3")
    (site.path / "volume").rename(site.path / "gone")
    other.rename(site.path / "volume")
    assert sees(server, 3)


def test_programs_move_too(start, site):
    def release_programs(number):
        folder = site.path / f"releases/{number}/cgi-bin"
        folder.mkdir()
        program = folder / "root"
        program.write_text('#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n'
                           f'{number} $DOCUMENT_ROOT $PATH_TRANSLATED"\n')
        program.chmod(0o755)

    site.release(2)
    release_programs(1)
    release_programs(2)
    server = start(site.link, "-c", site.link / "cgi-bin")

    def said():
        return server.get("/cgi-bin/root/x").body.decode().split()

    def expected(number):
        folder = os.path.realpath(site.path / f"releases/{number}")
        return [str(number), folder, f"{folder}/x"]

    assert said() == expected(1)
    # The programs themselves are not served as files.
    assert server.get("/cgi-bin").status != 200
    old = server.spawner()
    site.deploy(2)
    assert wait_until(lambda: said() == expected(2))
    assert wait_until(lambda: old not in server.processes("spawner"))


def test_worker_that_does_not_answer(start, site):
    """A worker that hangs cannot hold up the new tree."""
    # After its grace it would be killed.
    server = start(site.link, "--grace=600", workers=2)
    site.release(2)
    hung, _ = server.workers()
    os.kill(hung, 19)   # SIGSTOP
    try:
        site.deploy(2)
        assert wait_until(lambda: len(server.processes("worker")) == 3
                          and get(server) == 2)
    finally:
        os.kill(hung, 18)       # SIGCONT
    assert workers_settle(server, 2)
    assert hung not in server.workers()


def test_too_many_that_finish(start, site):
    """Crews that cannot finish do not pile up: the oldest gets the grace."""
    server = start(site.link, "--grace=1")
    clients = []
    for number in range(1, 14):
        if number > 1:
            site.release(number)
            site.deploy(number)
            assert sees(server, number)
        (site.path / f"releases/{number}/huge").write_bytes(bytes(32 << 20))
        c = server.connect(rcvbuf=4096)
        c.send(request("/huge"))
        assert c.head().status == 200
        clients.append(c)
        assert len(server.processes("worker")) <= 8
    for c in clients:
        c.close()
    assert workers_settle(server, 1)
    assert get(server) == 13
