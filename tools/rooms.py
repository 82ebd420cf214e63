#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Guards the walls between the rooms of src/.

Reads every include line and every call, says what crosses a wall as
"file:line: what", and fails when there was anything to say.  So it does for
a file that the build has forgotten.

usage: tools/rooms.py
"""

import glob
import os
import re
import sys

# Which rooms a room may include, besides itself.  Nobody includes cmd, and
# since each line names only rooms of the lines above it, there is no cycle.
ROOMS = {
    "base": "",
    "net": "base",
    "tls": "net base",
    "http": "base",
    "h1": "http net base",
    "h2": "http net base",
    "h3": "http net base",
    "site": "http base net/loop.h net/channel.h net/addr.h",
    "server": "site h1 h2 h3 http tls net base",
    "sock": "net tls base",
    "cmd": "sock server tls net base",
}

# System headers that belong to one room each.
SYSTEM = {
    r"sys/(epoll|event)\.h|liburing\.h|event2/.*|ev\.h": "net",
    r"openssl/.*|mbedtls/.*|gnutls/.*|tls\.h": "tls h3",
    r"nghttp2/.*": "h2",
    r"nghttp3/.*|ngtcp2/.*": "h3",
    r"magic\.h|libdeflate\.h|zlib\.h|zstd\.h|brotli/.*": "site",
    r"pcap/.*|pcap\.h": "sock",
}

BANNED = """strcpy strcat strncpy strncat sprintf vsprintf strtok atoi atol
    sscanf gets alloca localtime gmtime"""

INCLUDE = re.compile(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
CALL = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(BANNED.split()))
NOT_CODE = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)


def check_table():
    """A room may name only rooms above it in the table."""
    above = set()
    for room, may in ROOMS.items():
        for other in may.split():
            if other.split("/")[0] not in above:
                yield "ROOMS", 0, f"{room} names {other}, which is not below"
        above.add(room)


def wrong_include(room, header):
    """Why this room must not include this header of ours, or None."""
    other = header.split("/")[0]
    if "/" not in header:
        return f'"{header}" does not name its room'
    if other == room:
        return None
    if header.endswith("_priv.h"):
        return f'"{header}" is private to {other}'
    if not {other, header} & set(ROOMS[room].split()):
        return f'{room} must not include "{header}"'
    return None


def wrong_system_include(room, header):
    for pattern, owners in SYSTEM.items():
        if re.fullmatch(pattern, header) and room not in owners.split():
            return f"<{header}> belongs to {owners}"
    return None


def blank(match):
    """Blanks of the same length, so that lines keep their numbers."""
    return re.sub(r"[^\n]", " ", match[0])


def check_file(path, room):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if not text.startswith("/* SPDX-License-Identifier: ISC */\n"):
        yield path, 1, "does not begin with the licence line"
    for number, line in enumerate(text.splitlines(), 1):
        if found := INCLUDE.match(line):
            ours, system = found.groups()
            why = (wrong_include(room, ours) if ours
                   else wrong_system_include(room, system))
            if why:
                yield path, number, why
    for number, line in enumerate(NOT_CODE.sub(blank, text).splitlines(), 1):
        for found in CALL.finditer(line):
            yield path, number, f"{found[1]}() is banned"


def check_tree(src):
    yield from check_table()
    for room in sorted(os.listdir(src)):
        folder = os.path.join(src, room)
        if not os.path.isdir(folder):
            continue
        if room not in ROOMS:
            yield folder, 0, "is not a room of the table"
            continue
        for name in sorted(os.listdir(folder)):
            if name.endswith((".c", ".h")):
                yield from check_file(os.path.join(folder, name), room)


def check_lists(top):
    """A source or test that no meson.build names would be left out unseen."""
    for folder in ("src", "tests/unit", "tests/fuzz"):
        with open(os.path.join(top, folder, "meson.build"),
                  encoding="utf-8") as f:
            named = set(re.findall(r"'(\w+)'", f.read()))
        for path in sorted(glob.glob(os.path.join(top, folder, "**/*.c"),
                                     recursive=True)):
            stem = os.path.basename(path)[:-2]
            if stem not in named and os.path.dirname(path)[-3:] != "cmd":
                yield path, 1, f"is not named in {folder}/meson.build"


def main():
    top = os.path.relpath(os.path.dirname(os.path.dirname(
        os.path.abspath(__file__))))
    wrong = [*check_tree(os.path.join(top, "src")), *check_lists(top)]
    for path, line, what in wrong:
        print(f"{path}:{line}: {what}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
