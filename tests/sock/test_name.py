# SPDX-License-Identifier: ISC
"""sock name --dns: what the DNS says, beside what programs are told."""

import shlex
import sys

from network import objects_in_network
from workbench import DONE, answer, objects, run

# One IPv4 address for whatever is asked (RFC 1035); a short message ends it.
SERVER = r"""
import socket
s = socket.socket(type=socket.SOCK_DGRAM)
s.bind(("127.0.0.9", 53))
print("ready", flush=True)
while len((asked := s.recvfrom(512))[0]) > 12:
    question, peer = asked
    end = question.index(b"\0", 12) + 5
    wants_a = question[end - 3] == 1
    reply = (question[:2] + b"\x81\x80\0\1\0" + bytes([wants_a]) +
             b"\0\0\0\0" + question[12:end])
    if wants_a:
        reply += (b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" +
                  socket.inet_aton("192.0.2.53"))
    s.sendto(reply, peer)
"""


def in_lab(script):
    """Where /etc/hosts, which is the lab's, has here.lab."""
    return objects_in_network("names", f"""
        grep -q here.lab /etc/hosts || exit
        echo nameserver 127.0.0.9 >/etc/resolv.conf
        {script}
        """)


def with_server(script):
    return in_lab(f"""
        {sys.executable} -c {shlex.quote(SERVER)} |
        {{ read ready; {script}; $SOCK send udp:127.0.0.9:53 stop; }}
        """)


def addresses(told):
    return [(o["ev"], o["address"]) for o in told]


def test_dns_and_nsswitch_differ():
    """N4: programs are told what is in the file, host(1) is not."""
    assert addresses(with_server("$SOCK name here.lab --dns --json")) == [
        ("dns", "192.0.2.53"), ("address", "tcp:127.0.0.1:0")]


def test_name_that_only_dns_has():
    """N3: the file has it not, so the DNS is asked."""
    told = with_server("$SOCK name there.lab --dns --json -v")
    assert [o for o in addresses(o for o in told if "address" in o)] == [
        ("dns", "192.0.2.53"), ("address", "tcp:192.0.2.53:0")]
    assert told[-1]["from"] == "resolver"


def test_no_address_of_that_family():
    """The name is there, but has no IPv6 address: no error."""
    told = with_server("$SOCK name ::1 -6 --json; "
                       "$SOCK name v6only --dns -6 --json")
    assert ("dns", None) in addresses(told)
    assert [o["errno"] for o in told if o["ev"] == "dns"] == [None]


def test_nobody_answers():
    told = in_lab("$SOCK name here.lab --dns --timeout=1s --json")
    assert addresses(told) == [("dns", None), ("address", "tcp:127.0.0.1:0")]
    assert told[0]["errno"] in ("ETIMEDOUT", "ECONNREFUSED")


def test_not_a_name():
    done = run("name", "127.0.0.1", "--dns", "--json", "--timeout=1s")
    assert done.returncode == DONE
    assert objects(done.stdout)[-1]["address"] == "tcp:127.0.0.1:0"
    assert "dns" not in answer("name", "127.0.0.1", "--json")
