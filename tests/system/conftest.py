# SPDX-License-Identifier: ISC
"""Fixtures of the system tests: the whole program, and clients of others."""

import contextlib
import os
import pathlib
import sys

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "wire"))
pytest.register_assert_rewrite("access_log", "server")

import docroot  # noqa: E402
from server import SWS, TREE, Server  # noqa: E402

# Clients must not go by a proxy, nor read what their user has configured.
os.environ["no_proxy"] = "*"
for name in ("http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(name, None)
    os.environ.pop(name.upper(), None)


@pytest.fixture(scope="session", autouse=True)
def built():
    if not SWS.exists():
        pytest.exit(f"{SWS} is not built", 1)


@pytest.fixture
def tmp_path(tmp_path):
    """Started by root, the server is another user, who must get in."""
    tmp_path.chmod(0o755)
    return tmp_path


@pytest.fixture
def start():
    """Starts a server in the foreground: start(root, "--option")."""
    with contextlib.ExitStack() as servers:
        def launch(root, *options, **more):
            return servers.enter_context(Server(root, *options, **more))

        yield launch


@pytest.fixture
def tree(tmp_path):
    """A small directory to serve.

    Its files are old: one that is younger than the clock's grain is not
    kept by the server, and looked up at each request.
    """
    root = tmp_path / "tree"
    for name, text in (("hello.txt", "hello\n"), ("probe.txt", "probe\n"),
                       ("sub dir/gr\u00fc\u00df.txt", "gr\u00fc\u00df\n")):
        docroot.write(root / name, text.encode())
    return root


@pytest.fixture(scope="session")
def example_site():
    site = TREE / "examples/site"
    if not site.is_dir():
        pytest.skip(f"{site} is not there")
    return site
