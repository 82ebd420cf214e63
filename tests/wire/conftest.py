# SPDX-License-Identifier: ISC
"""Fixtures of the wire tests: every test runs once for each engine."""

import contextlib
import os
import sys

import pytest

sys.dont_write_bytecode = True
pytest.register_assert_rewrite("access_log", "cgi_bin", "html_check",
                              "server")

import cgi_bin as programs  # noqa: E402
import docroot  # noqa: E402
from server import SWS, Server  # noqa: E402

ENGINES = os.environ.get("SWS_ENGINES", "epoll poll select pselect").split()


@pytest.fixture(scope="session", params=ENGINES)
def engine(request):
    if not SWS.exists():
        pytest.fail(f"{SWS} is not built", pytrace=False)
    return request.param


@pytest.fixture
def tmp_path(tmp_path):
    """Started by root, the server is another user, who must get in."""
    tmp_path.chmod(0o755)
    return tmp_path


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The served directory; tests must leave it as they found it."""
    return docroot.make(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def lasting_server(engine, site):
    with Server(site, engine=engine) as server:
        yield server


def watched(server):
    """The server for a test, which fails if the server suffers by it."""
    yield server
    try:
        server.check()
    except AssertionError:
        if not server.is_alive():
            server.launch()     # for the tests to come
        raise


@pytest.fixture
def server(lasting_server):
    """A server with default options, shared by all tests of an engine."""
    yield from watched(lasting_server)


@pytest.fixture(scope="session")
def cgi_bin():
    """The directory of CGI programs."""
    path = programs.make()
    yield path
    programs.remove(path)


@pytest.fixture(scope="session")
def lasting_cgi(engine, site, cgi_bin):
    with Server(site, "-c", cgi_bin, engine=engine) as server:
        yield server


@pytest.fixture
def cgi(lasting_cgi):
    """A server with CGI programs, shared by all tests of an engine."""
    yield from watched(lasting_cgi)


@pytest.fixture
def start(engine):
    """Starts a server with options of the test's own: start(root, "-x")."""
    with contextlib.ExitStack() as servers:
        def launch(root, *options, **more):
            server = Server(root, *options, engine=engine, **more)
            return servers.enter_context(server)

        yield launch
