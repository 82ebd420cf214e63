# SPDX-License-Identifier: ISC
"""Addresses and ports: -i, -p, and neither."""

import ipaddress
import os
import re
import socket
import subprocess

import pytest

import rawhttp
from processes import Run, free_port
from server import SWS, wait_until


def is_served(host, port):
    try:
        with rawhttp.Connection(port, host) as c:
            return c.ask(rawhttp.request("/hello.txt")).status == 200
    except ConnectionRefusedError:
        return False


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")


def test_all_ipv4_addresses(start, tree):
    server = start(tree, address=None)
    for host in ("127.0.0.1", "127.0.0.2"):
        assert is_served(host, server.port)


@needs_ipv6
def test_all_ipv6_addresses(start, tree):
    server = start(tree, address=None)
    assert is_served("::1", server.port)


def test_one_address(start, tree):
    server = start(tree)
    assert is_served("127.0.0.1", server.port)
    assert not is_served("127.0.0.2", server.port)


def test_several_addresses(start, tree):
    server = start(tree, "-i", "127.0.0.2", "--address", "127.0.0.3")
    for host in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
        assert is_served(host, server.port)
    assert not is_served("127.0.0.4", server.port)


@needs_ipv6
@pytest.mark.parametrize("address", ["::1", "[::1]"])
def test_ipv6_address(start, tree, address):
    server = start(tree, "-i", address, address=None)
    assert is_served("::1", server.port)
    assert not is_served("127.0.0.1", server.port)


@needs_ipv6
@pytest.mark.parametrize("addresses, family", [
    ([], None), (["0.0.0.0"], 4), (["::"], 6), (["127.0.0.2", "::"], None),
    (["0.0.0.0", "::1"], None), (["127.0.0.1"], 4)], ids=str)
def test_urls_that_it_shows(start, tree, addresses, family):
    """Each can be opened, and those of the loopback are among them."""
    server = start(tree, *(w for a in addresses for w in ("-i", a)),
                   address=None)
    assert wait_until(lambda: "Ctrl-C" in server.stderr())
    urls = re.findall(r"http://\[?(.*?)\]?:(\d+)/", server.stderr())
    hosts = [host for host, _ in urls]
    assert hosts and {int(port) for _, port in urls} == {server.port}
    for host in hosts:
        assert is_served(host, server.port), host
        assert host == "localhost" or family in (
            None, ipaddress.ip_address(host).version)
    loopback = {"localhost", "127.0.0.1", "127.0.0.2", "::1"}
    assert loopback & set(hosts)


def in_a_network_of_its_own(tree, prepare, options, url):
    """Checks that the server serves there, once a shell has prepared it."""
    script = f"""
        set -e
        ip link set lo up
        {prepare}
        echo ready
        '{SWS}' -f -p 8080 {options} --port-file=port '{tree}' >/dev/null &
        n=0
        until [ -s port ] || [ $n = 6000 ]; do n=$((n + 1)); sleep 0.01; done
        curl -qsSg '{url}'
        kill $! && wait $!
        """
    if os.geteuid() != 0:
        pytest.skip("needs root, for a network namespace")
    r = subprocess.run(["unshare", "--net", "sh", "-c", script], text=True,
                       cwd=tree.parent, capture_output=True, timeout=300)
    if "ready" not in r.stdout:
        pytest.skip(f"no such network to be had: {r.stderr.strip()}")
    assert r.stdout == "ready\nhello\n", r.stderr
    assert r.returncode == 0


@needs_ipv6
def test_ipv6_address_with_scope(tree):
    in_a_network_of_its_own(
        tree, "ip address add fe80::1/64 dev lo nodad\n"
        # Until then nobody can listen on it.
        "while ip address show dev lo tentative | grep -q .; do sleep 0.01\n"
        "done", "-i fe80::1%lo", "http://[fe80::1%25lo]:8080/hello.txt")


def test_host_name(start, tree):
    server = start(tree, "-i", "localhost", address=None)
    assert is_served("127.0.0.1", server.port)


@needs_ipv6
def test_both_families(start, tree):
    server = start(tree, "-i", "::1")
    assert is_served("127.0.0.1", server.port)
    assert is_served("::1", server.port)


@pytest.mark.parametrize("mode", [[], ["-f"]], ids=["daemon", "foreground"])
def test_free_port_is_printed(start, tree, tmp_path, mode):
    port_file = tmp_path / "port"
    if mode:
        server = start(tree)
        port, said = server.port, server.stdout() + server.stderr()
    else:
        with Run("-p", "0", "-i", "127.0.0.1", f"--port-file={port_file}",
                 tree) as run:
            port, said = int(port_file.read_text()), run.stdout + run.stderr
            assert is_served("127.0.0.1", port)
    assert re.search(rf"\b{port}\b", said)


def test_port_file_holds_the_number(start, tree):
    server = start(tree)
    assert (server.dir / "port").read_text() == f"{server.port}\n"


def test_named_port(tree):
    port = free_port()
    with Run("--port", str(port), "--address", "127.0.0.1", tree):
        assert is_served("127.0.0.1", port)


def test_host_without_ipv6(tree):
    """No -i there: what there is, is served."""
    in_a_network_of_its_own(
        tree, "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6 2>/dev/null",
        "", "http://127.0.0.1:8080/hello.txt")
