# SPDX-License-Identifier: ISC
"""docs/slides.md, typed again: what is printed is what the page has.

A block's commands with a number but the last number run at the same time, as
in as many terminals; numbers (ports, processes, times) may be others.
"""

import collections
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading

import pytest

from workbench import PATIENCE_S, SOCK

PAGE = pathlib.Path(__file__).parents[2] / "docs/slides.md"
PROMPT = re.compile(r"^(\d|nobody)?\$ (.+)$")
FILTERED_LAB = re.compile(r"(sock lab \w+) \|")
PORT = re.compile(r"Socket has port #(\d+)")

# Parts that need what a test has not, and who tests the like.
ELSEWHERE = {
    "Packets": "test_watch.py: in a private network",
    "Who is there": "test_ping.py, test_trace.py, test_scan.py: there, too",
    "How fast": "test_bench.py: figures are the machine's",
}
# What another machine, another user, another build may answer differently.
ANY_NUMBER = ("Do something else", "TIME_WAIT")
VARIES = ("localhost has no IPv6", "sock: the network", "     not available")


def blocks():
    """[(part of the page, number in it, lines)]."""
    found = []
    for part in PAGE.read_text().split("\n## ")[1:]:
        title = part.partition("\n")[0]
        for n, block in enumerate(re.findall(r"^```\n(.*?)^```$", part,
                                             re.S | re.M)):
            if PROMPT.match(block.partition("\n")[0]):
                found.append((title, n, block.splitlines()))
    return found


class Session:
    """Terminals: a number less than the greatest stays in the background."""

    def __init__(self, folder, environment):
        self.folder, self.environment = folder, environment
        self.lines, self.threads, self.running = [], [], []
        self.changed = threading.Condition()
        self.port = self.page_port = None

    def add(self, lines):
        with self.changed:
            self.lines += lines
            self.changed.notify()

    def follow(self, stream):
        for line in stream:
            if found := PORT.search(line):
                self.port = found[1]
            self.add([line.rstrip("\n")])

    def await_lines(self, printed):
        """Whoever types has read so far; what is missing fails later."""
        wanted = counted(printed)
        with self.changed:
            self.changed.wait_for(
                lambda: wanted <= counted(self.lines), PATIENCE_S)

    def start(self, command):
        process = subprocess.Popen(
            ["/bin/bash", "-c", f"exec {command}"], cwd=self.folder,
            env=self.environment, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        thread = threading.Thread(target=self.follow, args=(process.stdout,))
        thread.start()
        self.running.append(process)
        self.threads.append(thread)

    def run(self, command):
        done = subprocess.run(
            ["/bin/bash", "-c", command], cwd=self.folder, text=True,
            env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=PATIENCE_S, check=False)
        self.add(done.stdout.splitlines())

    def end(self, stops):
        """Those that count end by themselves, others by ^C."""
        for process in self.running:
            if stops:
                process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_S)
        for thread in self.threads:
            thread.join(PATIENCE_S)
        for process in self.running:
            process.stdout.close()
        self.running, self.threads = [], []


def same(line):
    """A line without what is different each time."""
    line = re.sub(r"(?<![a-z])\d+(\.\d+)?", "N", " ".join(line.split()))
    line = re.sub(r"\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b",
                  "Mon", line)
    line = re.sub(r"^(s[rwx-]{9}) N \S+ \S+", r"\1 N user group", line)
    return re.sub(r"\b(N(\.N)?|[mu]s) (us|ms|s)\b", "N unit", line)


def counted(lines):
    """How often each is there, if that is not a matter of time."""
    kept = [same(line) for line in lines
            if line and not line.startswith(VARIES)]
    found = collections.Counter(kept)
    for line in found:
        if line.startswith(ANY_NUMBER):
            found[line] = 1
    return found


@pytest.fixture
def environment(tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    shutil.copy(SOCK, folder / "sock")
    return {**os.environ, "PATH": f"{folder}:/usr/bin:/bin:/usr/sbin:/sbin",
            "LC_ALL": "C"}


def needs(lines):
    """Programs that a machine may lack."""
    for name in ("nc",):
        if any(re.search(rf"\| {name} ", line) for line in lines) and \
                not shutil.which(name):
            pytest.skip(f"no {name} here")


def replay(session, lines):
    """What the page has as output, once its commands were typed."""
    typed = [PROMPT.match(line) for line in lines]
    prompts = {m[1] for m in typed if m and m[1]}
    printed, has_count = [], False
    for line, m in zip(lines, typed):
        if line in ("^C", "1$"):
            continue
        if not m:
            printed.append(line)
            continue
        session.await_lines(printed)
        command = m[2]
        if session.port:
            command = command.replace(session.page_port, session.port)
        if m[1] == "1" and len(prompts) > 1 and "sock serve" in command:
            found = PORT.search("\n".join(lines))
            session.page_port = found[1] if found else None
            session.start(command)
            has_count = "--count" in command
        elif m[1] == "1":
            session.end(stops=False)
            session.run(command)
        else:
            session.run(command)
    session.await_lines(printed)
    session.end(stops=not has_count)
    return printed


@pytest.mark.parametrize("title, n, lines", [
    pytest.param(*b, id=f"{b[0]}-{b[1]}") for b in blocks()
    if b[0] not in ELSEWHERE and not b[2][0].startswith("nobody")])
def test_block(title, n, lines, tmp_path, environment):
    needs(lines)
    session = Session(tmp_path, environment)
    printed = replay(session, lines)
    if any("skipped" in line for line in session.lines):
        pytest.skip(session.lines[-1])
    if not session.lines and (lab := FILTERED_LAB.search(lines[0])):
        session.run(lab[1])
        assert any("skipped" in line for line in session.lines), lab[1]
        pytest.skip(session.lines[-1])
    assert counted(session.lines) == counted(printed)


def test_parts_that_are_tested_elsewhere_are_there():
    assert set(ELSEWHERE) <= {title for title, *_ in blocks()}


def test_each_program_of_the_lecture_has_its_command():
    table = PAGE.read_text().partition("\n## ")[0]
    for name in ("pipe1.c", "pipe2.c", "popen.c", "socketpair.c", "udgramread",
                 "udgramsend", "dgramread", "dgramsend", "streamread",
                 "streamwrite", "dualstack-streamread", "two-sockets",
                 "two-sockets-select", "strchkread", "command(3)"):
        assert name in table, name
