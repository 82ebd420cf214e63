# SPDX-License-Identifier: ISC
"""Starts the server under test, watches over it, and ends it."""

import contextlib
import atexit
import functools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import rawhttp

TREE = pathlib.Path(__file__).resolve().parents[2]
SWS = pathlib.Path(os.environ.get("SWS", TREE / "build/sws")).resolve()


@functools.cache
def sws_for_all():
    """A copy that others than root can run: the tree may lie where only root
    gets in."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sws-for-all-"))
    atexit.register(shutil.rmtree, folder)
    folder.chmod(0o755)
    shutil.copy2(SWS, folder)
    return folder / SWS.name


@functools.cache
def usable_engines():
    """As --engine=help lists them: what is missing here says so in a line."""
    text = subprocess.run([SWS, "--engine=help"], stdout=subprocess.PIPE,
                          text=True, check=True).stdout
    return re.findall(r"^(\S+) .*$(?!\n\s+not available)", text, re.M)


LISTEN = "0A"           # as /proc/net/tcp has it

# What must come may come late on a busy machine; only what never comes costs
# so much.
PATIENCE_S = 60.0

# Whatever mask the tests were started with: servers are other users.
os.umask(0o022)

# Deadlines that a pause of the tests never meets, and that never pass for an
# answer within rawhttp.TIMEOUT_S; for tests that are not about them.
PATIENT = ("--header-timeout=600", "--idle-timeout=600", "--min-rate=0")

SANITIZER = re.compile(
    r"ERROR: \w+Sanitizer|runtime error|LeakSanitizer|DEADLYSIGNAL")


def is_sanitized():
    """Was the server built with AddressSanitizer, which takes memory?"""
    return b"__asan_init" in SWS.read_bytes()


def wait_until(condition, seconds=PATIENCE_S):
    """Polls; the condition's value, or what it was when time was up.

    The last look begins when it is up: a pause of ours makes nothing late.
    """
    deadline = time.monotonic() + seconds
    while True:
        is_last = time.monotonic() >= deadline
        if (value := condition()) or is_last:
            return value
        time.sleep(0.005)


def children(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(word) for word in text.split()]


def title(pid):
    """What ps(1) shows; "" when it is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        return line.rstrip(b"\0").decode(errors="replace")
    return ""


def is_stopped(pid):
    """Does it stand still, by SIGSTOP?"""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    # The name before the state may hold anything, so count from its end.
    return stat.rpartition(")")[2].split()[0] == "T"


