# SPDX-License-Identifier: ISC
"""A page as a browser sees it: chromium, without a window."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import urllib.parse

import pytest

from codings import ENCODE, SUFFIXES
from docroot import write
from server import wait_until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no chromium"),
    pytest.mark.many_clients,
]

# When all its parts have said what became of them it tells the server.
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>page</title>
<link rel="stylesheet" href="style.css">
<script>
const told = new Map();
function say(id, what) {
    told.set(id, what);
    if (told.size === 4)
        fetch("told?" + new URLSearchParams([...told].sort()));
}
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


# What it tells.
WHOLE = {"style": "rgb(1, 2, 3)", "picture": "7", "module": "gr\u00fc\u00df",
         "data": "42"}


def command(server, path, profile, *options):
    return [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu",
            "--disable-quic", "--no-first-run", "--disable-sync",
            "--disable-dev-shm-usage", "--disable-background-networking",
            "--disable-component-update", "--no-proxy-server",
            f"--user-data-dir={profile}", *options,
            f"http://127.0.0.1:{server.port}{path}"]


def dump_dom(server, path, profile):
    """The document as soon as it has been loaded, whatever scripts do."""
    r = subprocess.run(command(server, path, profile, "--dump-dom"),
                       capture_output=True, text=True, timeout=300)
    assert r.returncode == 0, r.stderr
    return r.stdout


def told_by_page(server, log, profile):
    """What the page tells, for which the browser stays until it is there."""
    def told():
        match = re.search(r"GET /told\?(\S+) ", log.read_text())
        return dict(urllib.parse.parse_qsl(match[1])) if match else None

    with open(profile.with_name("said"), "wb") as said, subprocess.Popen(
            command(server, "/", profile, "--remote-debugging-port=0"),
            stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            start_new_session=True) as browser:
        try:
            wait_until(lambda: told() or browser.poll() is not None, 300)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(browser.pid, signal.SIGKILL)
    return told() or profile.with_name("said").read_text(errors="replace")


@pytest.fixture
def site(tmp_path):
    root = tmp_path / "root"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture
def view(start, tmp_path):
    """Opens the page of a site in the browser: what it tells."""
    def open_page(root):
        log = tmp_path / "log"
        log.touch()
        return told_by_page(start(root, "-l", log), log, tmp_path / "profile")

    return open_page


def test_page_with_all_its_parts(view, site):
    """Browsers refuse styles and modules whose media type is wrong."""
    assert view(site) == WHOLE


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_page_in_a_coding(view, tmp_path, coding):
    """Only what lies there coded is the page: it was decoded."""
    root = tmp_path / "root"
    root.mkdir()
    for name, text in FILES.items():
        if "/" in name:
            continue
        write(root / name, b"not this")
        write(root / (name + SUFFIXES[coding]), ENCODE[coding](text.encode()))
    assert view(root) == WHOLE


def test_listing(start, site, tmp_path):
    dom = dump_dom(start(site), "/list", tmp_path / "profile")
    assert "a b&amp;c.txt" in dom


def test_error_page(start, site, tmp_path):
    dom = dump_dom(start(site), "/nowhere", tmp_path / "profile")
    assert "404" in dom
