# SPDX-License-Identifier: ISC
"""What the command says: help, usage errors, and starts that fail."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile

import pytest

import rawhttp
from processes import Run, first_of, free_port, holders_of
from server import SWS, wait_until

USAGE, FAILED = 64, 1

TOP = pathlib.Path(__file__).resolve().parents[2]

OPTIONS = ["-d", "-f", "-h", "-i", "-l", "-p", "--address", "--port", "--log",
           "--debug", "--foreground", "--help", "--version", "--engine",
           "--workers", "--index", "--no-index", "--hidden", "--port-file",
           "--grace", "--server-header", "--symlinks"]


def run(*arguments, **options):
    with Run(*arguments, **options) as r:
        return r


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(option):
    r = run(option)
    assert (r.status, r.stderr) == (0, "")
    assert "usage" in r.stdout.lower()
    for name in OPTIONS:
        assert name in r.stdout
    assert max(map(len, r.stdout.splitlines())) <= 80


def test_manual_has_each_option():
    """Described, and in an example, by one of its names."""
    manual = (TOP / "man/sws.1").read_text()
    description, _, rest = manual.partition(".Sh EXAMPLES")
    examples = rest.partition(".Sh ")[0]
    options = re.findall(r"^  (?:-(\w),|   ) --([a-z-]+)",
                         run("--help").stdout, re.M)
    assert len(options) > 30
    for letter, name in options:
        assert re.search(rf"^\.It .*Fl -{name}\b", description, re.M), name
        assert re.search(rf" (--{name}\b|-{letter or '-'} )", examples), name


def test_version():
    r = run("--version")
    assert (r.status, r.stderr) == (0, "")
    assert re.fullmatch(r"sws[ /]\d+\.\d+(\.\d+)?\n", r.stdout)


def test_engines_are_listed():
    r = run("--engine=help")
    assert r.status == 0
    for name in ("epoll", "poll", "select", "pselect"):
        assert re.search(rf"^\s*{name}\b", r.stdout, re.M)


@pytest.fixture
def httpd(tmp_path):
    """The name that makes install gives it in libexec."""
    link = tmp_path / "httpd"
    link.symlink_to(SWS)
    return link


def test_httpd_has_a_help_of_its_own(httpd):
    """What -p and -d are to sws is something else to httpd."""
    done = subprocess.run([httpd, "-h"], capture_output=True, text=True,
                          timeout=10, check=True)
    assert done.stderr == ""
    assert done.stdout.startswith("usage: httpd ")
    flags = re.findall(r"^  -(\w) ", done.stdout, re.M)
    assert set("bIXupc") <= set(flags) and "d" not in flags
    manual = (TOP / "man/sws.1").read_text()
    section = manual.partition(".Ss The name httpd")[2].partition(".Ss ")[0]
    items = " ".join(re.findall(r"^\.It (.*)", section, re.M))
    described = re.findall(r"\b\w\b", items)
    assert sorted(flags) == sorted(described)
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_line_of_the_lecture(httpd, tree):
    """httpd -b -I 8080 -X -u -p sws -c cgi-bin docroot"""
    programs = tree.parent / "cgi-bin"
    programs.mkdir()
    program = programs / "hello"
    program.write_text("#!/bin/sh\nprintf 'Content-Type: x/y\\n\\nhi'\n")
    program.chmod(0o755)
    port = free_port()
    done = subprocess.run(
        [httpd, "-b", "-I", str(port), "-X", "-u", "-p", "sws",
         "-c", "cgi-bin", tree.name], cwd=tree.parent, timeout=30)
    try:
        assert done.returncode == 0
        for target, text in (("/cgi-bin/hello", b"hi"), ("/", b"hello.txt"),
                             ("/hello.txt", b"hello\n")):
            with rawhttp.Connection(port) as c:
                r = c.ask(rawhttp.request(target))
            assert (r.status, text in r.body) == (200, True)
    finally:
        os.kill(first_of(holders_of(tree)), signal.SIGTERM)
        assert wait_until(lambda: not holders_of(tree), 15)


# arguments ({dir} is a directory), a pattern that the message must have
MISUSES = {
    "nothing": ([], r"dir"),
    "two directories": (["{dir}", "{dir}"], r"."),
    "unknown letter": (["-x", "{dir}"], r"x"),
    "unknown word": (["--nope", "{dir}"], r"nope"),
    "missing port": (["-p"], r"p"),
    "missing directory": (["-p", "8080"], r"dir"),
    "port in letters": (["-p", "http", "{dir}"], r"http"),
    "port too large": (["-p", "65536", "{dir}"], r"65536"),
    "port far too large": (["-p", "18446744073709551696", "{dir}"], r"1844"),
    "port negative": (["-p", "-1", "{dir}"], r"-1"),
    "port empty": (["-p", "", "{dir}"], r"port|-p"),
    "port with letters behind": (["-p", "80x", "{dir}"], r"80x"),
    "unknown engine": (["--engine=steam", "{dir}"], r"steam"),
    "no workers": (["--workers=0", "{dir}"], r"workers"),
    "workers in letters": (["--workers=many", "{dir}"], r"many"),
    "time in letters": (["--grace=long", "{dir}"], r"long"),
    "negative time": (["--grace=-1", "{dir}"], r"-1"),
    "value where none belongs": (["--hidden=yes", "{dir}"], r"hidden"),
    "index with a slash": (["--index=a/b", "{dir}"], r"a/b"),
    "header that splits": (["--server-header=a\r\nb", "{dir}"], r"header"),
    "too many addresses": (["-i", "127.0.0.1"] * 100 + ["{dir}"], r"."),
}


@pytest.mark.parametrize("name", MISUSES)
def test_misuse(tmp_path, name):
    arguments, pattern = MISUSES[name]
    r = run(*(a.format(dir=tmp_path) for a in arguments))
    assert r.status == USAGE
    assert r.stdout == ""
    assert re.fullmatch(r"sws: [^\n]+\n", r.stderr), r.stderr
    assert re.search(pattern, r.stderr)


# arguments ({tmp} is a directory), a pattern that the message must have
FAILURES = {
    "no such directory": (["{tmp}/nowhere"], r"nowhere"),
    "not a directory": (["{tmp}/file"], r"file"),
    "log in no directory": (["-l", "{tmp}/nowhere/log", "{tmp}"], r"nowhere"),
    "log is a directory": (["-l", "{tmp}", "{tmp}"], r"."),
    "not an address": (["-i", "256.256.256.256", "{tmp}"], r"256"),
    "address with a port": (["-i", "127.0.0.1:80", "{tmp}"], r"127"),
    "not our address": (["-i", "192.0.2.1", "{tmp}"], r"192\.0\.2\.1"),
    "port file in no directory": (
        ["--port-file={tmp}/nowhere/port", "{tmp}"], r"nowhere"),
}


@pytest.mark.parametrize("mode", [[], ["-f"], ["-d"]],
                         ids=["daemon", "foreground", "debug"])
@pytest.mark.parametrize("name", FAILURES)
def test_failed_start(tmp_path, name, mode):
    """Told before it detaches, in one line."""
    arguments, pattern = FAILURES[name]
    if "-l" in arguments and "-d" in mode:
        pytest.skip("-d logs to standard output instead")
    (tmp_path / "file").write_text("")
    r = run("-p", "0", *mode, *(a.format(tmp=tmp_path) for a in arguments))
    assert r.status == FAILED
    assert r.stdout == ""
    assert re.fullmatch(r"sws: [^\n]+\n", r.stderr), r.stderr
    assert re.search(pattern, r.stderr)


# the directory that is closed, its mode, arguments, a pattern
CLOSED = {
    "on the way": ("a", 0o700, ["{tmp}/a/b/c"], r"/a/b/c: .*/a is closed"),
    "last": ("a/b/c", 0o700, ["{tmp}/a/b/c"], r"/a/b/c is closed"),
    "no entry": ("a/b/c", 0o744, ["{tmp}/a/b/c"], r"/a/b/c is closed"),
    "of programs, on the way": (
        "a", 0o700, ["-c", "{tmp}/a/b/c", "/usr/share"],
        r"-c .*/a/b/c: .*/a is closed"),
}


@pytest.fixture
def open_folder():
    """Where others than root get in, which is not so of pytest's own."""
    with tempfile.TemporaryDirectory(prefix="sws-") as name:
        os.chmod(name, 0o755)
        yield pathlib.Path(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else")
@pytest.mark.parametrize("name", CLOSED)
def test_directory_is_closed(open_folder, name):
    """It says which of those on the way it is."""
    closed, mode, arguments, pattern = CLOSED[name]
    (open_folder / "a/b/c").mkdir(parents=True)
    (open_folder / closed).chmod(mode)
    r = run("-p", "0", *(a.format(tmp=open_folder) for a in arguments),
            user=65534, group=65534, extra_groups=[])
    assert (r.status, r.stdout) == (FAILED, "")
    assert re.fullmatch(r"sws: [^\n]+\n", r.stderr), r.stderr
    assert re.search(pattern, r.stderr)


@pytest.mark.skipif(os.geteuid() != 0, reason="root's server is not root")
@pytest.mark.parametrize("option", [[], ["-c"]], ids=["files", "programs"])
def test_directory_is_closed_to_the_server(tmp_path, option):
    """It says to whom."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    r = run("-p", "0", "-u", "nobody", *option, closed,
            *(["/usr/share"] if option else []))
    assert (r.status, r.stdout) == (FAILED, "")
    assert re.fullmatch(r"sws: [^\n]+\n", r.stderr), r.stderr
    assert re.search(r"closed: the user nobody may not .* -u\b", r.stderr)


@pytest.mark.parametrize("mode", [[], ["-f"], ["-d"]],
                         ids=["daemon", "foreground", "debug"])
def test_port_taken(tmp_path, mode):
    """Which port, who holds it, what to do."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
        r = run("-p", str(port), "-i", "127.0.0.1", *mode, tmp_path)
    assert r.status == FAILED
    assert r.stdout == ""
    assert re.fullmatch(r"sws: [^\n]+\n", r.stderr), r.stderr
    assert str(port) in r.stderr
    assert str(os.getpid()) in r.stderr
    assert "-p " in r.stderr


def test_port_taken_by_another_sws(tmp_path):
    """SO_REUSEPORT must not let two servers share by mistake."""
    port = str(free_port())
    with Run("-p", port, "-i", "127.0.0.1", tmp_path) as first:
        assert first.status == 0
        second = run("-p", port, "-i", "127.0.0.1", tmp_path)
    assert second.status == FAILED
    assert "sws" in second.stderr.removeprefix("sws:")


def test_privileged_port(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root, to become somebody else")
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start") as f:
        if int(f.read()) <= 1:
            pytest.skip("all ports are free to all here")
    os.chmod(tmp_path, 0o755)
    r = run("-p", "1", "-i", "127.0.0.1", "/usr/share", user=65534,
            extra_groups=[])
    assert r.status == FAILED
    assert re.fullmatch(r"sws: [^\n]+\n", r.stderr), r.stderr
    assert re.search(r"ip_unprivileged_port_start|CAP_NET_BIND_SERVICE|-p ",
                     r.stderr)
