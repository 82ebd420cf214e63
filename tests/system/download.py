# SPDX-License-Identifier: ISC
"""A file that is too large to be in the kernel's buffers before it is read."""

import rawhttp

LARGE = 32 << 20


def put_large(tree):
    (tree / "large.bin").write_bytes(b"x" * LARGE)


def begin_download(server):
    """Asks and reads the head: the rest waits for who takes it."""
    c = server.connect(rcvbuf=4096)
    c.send(rawhttp.request("/large.bin"))
    assert c.head()["Content-Length"] == str(LARGE)
    return c
