# SPDX-License-Identifier: ISC
"""Exactly one valid Host (RFC 9112 3.2)."""

import pytest

# lines that name the host, what comes of them in HTTP/1.1
HOSTS = {
    "name": (["Host: localhost"], "200 open"),
    "name with port": (["Host: localhost:8080"], "200 open"),
    "empty port": (["Host: localhost:"], "200 open"),
    "in capitals": (["HOST: EXAMPLE.com"], "200 open"),
    "final dot": (["Host: example.com."], "200 open"),
    "underscore": (["Host: _srv.example"], "200 open"),
    "IPv4": (["Host: 127.0.0.1:80"], "200 open"),
    "IPv4 at the end of IPv6": (["Host: [::ffff:1.2.3.4]:"], "200 open"),
    "percent": (["Host: a%7ab"], "200 open"),
    "last port": (["Host: a:65535"], "200 open"),
    "port with zeros": (["Host: a:00080"], "200 open"),
    "empty": (["Host:"], "200 open"),
    "IPv6": (["Host: [::1]"], "200 open"),
    "IPv6 with port": (["Host: [2001:db8::1]:80"], "200 open"),

    "none": ([], "400 closed"),
    "two": (["Host: x", "Host: y"], "400 closed"),
    "two alike": (["Host: x", "Host: x"], "400 closed"),
    "two, one empty": (["Host: x", "Host:"], "400 closed"),
    "list": (["Host: x, y"], "400 closed"),
    "comma and no space": (["Host: x,y z"], "400 closed"),
    "space within": (["Host: a b"], "400 closed"),
    "path": (["Host: x/y"], "400 closed"),
    "URL": (["Host: http://x"], "400 closed"),
    "user": (["Host: me@x"], "400 closed"),
    "query": (["Host: x?y"], "400 closed"),
    "fragment": (["Host: x#y"], "400 closed"),
    "backslash": (["Host: x\\y"], "400 closed"),
    "quote": (['Host: "x"'], "400 closed"),
    "angle": (["Host: <x>"], "400 closed"),
    "port in letters": (["Host: x:http"], "400 closed"),
    "port with sign": (["Host: x:-80"], "400 closed"),
    "two ports": (["Host: x:80:80"], "400 closed"),
    "port too large": (["Host: a:99999"], "400 closed"),
    "port just too large": (["Host: a:65536"], "400 closed"),
    "port beyond all numbers": (
        ["Host: a:18446744073709551696"], "400 closed"),
    "percent and no digits": (["Host: a%zz"], "400 closed"),
    "percent and one digit": (["Host: a%4"], "400 closed"),
    "letters in IPv6": (["Host: [::g]"], "400 closed"),
    "IPv6 too long": (["Host: [1:2:3:4:5:6:7:8:9]"], "400 closed"),
    "IPv6 with scope": (["Host: [fe80::1%25lo]"], "400 closed"),
    "IPv4 in brackets": (["Host: [127.0.0.1]"], "400 closed"),
    "colons between letters": (["Host: a:b:c"], "400 closed"),
    "IPv6 not in brackets": (["Host: ::1"], "400 closed"),
    "bracket not closed": (["Host: [::1"], "400 closed"),
    "bracket not opened": (["Host: ::1]"], "400 closed"),
    "brackets around nothing": (["Host: []"], "400 closed"),
    "behind the bracket": (["Host: [::1]x"], "400 closed"),
}


def head(version, lines, target="/ping.txt"):
    lines = [f"GET {target} HTTP/{version}", *lines, "", ""]
    return "\r\n".join(lines).encode("latin-1")


@pytest.mark.parametrize("name", HOSTS)
def test_host(server, name):
    lines, story = HOSTS[name]
    assert server.talk(head("1.1", lines)).story == story


@pytest.mark.parametrize("lines,story", [
    ([], "200 closed"),
    (["Host: x"], "200 closed"),
    (["Host: x", "Host: y"], "400 closed"),
    (["Host: a b"], "400 closed"),
], ids=["none", "one", "two", "bad"])
def test_host_in_1_0(server, lines, story):
    assert server.talk(head("1.0", lines)).story == story


@pytest.mark.parametrize("lines,story", [
    (["Host: x"], "200 open"),
    (["Host: other"], "200 open"),
    ([], "400 closed"),
    (["Host: a b"], "400 closed"),
], ids=["same", "other", "none", "bad"])
def test_absolute_target_needs_its_host_too(server, lines, story):
    raw = head("1.1", lines, target="http://x/ping.txt")
    assert server.talk(raw).story == story
