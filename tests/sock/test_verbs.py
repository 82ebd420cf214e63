# SPDX-License-Identifier: ISC
"""The table of verbs, and what is written from it."""

import fcntl
import os
import pathlib
import re
import subprocess
import time

import pytest

from workbench import (DONE, LOCAL, PATIENCE_S, SOCK, USAGE, answer, objects,
                       run)

TOP = pathlib.Path(__file__).resolve().parents[2]
MANUAL = (TOP / "man/sock.1").read_text()


def table():
    """{verb: its line} of sock --help."""
    text = answer("--help").partition("verbs (")[2].partition("\n\n")[0]
    return dict(re.findall(r"^  (\w+) +(\S.*)$", text, re.M))


VERBS = sorted(table())


def options_of(verb):
    """The long options of a verb's own, not those of all verbs."""
    own = answer(verb, "--help").partition("options of all verbs")[0]
    return re.findall(r"--([a-z-]+)(?:=|\[=|\s)", own.partition("\n\n")[2])


def manual_of(verb):
    """What the manual says of a verb."""
    items = re.split(r"^\.It (?=(?:Oo )?Cm )", MANUAL, flags=re.M)
    found = [i for i in items if re.match(rf"(Oo )?Cm {verb}\b", i)]
    assert len(found) == 1, f"{verb} has {len(found)} places in the manual"
    return found[0]


@pytest.mark.parametrize("verb", VERBS)
def test_manual_describes_verb(verb):
    text = manual_of(verb)
    for option in options_of(verb):
        assert f"Fl -{option}" in text, f"sock {verb} --{option}"


@pytest.mark.parametrize("verb", VERBS)
def test_manual_has_example(verb):
    examples = MANUAL.partition(".Sh EXAMPLES")[2]
    what = r"sock (tcp|localhost|file|-)" if verb == "cat" else f"sock {verb}"
    assert re.search(what, examples)


def test_manual_has_no_other_verbs():
    section = MANUAL.partition(".Sh DESCRIPTION")[2].partition(".Pp\nAll")[0]
    found = re.findall(r"^\.It (?:Oo )?Cm ([a-z0-9]+)", section, re.M)
    assert sorted(found) == VERBS


def test_manual_has_common_options():
    text = answer("--help").partition("options of all verbs:")[2]
    for option in re.findall(r"--([a-z0-9-]+)", text):
        assert f"Fl -{option}" in MANUAL, option


@pytest.mark.parametrize("verb", VERBS)
def test_completion_knows_verb(verb):
    script = answer("completion", "bash")
    for option in options_of(verb):
        assert f"--{option}" in script
    words = subprocess.run(
        ["bash", "-c", f"{script}\n"
         f"COMP_WORDS=(sock {verb[:-1]}) COMP_CWORD=1; _sock\n"
         "printf '%s\\n' \"${COMPREPLY[@]}\""],
        capture_output=True, text=True, check=True).stdout.split()
    assert verb in words


def test_completion_of_options():
    script = answer("completion", "bash")
    words = subprocess.run(
        ["bash", "-c", f"{script}\n"
         "COMP_WORDS=(sock serve --ec) COMP_CWORD=2; _sock\n"
         "printf '%s\\n' \"${COMPREPLY[@]}\""],
        capture_output=True, text=True, check=True).stdout.split()
    assert words == ["--echo"]


@pytest.mark.parametrize("arguments", [
    [], ["nosuch"], ["cat"], ["serve"], ["serve", "--nosuch"], ["-y", "echo:"],
    ["cat", "echo:", "--count"], ["cat", "echo:", "--count=x"],
    ["cat", "echo:", "--count=-1"], ["cat", "echo:", "--timeout=soon"],
    ["cat", "echo:", "--timeout=1y"], ["cat", "echo:", "--json=1"],
    ["cat", "echo:", "echo:", "echo:"], ["completion", "csh"],
    ["serve", "tcp::0", "--engine=nosuch"], ["serve", "tcp::0", "--idle=0"],
    ["serve", "tcp::0", "--echo", "--discard"],
    ["serve", "tcp::0", "--source=x"], ["send", "tcp::1", "--via=pigeon"],
    ["send", "tcp::1", "--oob", "--via=write", "x"], ["run"],
    ["run", "--via=pigeon", "true"], ["run", "--limit=0", "true"],
    ["name", "localhost", "--connect"], ["name", "unix:x"],
    ["opts", "file:/etc/hosts"], ["opts", "tcp::0", "--set=nosuch"],
    ["opts", "tcp::0", "--set=sndbuf=many"], ["-o", "nosuch", "tcp::1"],
    ["-o", "rcvbuf", "tcp::1"], ["ls", "tcp", "8080"],
    ["lab", "all", "5"],
])
def test_usage_is_one_line(arguments):
    done = run(*arguments)
    assert done.returncode == USAGE, done.stderr
    assert done.stderr.startswith(b"sock: ")
    assert done.stderr.count(b"\n") == 1
    assert done.stdout == b""


