# SPDX-License-Identifier: ISC
"""Fixtures of the wire tests: every test runs once for each engine."""

import contextlib
import os
import sys

import pytest

sys.dont_write_bytecode = True
pytest.register_assert_rewrite("access_log", "html_check", "server")

import docroot  # noqa: E402
from server import SWS, Server  # noqa: E402

ENGINES = os.environ.get("SWS_ENGINES", "epoll poll select pselect").split()


@pytest.fixture(scope="session", params=ENGINES)
def engine(request):
    if not SWS.exists():
        pytest.fail(f"{SWS} is not built", pytrace=False)
    return request.param


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The served directory; tests must leave it as they found it."""
    return docroot.make(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def lasting_server(engine, site):
    with Server(site, engine=engine) as server:
        yield server


@pytest.fixture
def server(lasting_server):
    """A server with default options, shared by all tests of an engine."""
    yield lasting_server
    try:
        lasting_server.check()
    except AssertionError:
        if not lasting_server.is_alive():
            lasting_server.launch()     # for the tests to come
        raise


@pytest.fixture
def start(engine):
    """Starts a server with options of the test's own: start(root, "-x")."""
    with contextlib.ExitStack() as servers:
        def launch(root, *options, **more):
            server = Server(root, *options, engine=engine, **more)
            return servers.enter_context(server)

        yield launch
