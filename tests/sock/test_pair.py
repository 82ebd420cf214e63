# SPDX-License-Identifier: ISC
"""sock pair: the lecture's dialogue of two processes (S1, P10)."""

import re

import pytest

from workbench import USAGE, answer, run


@pytest.mark.parametrize("via", ["socketpair", "pipes"])
def test_slide(via):
    """S1, P10: the slide's four lines, of two processes."""
    lines = answer("pair", f"--via={via}").splitlines()
    said = [re.fullmatch(r"(\d+) --> (\w+: .*)", line).groups()
            for line in lines]
    assert [text for _, text in said] == [
        "sending: In Xanadu, did Kubla Khan . . .",
        "sending: A stately pleasure dome decree . . .",
        "reading: In Xanadu, did Kubla Khan . . .",
        "reading: A stately pleasure dome decree . . .",
    ]
    parent, child, child_again, parent_again = [pid for pid, _ in said]
    assert parent == parent_again != child == child_again


def test_calls():
    done = run("pair", "--calls")
    assert b"socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4]) = 0" in done.stderr
    done = run("pair", "--calls", "--via=pipes")
    assert b"socketpair" not in done.stderr


def test_usage():
    assert run("pair", "--via=pigeon").returncode == USAGE
