# SPDX-License-Identifier: ISC
"""docs/rows.md: each row of the checklist is shown, and asserted somewhere."""

import ast
import functools
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

from workbench import answer

HERE = pathlib.Path(__file__).parent
TESTS = HERE.parent
PAGE = TESTS.parent / "docs/rows.md"

# How many rows each part of the checklist has, and its first number.
PARTS = {"P": (1, 10), "S": (1, 9), "D": (1, 9), "L": (1, 10), "U": (1, 20),
         "N": (1, 7), "T": (1, 18), "M": (1, 21), "O": (0, 19), "R": (1, 11),
         "H": (1, 6)}
IDS = [f"{part}{first + i}" for part, (first, n) in PARTS.items()
       for i in range(n)]

ROW = re.compile(r"^\| ([A-Z]\d+) \| (.+) \| `(.+)` \| (`.+`) \|$", re.M)
NOT_HERE = re.compile(r"^\| ([A-Z]\d+) \| ([^|]+) \|$", re.M)


def rows():
    """[(id, what the lecture says, command, [what asserts it])]."""
    return [(name, said, command, re.findall(r"`([^`]+)`", by))
            for name, said, command, by in ROW.findall(PAGE.read_text())]


def asserted_by(kind):
    return [(name, by) for name, _, _, asserted in rows() for by in asserted
            if by.startswith("lab ") == (kind == "lab")]


@functools.cache
def claimed():
    """{(row, lab)} of sock lab --rows."""
    return {tuple(line.split()) for line in
            answer("lab", "--rows").splitlines()}


@functools.cache
def collected(path):
    """The names of tests that pytest finds in a file, without parameters."""
    done = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider",
         "--collect-only", path], capture_output=True, text=True, check=True)
    return {line.partition("[")[0].partition("::")[2]
            for line in done.stdout.splitlines() if "::" in line}


def docstring(path, name):
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return ast.get_docstring(node) or ""
    return None


def comment(path, name):
    """What stands above a test of cmocka that is in its table, too."""
    text = path.read_text()
    assert f"cmocka_unit_test({name})," in text
    above = text[:text.index(f"\n{name}(void")]
    return re.search(r"(/\*(?:(?!\*/).)*\*/)?\nstatic void\Z", above,
                     re.S)[1] or ""


def test_each_row_is_there_once():
    assert sorted(name for name, *_ in rows()) == sorted(IDS)
    assert len(IDS) == 140


def test_what_cannot_be_here_says_why():
    text = PAGE.read_text().partition("\n## What cannot be here\n")[2]
    found = NOT_HERE.findall(text)
    assert found and {name for name, _ in found} <= set(IDS)
    assert all(len(why.split()) > 3 for _, why in found)


@pytest.mark.parametrize("row, lab", asserted_by("lab"))
def test_lab_claims_row(row, lab):
    """Which test_labs.py runs, and asserts what it expects."""
    assert (row, lab.removeprefix("lab ")) in claimed()


def test_rows_of_labs_are_on_the_page():
    named = {(row, lab.removeprefix("lab ")) for row, lab in asserted_by("lab")}
    assert {row for row, _ in claimed()} == {row for row, _ in named}


@pytest.mark.parametrize("row, node", asserted_by("test"))
def test_test_says_row(row, node):
    file, name = node.split("::")
    path = (TESTS if "/" in file else HERE) / file
    if path.suffix == ".c":
        said = comment(path, name)
    else:
        assert name in collected(path)
        said = docstring(path, name)
    assert re.search(rf"\b{row}\b", said), said


@functools.cache
def options(verb):
    return set(re.findall(r"--([a-z-]+)", answer(verb, "--help")))


@pytest.mark.parametrize("command", sorted({row[2] for row in rows()}))
def test_command_is_one(command):
    """Its verb is one, or it has addresses only; its options are known."""
    program, verb, *words = shlex.split(command)
    assert program == "sock"
    if verb not in re.findall(r"^  (\w+) ", answer("--help"), re.M):
        assert verb == "ADDR" or ":" in verb
        verb = "cat"
    used = {re.match(r"--([a-z-]+)", word)[1] for word in words
            if word.startswith("--")}
    assert used <= options(verb)
