# SPDX-License-Identifier: ISC
"""Content-Type: by name, else by content; charset only where it is true."""

import random
import re

import pytest

from docroot import PNG, write
from server import Server

UTF8 = "; charset=utf-8"
HTML = b"<!doctype html><title>x</title>"

# name, content, the exact Content-Type
BY_NAME = [
    ("a.html", HTML, "text/html" + UTF8),
    ("a.htm", HTML, "text/html" + UTF8),
    ("A.HTML", HTML, "text/html" + UTF8),
    ("a.b.css", b"p {}", "text/css" + UTF8),
    ("a.js", b"1;", "text/javascript" + UTF8),
    ("a.mjs", b"1;", "text/javascript" + UTF8),
    ("a.txt", "\u00fc".encode(), "text/plain" + UTF8),
    ("a.png", PNG, "image/png"),
    ("a.jpg", b"\xff\xd8\xff", "image/jpeg"),
    ("a.JPEG", b"\xff\xd8\xff", "image/jpeg"),
    ("a.gif", b"GIF89a", "image/gif"),
    ("a.webp", b"RIFF", "image/webp"),
    ("a.wasm", b"\0asm\1\0\0\0", "application/wasm"),
    ("a.pdf", b"%PDF-1.4\n", "application/pdf"),
    ("a.zip", b"PK\3\4", "application/zip"),
    ("a.mp4", b"\0\0\0\x18ftypmp42", "video/mp4"),
    ("a.woff2", b"wOF2", "font/woff2"),
    # The name decides, whatever is inside.
    ("liar.png", b"just text\n", "image/png"),
    ("liar.txt", PNG, "text/plain"),
    # Not UTF-8, so nothing is claimed.
    ("latin.txt", b"gr\xfc\xdfe\n", "text/plain"),
    ("latin.html", b"<p>gr\xfc\xdfe\n", "text/html"),
    ("overlong.txt", b"\xc0\xaf\n", "text/plain"),
    ("surrogate.txt", b"\xed\xa0\x80\n", "text/plain"),
    # The look at the content ends within a character: no harm.
    *((f"long{n}.txt", b"x" * n + "\u20ac".encode() * 200000,
       "text/plain" + UTF8) for n in range(3)),
]

# name, content, a pattern for the type
BY_CONTENT = [
    ("picture", PNG, r"image/png"),
    ("picture.unknown-extension", PNG, r"image/png"),
    ("script", b"#!/bin/sh\necho hello\n",
     r"(text|application)/(plain|x-shellscript|x-sh)(; charset=utf-8)?"),
    ("README", b"Read me first.\n", r"text/plain; charset=utf-8"),
    ("notes", "na\u00efve \u2014 caf\u00e9\n".encode(),
     r"text/plain; charset=utf-8"),
    ("page", b"<!doctype html>\n<html><title>x</title></html>\n",
     r"text/(html|plain); charset=utf-8"),
    ("old", b"gr\xfc\xdfe aus K\xf6ln\n", r"text/plain"),
    ("junk", random.Random(4).randbytes(4096), r"application/octet-stream"),
    # libmagic has names of its own for what is no medium at all.
    ("nothing", b"", r"(?!inode/).+/.+"),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    root = tmp_path_factory.mktemp("types")
    for name, content, _ in BY_NAME + BY_CONTENT:
        write(root / name, content)
    write(root / "a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    write(root / "a.json", b"{}")
    return root


@pytest.fixture(scope="module")
def typed(engine, files):
    with Server(files, engine=engine) as server:
        yield server


@pytest.mark.parametrize("name,content,expected", BY_NAME,
                         ids=[case[0] for case in BY_NAME])
def test_by_name(typed, name, content, expected):
    r = typed.get(f"/{name}")
    assert r.status == 200
    assert r.body == content
    assert r["Content-Type"].lower() == expected


@pytest.mark.parametrize("name,content,pattern", BY_CONTENT,
                         ids=[case[0] for case in BY_CONTENT])
def test_by_content(typed, name, content, pattern):
    r = typed.get(f"/{name}")
    assert r.status == 200
    assert r.body == content
    assert re.fullmatch(pattern, r["Content-Type"], re.I), r["Content-Type"]


@pytest.mark.parametrize("name,kind", [("a.svg", "image/svg+xml"),
                                       ("a.json", "application/json")])
def test_text_by_another_name(typed, name, kind):
    assert typed.get(f"/{name}")["Content-Type"].split(";")[0] == kind
