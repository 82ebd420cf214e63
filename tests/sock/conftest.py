# SPDX-License-Identifier: ISC
"""Tests of sock: the program as people type it, beside other tools."""

import shutil
import sys

import pytest

sys.dont_write_bytecode = True
pytest.register_assert_rewrite("workbench")

from workbench import SOCK  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def built():
    if not SOCK.exists():
        pytest.fail(f"{SOCK} is not built", pytrace=False)


@pytest.fixture
def tool():
    """The path of another program; without it the test is skipped."""
    def find(name):
        return shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin") or \
            pytest.skip(f"no {name} here")
    return find
