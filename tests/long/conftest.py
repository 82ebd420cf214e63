# SPDX-License-Identifier: ISC
"""Tests that take minutes: `make test-long`."""

import os
import pathlib
import sys

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "wire"))

from server import SWS, Server  # noqa: E402


@pytest.fixture
def seconds():
    return float(os.environ.get("LONG_SECONDS", "600"))


@pytest.fixture
def start(tmp_path):
    if not SWS.exists():
        pytest.exit(f"{SWS} is not built", 1)
    tmp_path.chmod(0o755)
    servers = []

    def launch(*arguments):
        servers.append(Server(*arguments))
        return servers[-1]

    yield launch
    for server in servers:
        server.stop()
