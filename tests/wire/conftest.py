# SPDX-License-Identifier: ISC
"""Fixtures of the wire tests, and which of them run for which engine.

SWS_ENGINES names the engines; "all" stands for those that can be used here.
Every test runs for those that are least alike ("whole"), and for all of them
when SWS_WHOLE is set.  The others wait in another way, but what they wait
for is served by the same code: for them there are the tests in which one side
waits for the other (WAITS, or -m waits), but for those that take long.
"""

import contextlib
import os
import sys

import pytest

sys.dont_write_bytecode = True
pytest.register_assert_rewrite("access_log", "cgi_bin", "html_check",
                              "server")

import cgi_bin as programs  # noqa: E402
import docroot  # noqa: E402
from server import PATIENT, SWS, Server, usable_engines  # noqa: E402

WHOLE = {"epoll", "uring"}
WAITS = """changes cgi_content cgi_endings closing expect framing persistence
    prompt ranges timeouts""".split()


def engines():
    names = os.environ.get("SWS_ENGINES", "all")
    if names not in ("all", "whole", "others"):
        return names.split()
    if not SWS.exists():
        return ["epoll"]
    return [engine for engine in usable_engines()
            if names == "all" or (engine in WHOLE) == (names == "whole")]


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "waits: one side waits for the other; runs for each engine")
    config.addinivalue_line(
        "markers", "long: takes five seconds and more")
    config.addinivalue_line(
        "markers", "many_clients: needs two connections to be served at once")


def engine_of(item):
    """The engine that a test is run for, or None."""
    call = getattr(item, "callspec", None)
    return call.params.get("engine") if call else None


def is_wanted(item, engine):
    if (engine is None or engine.partition(":")[0] in WHOLE
            or os.environ.get("SWS_WHOLE")):
        return True
    return (item.get_closest_marker("waits")
            and not item.get_closest_marker("long"))


def pytest_collection_modifyitems(config, items):
    """Leaves out what says nothing about an engine, and tells how much."""
    chosen, left = [], []
    for item in items:
        if item.path.stem.removeprefix("test_") in WAITS:
            item.add_marker(pytest.mark.waits)
        engine = engine_of(item)
        if engine == "blocking" and item.get_closest_marker("many_clients"):
            item.add_marker(pytest.mark.skip(
                reason="blocking serves one client at a time"))
        (chosen if is_wanted(item, engine) else left).append(item)
    items[:] = chosen
    if left:
        config.hook.pytest_deselected(items=left)


@pytest.fixture(scope="session", params=engines())
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
    with Server(site, *PATIENT, engine=engine) as server:
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
    """A server that waits long, else with default options; shared by all
    tests of an engine."""
    yield from watched(lasting_server)


@pytest.fixture(scope="session")
def cgi_bin():
    """The directory of CGI programs."""
    path = programs.make()
    yield path
    programs.remove(path)


@pytest.fixture(scope="session")
def lasting_cgi(engine, site, cgi_bin):
    with Server(site, *PATIENT, "-c", cgi_bin, engine=engine) as server:
        yield server


@pytest.fixture
def cgi(lasting_cgi):
    """A server with CGI programs, shared by all tests of an engine."""
    yield from watched(lasting_cgi)


@pytest.fixture
def start(engine):
    """Starts a server with options of the test's own: start(root, "-x").  It
    waits long, unless they say else."""
    with contextlib.ExitStack() as servers:
        def launch(root, *options, **more):
            server = Server(root, *PATIENT, *options, engine=engine, **more)
            return servers.enter_context(server)

        yield launch
