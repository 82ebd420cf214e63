# SPDX-License-Identifier: ISC
"""The lines of the request log, in exactly the format of sws(1)."""

import re

from server import wait_until

LINE = re.compile(
    r'(?P<address>[0-9a-f.:]+) '
    r'(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) '
    r'"(?P<request>(?:[ !#-\[\]-~]|\\x[0-9a-fA-F]{2})*)" '
    r'(?P<status>\d{3}) (?P<size>\d+|-)')


def parse(line):
    match = LINE.fullmatch(line)
    assert match, line
    return match


class Log:
    def __init__(self, path):
        self.path = path

    def lines(self):
        """The whole lines so far."""
        text = self.path.read_bytes() if self.path.exists() else b""
        return text[:text.rfind(b"\n") + 1].decode("ascii").splitlines()

    def wait(self, count):
        """Exactly so many lines, parsed."""
        wait_until(lambda: len(self.lines()) >= count)
        lines = self.lines()
        assert len(lines) == count, lines
        return [parse(line) for line in lines]
