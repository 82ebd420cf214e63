# SPDX-License-Identifier: ISC
"""A private network to try verbs in: the one that a lab leaves behind."""

import os

import pytest

from workbench import SOCK, objects, run

MARK = "===== from here on it is the script that writes"


def in_network(lab, script):
    """What a shell script prints in the network of a lab, at its host A.

    $SOCK is the program, $NET_B and so on the networks of the other hosts.
    """
    environment = {**os.environ, "SHELL": "/bin/sh", "SOCK": str(SOCK)}
    done = run("lab", lab, "--keep", input=f"echo '{MARK}'\n{script}",
               env=environment)
    before, mark, after = done.stdout.decode().partition(MARK + "\n")
    if not mark or "\nskipped " in before:
        assert "skipped" in before, done.stderr.decode()
        pytest.skip("the network of this lab cannot be had here")
    return after


def objects_in_network(lab, script):
    return objects(in_network(lab, script))
