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
from server import PATIENT, SWS, TREE, Server  # noqa: E402

# Clients must not go by a proxy, nor read what their user has configured; and
# their messages are looked at.
os.environ["no_proxy"] = "*"
os.environ["LC_ALL"] = "C.UTF-8"
for name in ("http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(name, None)
    os.environ.pop(name.upper(), None)


# By engine (SWS_ENGINE): the tests that make no sense with it, and why.
UNFIT = {
    "blocking": ("many_clients", "blocking serves one client at a time"),
    "fork": ("in_workers", "here children have the connections"),
    "select-fork": ("in_workers", "here children have the connections"),
}


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "many_clients: needs two connections to be served at once")
    config.addinivalue_line(
        "markers", "in_workers: looks at what workers themselves have")


def pytest_collection_modifyitems(items):
    marker, why = UNFIT.get(os.environ.get("SWS_ENGINE"), (None, None))
    for item in items:
        if marker and item.get_closest_marker(marker):
            item.add_marker(pytest.mark.skip(reason=why))


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
            return servers.enter_context(
                Server(root, *PATIENT, *options, **more))

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