def status_kib(pid, name):
    """A figure of /proc/PID/status, such as VmRSS or VmHWM, in KiB."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M)[1])


def connections_on(port):
    """The inodes of the TCP connections that a process holds on a port.

    Those that the kernel keeps by itself, not yet accepted or closed already,
    have the inode 0 and do not count.
    """
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in pathlib.Path(table).read_text().splitlines()[1:]:
            words = line.split()
            local, state, inode = words[1], words[3], words[9]
            is_ours = int(local.rpartition(":")[2], 16) == port
            if is_ours and state != LISTEN and inode != "0":
                inodes.add(inode)
    return inodes


def sockets_of(pid):
    inodes = set()
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            kind, _, rest = os.readlink(fd).partition(":[")
            if kind == "socket":
                inodes.add(rest.rstrip("]"))
    return inodes


class Server:
    """One sws in the foreground on a free port; ended on exit of `with`."""

    def __init__(self, root, *options, engine=None, workers=1,
                 address="127.0.0.1", user=None):
        self.root = pathlib.Path(root)
        if os.geteuid() == 0 and self.root.stat().st_mode & 0o077 == 0:
            # pytest's directories are private, and root's server is not root.
            self.root.chmod(0o755)
        self.arguments = ["-f", f"--workers={workers}", *options]
        if "-c" in options and not any(
                str(o).startswith("--cgi-processes") for o in options):
            # The servers of other tests, at the same time, are this user's.
            self.arguments.append("--cgi-processes=4096")
        self.engine = engine = engine or os.environ.get("SWS_ENGINE")
        if engine:
            self.arguments.append(f"--engine={engine}")
        if address:
            self.arguments += ["-i", address]
        self.host = address or "127.0.0.1"
        self.user = user
        self.n_workers = workers
        self.launch()

    def launch(self):
        # Not pytest's directory: a server as another user must get in.
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sws-"))
        self.dir.chmod(0o777)
        port_file = self.dir / "port"
        env = {"UBSAN_OPTIONS": "print_stacktrace=1", **os.environ}
        who = {} if self.user is None else {
            "user": self.user, "group": self.user, "extra_groups": []}
        with open(self.dir / "stdout", "wb") as out, \
                open(self.dir / "stderr", "wb") as err:
            self.process = subprocess.Popen(
                [SWS if self.user is None else sws_for_all(),
                 "-p", "0", f"--port-file={port_file}",
                 *self.arguments, self.root],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env,
                **who)

        def is_ready():
            return (self.process.poll() is not None
                    or port_file.exists()
                    and port_file.read_text().endswith("\n"))

        wait_until(is_ready)
        if not port_file.exists() or self.process.poll() is not None:
            self.process.kill()
            self.process.wait()
            said = self.stderr()
            shutil.rmtree(self.dir, ignore_errors=True)
            raise RuntimeError(f"did not start: {said}")
        self.port = int(port_file.read_text())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stderr(self):
        return (self.dir / "stderr").read_text(errors="replace")

    def stdout(self):
        return (self.dir / "stdout").read_text(errors="replace")

    def is_alive(self):
        return self.process.poll() is None

    def check(self):
        """Fails the test that hurt the server, not a later one."""
        assert self.is_alive(), \
            f"the server ended with {self.process.returncode}: {self.stderr()}"
        assert not SANITIZER.search(self.stderr()), self.stderr()

    def end(self):
        """Asks it to stop as a user would; the exit status, None when it
        had to be killed."""
        if self.is_alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            for pid in children(self.process.pid):
                os.kill(pid, signal.SIGKILL)
            self.process.kill()
            self.process.wait()
            return None

    def stop(self):
        status, said = self.end(), self.stderr()
        shutil.rmtree(self.dir, ignore_errors=True)
        assert not SANITIZER.search(said), said
        assert status == 0, f"exit status {status}: {said}"

    # What the processes are like.

    def processes(self, role):
        """Those children that play a role."""
        return [pid for pid in children(self.process.pid)
                if title(pid).startswith(f"sws: {role}")]

    def workers(self):
        """The processes that serve.  They may start a moment later than the
        listener, whose queue holds the clients until then."""
        def found():
            pids = self.processes("worker")
            return pids if len(pids) >= self.n_workers else []

        return wait_until(found)

    @contextlib.contextmanager
    def held(self):
        """Stops the workers: what clients do meanwhile reaches them at once,
        however long it took."""
        pids = self.workers()
        try:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            assert wait_until(lambda: all(map(is_stopped, pids)))
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def spawner(self):
        """The process that runs CGI programs."""
        return wait_until(lambda: self.processes("spawner"))[0]

    def connections(self, worker=None):
        """How many connections are held, by all or by one worker."""
        inodes = connections_on(self.port)
        return len(inodes & sockets_of(worker) if worker else inodes)

    def memory_kib(self):
        return sum(status_kib(pid, "VmRSS") for pid in self.workers())

    # Talking to it.

    def connect(self, **options):
        return rawhttp.Connection(self.port, self.host, **options)

    def talk(self, raw, **options):
        return rawhttp.talk(self.port, raw, **options)

    def get(self, target="/ping.txt", *fields, method="GET", version="1.1"):
        """One exchange on a connection of its own."""
        raw = rawhttp.request(target, *fields, method=method, version=version)
        with self.connect() as c:
            return c.ask(raw, method)

    def head(self, target, *fields):
        return self.get(target, *fields, method="HEAD")
