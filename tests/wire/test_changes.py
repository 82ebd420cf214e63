# SPDX-License-Identifier: ISC
"""A file that changes without an event in its directory, after it was served
and so is known: the new content is there a moment later."""

import mmap
import os

import pytest

from docroot import write
from server import wait_until

OLD, NEW = b"old\n", b"new\n"

# The file itself is looked at once a second.
SOON_S = 1.3


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / "root/f.txt", OLD)


@pytest.fixture
def served(start, file):
    """Has the file served, often enough to be known."""
    def serve():
        server = start(file.parent)
        for _ in range(3):
            assert server.get("/f.txt").body == OLD
        return server
    return serve


def becomes_new(server):
    return wait_until(lambda: server.get("/f.txt").body == NEW, SOON_S)


def test_written_by_a_name_given_later(served, file, tmp_path):
    server = served()
    os.link(file, tmp_path / "other")
    (tmp_path / "other").write_bytes(NEW)
    assert becomes_new(server)


def test_written_by_a_name_given_before(served, file, tmp_path):
    os.link(file, tmp_path / "other")
    server = served()
    (tmp_path / "other").write_bytes(NEW)
    assert becomes_new(server)


def test_written_through_memory(served, file):
    with open(file, "r+b") as f, mmap.mmap(f.fileno(), 0) as memory:
        server = served()
        memory[:] = NEW
        assert becomes_new(server)
