#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Lays out C sources: clang-format, less what it cannot do as we want it.

In kernel normal form a long statement goes on, indented by four blanks, and a
hand knows best where to break it.  clang-format 14 cannot be told so.  So it
is shown each statement on one line; where it has nothing to say about that,
the lines stay as they were.  Two more things stay: the space before a comment
at the end of a line, and paragraphs that hold a table, a macro with arguments
or an X-list.  What it did change may be too long afterwards: break it.

usage: tools/format.py [--check] FILE...
"""

import difflib
import os
import re
import subprocess
import sys
import tempfile

COLUMNS = 80
GOES_ON = re.compile(r"\t* {4}\S")
COMMENT_AT_END = re.compile(r"[ \t]+(?=/\*.*)")
MACRO, TABLE = r"^#define \w+\(|\\$|^#undef", r"^\t\{ .*\},|(= |\))\{$"
BY_HAND = re.compile(f"{MACRO}|{TABLE}", re.MULTILINE)


def joined(lines):
    """The lines of one statement as one line."""
    whole = lines[0].rstrip("\n")
    for line in lines[1:]:
        line = line.strip()
        if whole.endswith('"') and line.startswith('"'):
            whole = whole[:-1] + line[1:]
        else:
            whole += " " + line
    return whole + "\n"


def statements(text):
    """The lines of a text, those that go on together with their first."""
    result = []
    for line in text.splitlines(True):
        if GOES_ON.match(line) and result and result[-1][0].strip():
            result[-1].append(line)
        else:
            result.append([line])
    return result


def ranges(text):
    """The first and last line of each paragraph that may be laid out."""
    line = 1
    for paragraph in text.split("\n\n"):
        last = line + paragraph.count("\n")
        if not BY_HAND.search(paragraph):
            yield f"--lines={line}:{last}"
        line = last + 2


def clang_format(path, text, style):
    return subprocess.run(
        ["clang-format", f"--style=file:{style}", f"--assume-filename={path}",
         *ranges(text)],
        input=text, capture_output=True, text=True, check=True).stdout


def laid_out(path, text, style):
    ours = statements(text)
    whole = [joined(lines) for lines in ours]
    theirs = clang_format(path, "".join(whole), style).splitlines(True)
    result = []
    for what, i, i_end, j, j_end in difflib.SequenceMatcher(
            None, *([COMMENT_AT_END.sub(" ", line) for line in lines]
                    for lines in (whole, theirs)),
            autojunk=False).get_opcodes():
        result += sum(ours[i:i_end], []) if what == "equal" else theirs[j:j_end]
    return "".join(result)


def report(path, text, better):
    """Prints what is wrong with a text; returns whether anything is."""
    diff = list(difflib.unified_diff(
        text.splitlines(True), better.splitlines(True),
        path, path + " (laid out)", n=1))
    sys.stdout.writelines(diff)
    long = [number for number, line in enumerate(text.splitlines(), 1)
            if len(line.expandtabs()) > COLUMNS]
    for number in long:
        print(f"{path}:{number}: longer than {COLUMNS} columns")
    return bool(diff or long)


def unlimited_style():
    """Our .clang-format for statements on one line, however long."""
    top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with open(os.path.join(top, ".clang-format"), encoding="utf-8") as f:
        style = f.read().replace(f"ColumnLimit: {COLUMNS}",
                                 "ColumnLimit: 100000")
    file = tempfile.NamedTemporaryFile("w", suffix=".clang-format")
    file.write(style)
    file.flush()
    return file


def main(args):
    check = args[:1] == ["--check"]
    wrong = False
    with unlimited_style() as style:
        for path in args[check:]:
            with open(path, encoding="utf-8") as f:
                text = f.read()
            better = laid_out(path, text, style.name)
            if check:
                wrong |= report(path, text, better)
            elif better != text:
                with open(path, "w", encoding="utf-8") as f:
                    f.write(better)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
