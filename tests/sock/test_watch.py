# SPDX-License-Identifier: ISC
"""sock watch: packets as lines, bytes, ladders, and for tcpdump."""

import json
import shutil
import subprocess

import pytest

from network import in_network, objects_in_network
from workbench import (DONE, LOCAL, NOBODY, POEM, UNAVAILABLE, USAGE,
                       for_nobody, run)

# Begins to watch, and goes on when it has begun; $SOCK is not quoted there.
WATCH = """
    mkfifo said
    $SOCK watch {options} 2>said >seen &
    exec 3<said
    read begun <&3
"""
SERVE = """
    mkfifo heard
    $SOCK serve tcp:127.0.0.1:5000 --count=1 2>heard >got &
    exec 4<heard
    read begun <&4
"""


def has_filters():
    done = run("watch", "lo", "tcp", "--for=0.01")
    return b"without libpcap" not in done.stderr


filters = pytest.mark.skipif(not has_filters(), reason="without libpcap")


def test_datagram_and_the_error_about_it():
    told = objects_in_network("arp", WATCH.format(
        options="--json --count=2 lo") + """
        $SOCK send udp:127.0.0.1:9 hello 2>/dev/null
        wait; cat seen
        """)
    sent, error = told
    assert sent["kind"] == "udp" and sent["to"] == "127.0.0.1:9"
    assert sent["payload"] == 5 and sent["interface"] == "lo"
    assert (error["kind"], error["type"], error["code"]) == ("icmp", 3, 3)
    assert error["seconds"] >= sent["seconds"] == 0


def test_bytes_hold_the_poem():
    """U7: as tcpdump -X shows it."""
    text = in_network("arp", WATCH.format(options="-X --count=1 lo") + f"""
        $SOCK send udp:127.0.0.1:9 '{POEM}' 2>/dev/null
        wait; cat seen
        """)
    line, *rows = text.splitlines()
    assert "udp 44 bytes" in line
    # Offset, groups of two bytes, text: as tcpdump -X, without a link layer.
    assert rows[0].split()[:2] == ["0x0000:", "4500"]
    shown = "".join(row.rpartition("  ")[2].lstrip()[-16:] for row in rows)
    assert "The.sea.is" in shown
    digits = "".join("".join(row.split()[1:9]) for row in rows[:2])
    assert len(digits) == 64 and bytes.fromhex(digits)[:2] == b"\x45\0"


def test_ladder_of_a_connection():
    """T6: three segments open it, each FIN is acknowledged."""
    rungs = objects_in_network("arp", WATCH.format(
        options="--json --ladder lo") + SERVE + f"""
        $SOCK send tcp:127.0.0.1:5000 '{POEM}'
        wait; cat seen
        """)
    flags = [o["flags"] for o in rungs]
    assert flags[:3] == ["S", "S.", "."]
    assert sum("F" in f for f in flags) == 2
    assert sum(o["payload"] for o in rungs) == len(POEM)
    assert "SYN+ACK seq 0, ack 1" in rungs[1]["text"]
    # It ends when both FINs are acknowledged, in three segments or in four.
    assert flags[-1] == "." and "F" in "".join(flags[-4:-1])


@filters
def test_filter():
    told = objects_in_network("arp", WATCH.format(
        options="--json --count=1 udp dst port 9") + """
        $SOCK send udp:127.0.0.1:7 no 2>/dev/null
        $SOCK send udp:127.0.0.1:9 yes 2>/dev/null
        wait; cat seen
        """)
    (packet,) = told
    assert packet["to"] == "127.0.0.1:9" and packet["payload"] == 3


@pytest.mark.skipif(shutil.which("tcpdump") is None, reason="no tcpdump")
def test_file_opens_in_tcpdump(tmp_path):
    """R10: what -w wrote."""
    size = 20000
    in_network("arp", WATCH.format(
        options=f"--count=2 -w {tmp_path}/F.pcap lo") + f"""
        $SOCK send udp:127.0.0.1:9 $(head -c {size} /dev/zero | tr '\\0' x)
        wait; cat seen
        """)
    read = subprocess.run(["tcpdump", "-nn", "-A", "-r", "F.pcap"],
                          cwd=tmp_path, capture_output=True, text=True,
                          check=True)
    assert f"UDP, length {size}" in read.stdout
    assert "udp port 9 unreachable" in read.stdout
    assert "truncated" not in read.stdout
    # Whole packets: all of them was kept.
    assert read.stdout.count("x") >= size


def test_bytes_are_those_of_tcpdump(tmp_path, tool):
    """U7: two watch the same packets, one shows, one writes them."""
    tcpdump = tool("tcpdump")
    seen = in_network("arp", WATCH.format(options="-X --count=40 lo") + f"""
        mkfifo theirs
        $SOCK watch --count=40 -w {tmp_path}/F lo 2>theirs &
        exec 5<theirs
        read begun <&5
        $SOCK send udp:127.0.0.1:9 --via=sendto --count=20 '{POEM}'
        wait; cat seen
        """)
    read = subprocess.run([tcpdump, "-nn", "-X", "-r", tmp_path / "F"],
                          capture_output=True, text=True, check=True)
    ours, theirs = ([line.strip() for line in text.splitlines()
                     if line.strip().startswith("0x")]
                    for text in (seen, read.stdout))
    assert len(ours) > 40 and ours == theirs


def test_stops_by_a_signal_and_says_how_many():
    *seen, status = in_network("arp", WATCH.format(options="--json lo") + """
        watcher=$!
        kill -INT $watcher
        wait $watcher; echo $?
        """).splitlines()
    assert seen == [] and int(status) == DONE


def test_ends_after_a_while():
    told = in_network("arp", "$SOCK watch --json --for=0.05 lo 2>&1\n")
    assert json.loads(told.splitlines()[-1])["ev"] == "watched"


def test_not_permitted():
    try:
        done = run("watch", "lo", program=for_nobody(), user=NOBODY,
                   group=NOBODY, extra_groups=[])
    except PermissionError:
        done = run("watch", "lo", "--for=0.01")
        if done.returncode == DONE:
            pytest.skip("only root can become another user")
    assert done.returncode == UNAVAILABLE
    assert b"CAP_NET_RAW" in done.stderr and done.stderr.count(b"\n") == 1


@filters
@pytest.mark.parametrize("words", [
    ["lo", "tcp", "prt", "80"], ["nonsense here"], ["lo", "x" * 5000],
])
def test_refused(words):
    done = run("watch", *words)
    assert done.returncode == USAGE and done.stderr.count(b"\n") == 1


def test_file_that_cannot_be():
    text = in_network("arp", """
        $SOCK watch -q lo -w /proc/nowhere/x 2>&1; echo $?
        $SOCK watch -q lo -w /dev/full 2>&1; echo $?
        """).splitlines()
    assert [int(text[1]), int(text[3])] == [LOCAL, LOCAL]
    assert "ENOENT" in text[0] and "ENOSPC" in text[2]
