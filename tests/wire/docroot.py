# SPDX-License-Identifier: ISC
"""The directory that the wire tests serve, and what stands in it."""

import os
import pathlib
import socket
import struct
import zlib

# All files are from Thu, 02 Jan 2020 03:04:05 GMT, where no test says else.
MTIME = 1577934245
MTIME_TEXT = "Thu, 02 Jan 2020 03:04:05 GMT"

SECRET = b"this must never be sent\n"


def _png():
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"\0\0"))
            + chunk(b"IEND", b""))


PNG = _png()
THOUSAND = b"".join(b"%03d " % i for i in range(250))
BIG = b"".join(b"%07d\n" % i for i in range(1 << 20))     # 8 MiB

# Names that break careless escaping.  Each file holds its own name.
HARD_NAMES = [
    b"a b.txt", b" lead", b"trail ", b"tab\there", b"new\nline",
    b"quote\"double", b"quote'single", b"<b>bold<", b"a&amp;b", b"a&b=c",
    b"100%", b"%41.txt", b"a%2fb", b"what?.txt", b"a#b.txt", b"semi;colon",
    b"back\\slash", b"colon:name", b"javascript:alert(1)", b"mailto:x",
    b"plus+plus", b"comma,comma", b"at@sign", b"{brace}", b"[bracket]",
    b"`tick`", b"^caret|pipe", b"~tilde", b"\x01control", b"del\x7f",
    "gr\u00fc\u00df.txt".encode(), "\u65e5\u672c\u8a9e".encode(),
    "\U0001f600.txt".encode(), b"latin-\xfc.txt", b"bad-\xff\xfe",
    b"cut-\xe2\x82", b"-dash", b"x" * 255,
]

FILES = {
    b"index.html": b"<!doctype html><title>home</title><p>home\n",
    b"ping.txt": b"pong\n",
    b"probe.txt": b"probe\n",
    b"empty.txt": b"",
    b"thousand.bin": THOUSAND,
    b"big.bin": BIG,
    b"sub/index.html": b"<!doctype html><title>sub</title>\n",
    b"sub/page.txt": b"page\n",
    b"plain/one.txt": b"one\n",
    b"plain/two.txt": b"two\n",
    b"plain/.hidden": b"hidden\n",
    b"plain/deeper/three.txt": b"three\n",
    b"evil/one.txt": b"one\n",
    b"evil\r\nX-Injected: yes/one.txt": b"one\n",
    b".hidden": b"hidden\n",
    b".dir/file": b"hidden\n",
    b".well-known/security.txt": b"Contact: mailto:x@example.org\n",
    b"sub/.well-known/security.txt": b"hidden\n",
    "\u00fc.txt".encode(): b"umlaut\n",
    **{b"hard/" + name: name for name in HARD_NAMES},
    **{b"many/%02d" % i: b"file %02d\n" % i for i in range(100)},
}

# Relative to the root; targets as symlink(2) gets them.
LINKS = {
    b"links/inside": b"../ping.txt",
    b"links/inside-dir": b"../sub",
    b"links/chain": b"inside",
    b"links/out": b"../../secret.txt",
    b"links/out-absolute": b"/etc/hostname",
    b"links/out-dir": b"../../outside",
    b"links/out-root": b"/",
    b"links/loop": b"loop",
    b"links/loop-a": b"loop-b",
    b"links/loop-b": b"loop-a",
    b"links/dangling": b"nowhere",
    b"links/magic": b"/proc/self/environ",
    b"links/magic-cwd": b"/proc/self/cwd",
}


def write(path, content, mtime=MTIME):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (mtime, mtime))
    return path


def make(base):
    """Builds base/root with a secret beside it; returns base/root."""
    root = pathlib.Path(base) / "root"
    for name, content in FILES.items():
        write(os.fsdecode(os.fsencode(root) + b"/" + name), content)
    write(root.parent / "secret.txt", SECRET)
    write(root.parent / "outside/secret.txt", SECRET)
    (root / "links").mkdir()
    for name, target in LINKS.items():
        os.symlink(target, os.fsencode(root) + b"/" + name)
    os.symlink(root / "ping.txt", root / "links/inside-absolute")
    (root / "special").mkdir()
    os.mkfifo(root / "special/fifo")
    with socket.socket(socket.AF_UNIX) as s:
        # A socket's name has 108 bytes; the path of a test may have more.
        here = os.open(root / "special", os.O_PATH)
        s.bind(f"/proc/self/fd/{here}/socket")
        os.close(here)
    if os.geteuid() == 0:
        os.mknod(root / "special/device", 0o20644, os.makedev(1, 5))
    with open(root / "sparse.bin", "wb") as f:
        f.truncate(5 << 30)
        f.seek(-4, os.SEEK_END)
        f.write(b"tail")
    os.utime(root / "sparse.bin", (MTIME, MTIME))
    return root