def test_errors_as_json():
    done = run("--json", "tcp:127.0.0.1:1")
    error, = objects(done.stderr)
    assert error["ev"] == "error"
    assert error["errno"] == "ECONNREFUSED"
    assert error["exit"] == done.returncode == 2


def test_events_have_their_file(tmp_path):
    """Data, remarks for people and events are apart."""
    path = tmp_path / "events"
    path.write_text("something older")
    with subprocess.Popen(
            [SOCK, "serve", "tcp:127.0.0.1:0", "--count=1",
             f"--port-file={tmp_path}/port", f"--events={path}"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
        end = time.monotonic() + PATIENCE_S
        while not (tmp_path / "port").exists():
            assert time.monotonic() < end
        port = (tmp_path / "port").read_text().strip()
        answer("send", f"tcp:127.0.0.1:{port}", "data")
        assert p.communicate(timeout=PATIENCE_S) == (b"data", b"")
    assert [o["ev"] for o in objects(path.read_text())] == \
        ["listen", "accept", "close", "end"]


def test_errors_are_for_both(tmp_path):
    path = tmp_path / "events"
    done = run("tcp:127.0.0.1:1", f"--events={path}")
    error, = objects(path.read_text())
    assert error["errno"] == "ECONNREFUSED"
    assert done.stderr.startswith(b"sock: tcp:127.0.0.1:1: connect")
    done = run("ls", "--events=/proc/nonexistent/x")
    assert done.returncode == LOCAL
    assert done.stderr.startswith(b"sock: /proc/nonexistent/x: open: ")


def test_json_escapes():
    """Whatever a command writes, a line of JSON holds it."""
    text = bytes(range(1, 256)) + "ä€😀\n".encode()
    printf = "".join(f"\\{b:03o}" for b in text)
    said, = objects(answer("run", "--json", f"printf '{printf}'"))
    assert said["out"] == text[:-10].decode("latin-1") + "ä€😀\n"


def test_no_colour_in_a_pipe():
    assert b"\x1b" not in run("tcp:127.0.0.1:1").stderr


@pytest.mark.parametrize("environment, has_colour", [
    ({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False)])
def test_colour_on_a_terminal(tool, environment, has_colour):
    done = subprocess.run(
        [tool("script"), "-qec", f"{SOCK} tcp:127.0.0.1:1", "/dev/null"],
        capture_output=True, env=environment, stdin=subprocess.DEVNULL,
        timeout=PATIENCE_S)
    assert b"ECONNREFUSED" in done.stdout
    assert (b"\x1b" in done.stdout) == has_colour


def test_answers_wait_for_a_reader_that_is_late():
    """Who shares our pipe may have made it non-blocking."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    with subprocess.Popen([SOCK, "opts", "--json"], stdout=writer) as p:
        os.close(writer)
        with open(reader) as f:
            said = objects(f.read())
        assert p.wait(PATIENCE_S) == DONE
    assert len(said) == len(objects(answer("opts", "--json")))


@pytest.mark.parametrize("arguments", [["ls"], ["opts", "--json"]])
def test_answers_that_are_lost_are_told(arguments):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([SOCK, *arguments], stdout=full,
                              stderr=subprocess.PIPE, timeout=PATIENCE_S)
    assert done.returncode == LOCAL
    assert b"ENOSPC" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_version():
    assert re.fullmatch(r"sock \d+\.\d+\n", answer("--version"))
    assert run("--help").returncode == DONE
