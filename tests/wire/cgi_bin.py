# SPDX-License-Identifier: ISC
"""The directory of CGI programs that the tests use, and who runs in it.

Most tests say in the request what the program shall answer: `repeat` prints
what it is sent, header and all.
"""

import contextlib
import json
import os
import pathlib
import shutil
import tempfile

from server import PATIENCE_S, wait_until

PYTHON = "#!/usr/bin/python3 -IS\n"
SH = "#!/bin/sh\n"

SOURCE = b"secret of a program"

PROGRAMS = {
    # What is sent is the answer, header and all ...
    "repeat": SH + "exec cat\n",
    "nph-repeat": SH + "exec cat\n",
    # ... or its content.
    "echo": SH + "printf 'Content-Type: application/octet-stream\\n\\n'\n"
            "exec cat\n",
    # Everything that a program can know of itself.
    "show": PYTHON + """
import json, os, resource, sys
def fds():
    for fd in map(int, os.listdir("/proc/self/fd")):
        try:
            yield fd, os.readlink(f"/proc/self/fd/{fd}")
        except FileNotFoundError:
            pass        # the one that listed the others
environ = open("/proc/self/environ", "rb").read().decode("latin-1")
print("Content-Type: application/json\\n")
print(json.dumps({
    "args": sys.argv,
    "env": [e.split("=", 1) for e in environ.split("\\0") if e],
    "fds": dict(fds()), "cwd": os.getcwd(), "input": sys.stdin.read(),
    "pid": os.getpid(), "pgid": os.getpgid(0), "nice": os.nice(0),
    "limits": {name: resource.getrlimit(getattr(resource, name))[0]
               for name in dir(resource) if name.startswith("RLIMIT_")},
}))
""",
    "status": SH + "printf 'Content-Type: text/plain\\n\\n'\n"
              "exec cat /proc/self/status\n",
    "short": SH + "printf 'Content-Type: text/plain\\n\\nshort\\n'\n",
    "sub/deep/short": SH + "printf 'Content-Type: text/plain\\n\\ndeep\\n'\n",
    # Redirections, of which the answer decides nothing.
    "circle": SH + "printf 'Location: /cgi-bin/circle\\n\\n'\n",
    "countdown": SH + "n=$QUERY_STRING\n"
                 "[ \"$n\" -gt 0 ] || exec ./short\n"
                 "printf 'Location: /cgi-bin/countdown?%d\\n\\n' $((n - 1))\n",
    # Those that misbehave.
    "fails": SH + "echo 'it broke' >&2; exit 3\n",
    "killed": SH + "kill -9 $$\n",
    "closes": SH + "printf 'Content-Type: text/plain\\n\\ndone\\n'\n"
              "exec >&- 2>&-\n"
              "i=0\nuntil [ -e \"$QUERY_STRING/go\" ] || [ $i -gt 2400 ]; do\n"
              "sleep 0.05; i=$((i + 1)); done\n"
              "touch \"$QUERY_STRING/mark\"\n",
    "sleeps": SH + "exec 2>&-\nsleep 1000 &\nsleep 1000\n",
    # A client that has closed is noticed by what is written to it.
    "begins": SH + "printf 'Content-Type: text/plain\\n\\nbegun\\n'\n"
              "sleep 1000 &\nwhile sleep 0.1; do echo tick; done\n",
    "stubborn": SH + "trap '' TERM PIPE\n"
                "printf 'Content-Type: text/plain\\n\\nbegun\\n'\n"
                "sleep 1000 &\nwhile :; do sleep 0.1; echo tick; done\n",
    "silent": SH + "printf 'Content-Type: text/plain\\n\\nbegun\\n'\n"
              "exec sleep 1000\n",
    "waits": SH + "sleep \"$QUERY_STRING\"\nexec ./short\n",
    "endless": SH + "printf 'Content-Type: text/plain\\n\\n'\n"
               "exec cat /dev/zero\n",
    "headless": SH + "while echo 'X-More: 0123456789'; do :; done\n",
    "complains": SH + "i=0\nwhile [ $i -lt 1000 ]; do\n"
                 "echo \"complaint $i\" >&2; i=$((i + 1)); done\n"
                 "exec ./short\n",
    "no-interpreter": "#!/nowhere/at/all\n",
    "no-program": "neither a script nor a binary\n",
    # Beneath and out of the directory; see also make().
    "sub/.hidden": SH + "exec ../short\n",
}

LINKS = {
    "link": "short",
    "link-dir": "sub/deep",
    "link-out": "/bin/true",
    "link-out-dir": "/bin",
    "link-loop": "link-loop",
    "nph-link": "repeat",
}


def make():
    """A directory that every user may enter; pytest's own is root's."""
    base = pathlib.Path(tempfile.mkdtemp(prefix="sws-cgi-"))
    base.chmod(0o755)
    cgi_bin = base / "cgi-bin"
    cgi_bin.mkdir()
    for name, text in PROGRAMS.items():
        write(cgi_bin, name, text)
    for name, target in LINKS.items():
        (cgi_bin / name).symlink_to(target)
    plain = cgi_bin / "plain"
    plain.write_bytes(SOURCE)
    plain.chmod(0o644)
    os.mkfifo(cgi_bin / "fifo", 0o755)
    return cgi_bin


def write(cgi_bin, name, text):
    """One more program."""
    path = cgi_bin / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def remove(cgi_bin):
    shutil.rmtree(cgi_bin.parent, ignore_errors=True)


def running(cgi_bin):
    """The processes of its programs, and what these have started.  They are
    known by their environment, which a zombie has no more."""
    mark = f"SCRIPT_FILENAME={cgi_bin}/".encode()
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


def all_ended(cgi_bin, seconds=PATIENCE_S):
    return wait_until(lambda: not running(cgi_bin), seconds)


def shown(response):
    """What `show` tells, the environment as a dict of distinct names."""
    told = json.loads(response.body)
    names = [name for name, _ in told["env"]]
    assert len(names) == len(set(names)), names
    told["env"] = dict(told["env"])
    return told
