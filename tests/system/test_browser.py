# SPDX-License-Identifier: ISC
"""A page as a browser sees it: chromium, without a window."""

import shutil
import subprocess

import pytest

from codings import ENCODE, SUFFIXES
from docroot import write

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no chromium"),
    pytest.mark.many_clients,
]

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>page</title>
<link rel="stylesheet" href="style.css">
<p id="style">-</p><p id="picture">-</p><p id="module">-</p><p id="data">-</p>
<script>
function say(id, what) { document.getElementById(id).textContent = what; }
addEventListener("load", () =>
    say("style", getComputedStyle(document.body).color));
</script>
<img src="picture.svg" alt="" onload="say('picture', this.naturalWidth)">
<script type="module" src="module.mjs"></script>
"""

FILES = {
    "index.html": PAGE,
    "style.css": "body { color: rgb(1, 2, 3); }",
    "picture.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="7" '
                   'height="7"/>',
    "module.mjs": 'say("module", "gr\u00fc\u00df");\n'
                  'const r = await fetch("data.json");\n'
                  'say("data", (await r.json()).answer);\n',
    "data.json": '{"answer": 42}',
    "list/a b&c.txt": "x",
}


def dump_dom(url, profile):
    r = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu",
         "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update",
         "--no-proxy-server", "--virtual-time-budget=5000",
         f"--user-data-dir={profile}", "--dump-dom", url],
        capture_output=True, text=True, timeout=120)
    assert r.returncode == 0, r.stderr
    return r.stdout


def dump_dom_of(server, path, tmp_path):
    return dump_dom(f"http://127.0.0.1:{server.port}{path}",
                    tmp_path / "profile")


@pytest.fixture
def browse(start, tmp_path):
    root = tmp_path / "root"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    server = start(root)
    return lambda path: dump_dom_of(server, path, tmp_path)


def test_page_with_all_its_parts(browse):
    """Browsers refuse styles and modules whose media type is wrong."""
    dom = browse("/")
    assert '<p id="style">rgb(1, 2, 3)</p>' in dom
    assert '<p id="picture">7</p>' in dom
    assert '<p id="module">gr\u00fc\u00df</p>' in dom
    assert '<p id="data">42</p>' in dom


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_page_in_a_coding(start, tmp_path, coding):
    """Only what lies there coded is the page: it was decoded."""
    root = tmp_path / "root"
    root.mkdir()
    for name, text in FILES.items():
        if "/" in name:
            continue
        write(root / name, b"not this")
        write(root / (name + SUFFIXES[coding]), ENCODE[coding](text.encode()))
    dom = dump_dom_of(start(root), "/", tmp_path)
    assert '<p id="style">rgb(1, 2, 3)</p>' in dom
    assert '<p id="picture">7</p>' in dom
    assert '<p id="module">gr\u00fc\u00df</p>' in dom
    assert '<p id="data">42</p>' in dom


def test_listing(browse):
    assert "a b&amp;c.txt" in browse("/list")


def test_error_page(browse):
    assert "404" in browse("/nowhere")
