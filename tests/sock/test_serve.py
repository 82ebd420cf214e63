# SPDX-License-Identifier: ISC
"""sock serve: what arrives, who came, and how it ends."""

import os
import pathlib
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest

from workbench import (CHARGE, DONE, LOCAL, PATIENCE_S, POEM, SOCK, TIMEOUT,
                       USAGE, Serve, answer, objects, run)



def engines():
    """Those that are here; the line below one that is not says so."""
    if not SOCK.exists():
        return []
    lines = subprocess.run([SOCK, "serve", "--engine=help"], text=True,
                           capture_output=True).stdout.splitlines()
    return [line.split()[0] for line, below in zip(lines, lines[1:] + [""])
            if line[0] != " " and "not available here" not in below]


ENGINES = engines()
FORKING = [e for e in ENGINES if "fork" in e]
ENDS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def connect(address):
    host, _, port = address.removeprefix("tcp:").rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), PATIENCE_S)


@pytest.mark.parametrize("engine", ENGINES)
def test_many_clients_at_once(engine):
    data = os.urandom(1 << 18)
    got = []

    def client(address):
        with connect(address) as c:
            threading.Thread(
                target=lambda: (c.sendall(data), c.shutdown(socket.SHUT_WR)),
                daemon=True).start()
            parts = b""
            while part := c.recv(65536):
                parts += part
            got.append(parts == data)

    with Serve("tcp:127.0.0.1:0", "--echo", f"--engine={engine}") as s:
        address = s.address()
        threads = [threading.Thread(target=client, args=(address,),
                                    daemon=True) for _ in range(20)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(PATIENCE_S)
        assert got == [True] * 20
        assert s.stop() == DONE
        end = s.said[-1]
    assert (end["ev"], end["clients"]) == ("end", 20)
    assert end["received"] == end["sent"] == 20 * len(data)


@pytest.mark.parametrize("engine", ENGINES)
def test_many_addresses(tmp_path, engine):
    """M1 and what cures it: whoever comes first, on whichever address."""
    with Serve("tcp:127.0.0.1:0", "udp:127.0.0.1:0", f"unix:{tmp_path}/s",
               f"unix-dgram:{tmp_path}/d", f"--engine={engine}",
               "--count=4") as s:
        tcp, udp, *_ = s.addresses(4)
        for address in (f"unix-dgram:{tmp_path}/d", f"unix:{tmp_path}/s",
                        udp, tcp):
            answer("send", address, address + "\n")
        out = s.output()
    assert sorted(out.split()) == sorted([f"unix-dgram:{tmp_path}/d",
                                          f"unix:{tmp_path}/s", udp, tcp])


def test_blocking_waits_for_one_address():
    """M1: a client of the second address waits for one of the first."""
    with Serve("tcp:127.0.0.1:0", "tcp:127.0.0.1:0", "--engine=blocking",
               "--count=4") as s:
        first, second = s.addresses(2)
        for address, text in ((second, "b"), (second, "d"), (first, "a"),
                              (first, "c")):
            answer("send", address, text)
        assert s.output() == "abcd"


def test_blocking_serves_one_at_a_time():
    with Serve("tcp:127.0.0.1:0", "--engine=blocking", "--echo") as s, \
            connect(s.address()) as one:
        one.sendall(b"1")
        assert one.recv(1) == b"1"
        with connect(s.said[0]["local"]) as two:
            two.sendall(b"2")
            two.setblocking(False)
            for _ in range(100):        # the first is served meanwhile
                one.sendall(b"1")
                assert one.recv(1) == b"1"
            with pytest.raises(BlockingIOError):
                two.recv(1)
            two.settimeout(PATIENCE_S)
            one.close()
            assert two.recv(1) == b"2"
        assert s.stop() == DONE


def children(pid):
    """Its children's states, by pid."""
    found = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found[int(stat.parent.name)] = fields[0]
    return found


def wait_until_reaped(pid):
    """The parent says nothing of it, so it is asked."""
    end = time.monotonic() + PATIENCE_S
    while children(pid):
        assert time.monotonic() < end, children(pid)
        time.sleep(0.01)


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


@pytest.mark.parametrize("engine", FORKING)
def test_process_for_each(engine):
    """M2, M18: no zombie, and no descriptor that is not closed."""
    with Serve("tcp:127.0.0.1:0", f"--engine={engine}", "--echo") as s:
        address, pid = s.address(), s.process.pid
        before = descriptors(pid)
        for _ in range(5):
            clients = [connect(address) for _ in range(10)]
            for c in clients:
                c.sendall(b"x")
                assert c.recv(1) == b"x"
            assert len(children(pid)) == 10
            for c in clients:
                c.close()
            wait_until_reaped(pid)
            assert descriptors(pid) == before
        assert s.stop() == DONE
        end = s.said[-1]
    assert end["clients"] == end["received"] == end["sent"] == 50


@pytest.mark.parametrize("engine", FORKING)
def test_processes_are_bounded(engine):
    with Serve("tcp:127.0.0.1:0", f"--engine={engine}", "--echo",
               "--clients=2") as s:
        address = s.address()
        one, two, three = (connect(address) for _ in range(3))
        s.wait_for("pause")
        three.sendall(b"3")
        assert len(children(s.process.pid)) == 2
        one.close()
        assert three.recv(1) == b"3"
        two.close()
        three.close()
        assert s.stop() == DONE


@pytest.mark.parametrize("engine", FORKING)
def test_children_end_with_their_parent(engine):
    with Serve("tcp:127.0.0.1:0", f"--engine={engine}", "--echo") as s, \
            connect(s.address()) as one:
        one.sendall(b"1")
        assert one.recv(1) == b"1"
        s.process.kill()
        assert one.recv(1) == b""


@pytest.mark.parametrize("engine", FORKING)
def test_process_for_each_and_idle(engine):
    """M18: whoever waits for clients can do something else meanwhile."""
    with Serve("tcp:127.0.0.1:0", f"--engine={engine}", "--idle=100ms",
               "--echo") as s, connect(s.address()):
        s.wait_for("accept")
        s.wait_for("idle")
        s.wait_for("idle")
        assert s.stop() == DONE


def test_socket_that_was_opened_before():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with Serve(f"fd:{listener.fileno()}", "--echo",
                   pass_fds=[listener.fileno()]) as s:
            address = s.address()
            assert address == "tcp:127.0.0.1:%d" % listener.getsockname()[1]
            assert answer("send", address, "hi", "--half-close") == "hi"
            assert s.stop() == DONE
    with socket.socket() as unbound:
        done = run("serve", f"fd:{unbound.fileno()}",
                   pass_fds=[unbound.fileno()])
        assert done.returncode == LOCAL
        assert b"does not listen" in done.stderr


def test_shows_what_arrives():
    with Serve("tcp:127.0.0.1:0", "--count=1") as s:
        answer("send", s.address(), "one", " two")
        assert s.output() == "one two"
        assert s.wait_for("close")["received"] == 7


def test_silent_client_times_out():
    with Serve("tcp:127.0.0.1:0", "--timeout=100ms") as s:
        with connect(s.address()) as c:
            assert c.recv(1) == b""
        assert s.wait_for("close")["errno"] == "ETIMEDOUT"


def test_discard_and_source():
    with Serve("tcp:127.0.0.1:0", "--source=100k") as s:
        assert len(run(s.address()).stdout) == 102400
    with Serve("tcp:127.0.0.1:0", "--discard", "--count=1") as s:
        assert answer(s.address(), input="x" * 100000) == ""
        assert s.output() == ""


def queue_of(address):
    """Bytes not read, or clients that wait; of a socket that is one's own."""
    said, = objects(answer("ls", "--json", "-ln", address))
    return said["receive_queue"]


def wait_for_queue(address, least):
    end = time.monotonic() + PATIENCE_S
    while queue_of(address) < least:
        assert time.monotonic() < end


@pytest.mark.parametrize("engine", ENGINES)
def test_pauses_end(engine):
    """With each engine: what came meanwhile is served afterwards."""
    with Serve("tcp:127.0.0.1:0", "--echo", f"--engine={engine}",
               "--pause=listen:50ms,read:50ms,close:50ms") as s:
        assert s.wait_for("wait")["before"] == "accept"
        assert answer(s.said[0]["local"], input="x") == "x"
        assert s.wait_for("wait")["before"] == "read"
        assert s.wait_for("wait")["before"] == "close"
        assert s.wait_for("close")["received"] == 1


def test_pause_before_accept():
    """T12: clients wait in the backlog."""
    with Serve("tcp:127.0.0.1:0", "--pause=listen:1h") as s:
        address = s.address()
        with connect(address):
            wait_for_queue(address, 1)
        assert s.stop() == DONE
    assert s.said[-1]["clients"] == 0


def test_pause_before_read():
    """The buffers of both sides fill; --timeout is for what comes then."""
    with Serve("tcp:127.0.0.1:0", "--pause=1h", "--timeout=1ms") as s:
        address = s.address()
        done = run("send", address, "--timeout=200ms",
                   input=b"x" * (32 << 20))
        assert done.returncode == TIMEOUT
        assert s.wait_for("wait")["before"] == "read"
        assert s.stop() == DONE
        assert s.output() == ""
    assert s.said[-1]["clients"] == 1 and s.said[-1]["received"] == 0


def test_pause_of_datagrams():
    with Serve("udp:127.0.0.1:0", "--pause=read:1h") as s:
        address = s.address()
        assert s.wait_for("wait")["before"] == "read"
        answer("send", address, "x")
        wait_for_queue(address, 1)
        assert s.stop() == DONE
    assert s.said[-1]["messages"] == 0


def test_pause_before_close():
    """The peer has ended, we have not: CLOSE_WAIT."""
    with Serve("tcp:127.0.0.1:0", "--discard", "--pause=close:1h") as s:
        address = s.address()
        with connect(address) as c:
            c.shutdown(socket.SHUT_WR)
            assert s.wait_for("wait")["before"] == "close"
            states = [o["state"] for o in
                      objects(answer("ls", "--json", "-n", address))]
            assert "CLOSE_WAIT" in states
            assert s.stop() == DONE


def test_command_for_each_client():
    """M2: a process each, no zombie, no descriptor left (finding 3)."""
    with Serve("tcp:127.0.0.1:0", "--", "sh", "-c",
               "echo $SOCK_PEER; read x; echo got $x") as s:
        address = s.address()
        before = len(os.listdir(f"/proc/{s.process.pid}/fd"))
        for _ in range(50):
            peer, got = answer(address, input="hello\n").split("\n")[:2]
            assert peer.startswith("tcp:127.0.0.1:")
            assert got == "got hello"
            s.wait_for("close")
        assert len(os.listdir(f"/proc/{s.process.pid}/fd")) == before
        children = pathlib.Path(
            f"/proc/{s.process.pid}/task/{s.process.pid}/children")
        assert children.read_text() == ""


def test_commands_run_at_once():
    with Serve("tcp:127.0.0.1:0", "--", "sh", "-c", "read x; echo $x") as s:
        address = s.address()
        with connect(address) as first, connect(address) as second:
            second.sendall(b"second\n")
            assert second.recv(100) == b"second\n"
            first.sendall(b"first\n")
            assert first.recv(100) == b"first\n"


def test_clients_are_bounded():
    with Serve("tcp:127.0.0.1:0", "--echo", "--clients=1") as s:
        address = s.address()
        with connect(address) as first, connect(address) as second:
            s.wait_for("pause")
            second.sendall(b"x")
            first.sendall(b"y")
            assert first.recv(1) == b"y"
            second.setblocking(False)
            with pytest.raises(BlockingIOError):
                second.recv(1)
            second.settimeout(PATIENCE_S)
            first.close()
            assert second.recv(1) == b"x"


def test_out_of_descriptors():
    """It says so, waits for a client to go, and goes on."""
    def few():
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12))

    with Serve("tcp:127.0.0.1:0", "--echo", preexec_fn=few) as s:
        address = s.address()
        clients = [connect(address) for _ in range(12)]
        assert s.wait_for("pause")["errno"] == "EMFILE"
        for c in clients:
            c.close()
        assert answer(address, input="again") == "again"


def test_talk():
    with Serve("tcp:127.0.0.1:0", "--talk") as s:
        address = s.address()
        s.process.stdin.write(b"from the server")
        s.process.stdin.close()
        assert answer(address, input="from the client") == "from the server"
        assert s.output() == "from the client"
        s.process.stdin = open(os.devnull, "wb")


def test_port_file(tmp_path):
    """U1: the kernel picks the port."""
    low, high = map(int, open(
        "/proc/sys/net/ipv4/ip_local_port_range").read().split())
    with Serve("tcp:127.0.0.1:0", f"unix:{tmp_path}/s",
               f"--port-file={tmp_path}/ports") as s:
        tcp, _ = s.addresses(2)
        answer("send", tcp, "x")
        port, path = (tmp_path / "ports").read_text().splitlines()
    assert tcp.endswith(":" + port)
    assert low <= int(port) <= high
    assert path == f"{tmp_path}/s"


# ------------------------------------------------------ paths (L2, L4, S9)

@pytest.mark.parametrize("signo", ENDS)
def test_path_goes_with_the_server(tmp_path, signo):
    """S9: whatever ends it."""
    path = tmp_path / "s"
    with Serve(f"unix:{path}") as s:
        s.address()
        assert stat.S_ISSOCK(path.stat().st_mode)
        assert path.stat().st_size == 0
        assert s.stop(signo) == DONE
    assert not path.exists()


def test_what_replaced_the_path_stays(tmp_path):
    path = tmp_path / "s"
    with Serve(f"unix:{path}") as s:
        s.address()
        path.rename(tmp_path / "moved")
        path.write_text("precious")
        assert s.stop() == DONE
    assert path.read_text() == "precious"


def test_dead_socket_is_replaced(tmp_path):
    """L4: what a killed server left is no reason to refuse."""
    path = tmp_path / "s"
    with Serve(f"unix:{path}") as s:
        s.address()
        s.stop(signal.SIGKILL)
    assert path.exists()
    with Serve(f"unix:{path}", "--count=1") as s:
        s.wait_for("unlink")
        s.address()
        answer("send", f"unix:{path}", "alive")
        assert s.output() == "alive"


def test_live_socket_is_left_alone(tmp_path):
    with Serve(f"unix:{tmp_path}/s", "--echo") as s:
        s.address()
        done = run("serve", f"unix:{tmp_path}/s")
        assert done.returncode == LOCAL
        assert f"held by sock[{s.process.pid}]" in done.stderr.decode()
        assert answer(f"unix:{tmp_path}/s", input="x") == "x"


@pytest.mark.parametrize("kind", ["file", "directory", "dangling link"])
def test_other_things_are_left_alone(tmp_path, kind):
    path = tmp_path / "s"
    if kind == "file":
        path.write_text("precious")
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("nowhere")
    done = run("serve", f"unix:{path}")
    assert done.returncode == LOCAL
    assert b"EADDRINUSE" in done.stderr
    assert os.path.lexists(path)
    if kind == "file":
        assert path.read_text() == "precious"


def test_foreign_socket_is_left_alone(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root to make another user's socket")
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(path))
    os.chown(path, 65534, 65534)
    done = run("serve", f"unix:{path}")
    assert done.returncode == LOCAL
    assert b"another user's (uid 65534)" in done.stderr
    assert path.exists()


def test_abstract_name_has_no_path(tmp_path):
    """L10."""
    name = f"unix:@sock-test-{os.getpid()}"
    with Serve(name, "--echo", cwd=tmp_path) as s:
        assert s.address() == name
        assert answer(name, input="x") == "x"
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------- the lecture's lines

def lecture(*arguments, **options):
    return subprocess.Popen([SOCK, "serve", "--lecture", *arguments],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, **options)


def test_udgramread(tmp_path):
    """L1: the slide's programs, line by line."""
    with lecture("unix-dgram:socket", "--count=1", cwd=tmp_path) as p:
        assert p.stdout.readline() == "socket --> socket\n"
        mode = os.stat(tmp_path / "socket")
        assert stat.filemode(mode.st_mode)[0] == "s" and mode.st_size == 0
        answer("send", "unix-dgram:socket", POEM, cwd=tmp_path)
        assert p.communicate(timeout=PATIENCE_S) == (f"--> {POEM}\n", "")
    assert not (tmp_path / "socket").exists()


def test_dgramread():
    """U1, U2."""
    with lecture("udp::0", "--count=1") as p:
        said, port = p.stdout.readline().split("#")
        assert said == "Socket has port "
        answer("send", f"udp:localhost:{int(port)}", POEM)
        assert p.communicate(timeout=PATIENCE_S) == (f"--> {POEM}\n", "")


def test_streamread():
    """T2: twice the writer, twice the two lines."""
    with lecture("tcp::0", "--count=2") as p:
        port = p.stdout.readline().split("#")[1].strip()
        for _ in range(2):
            answer("send", f"tcp:localhost:{port}", CHARGE)
        assert p.communicate(timeout=PATIENCE_S) == (
            f"--> {CHARGE}\nEnding connection\n" * 2, "")


def test_strchkread():
    """M7: something else is done while nobody comes."""
    with lecture("tcp::0", "--idle=50ms") as p:
        port = p.stdout.readline().split("#")[1].strip()
        for _ in range(2):
            assert p.stdout.readline() == "Do something else\n"
        answer("send", f"tcp:localhost:{port}", CHARGE)
        seen = [p.stdout.readline() for _ in range(2)]
        while seen[-1] != "Ending connection\n":
            seen.append(p.stdout.readline())
        assert f"--> {CHARGE}\n" in seen
        p.send_signal(signal.SIGINT)
        p.communicate(timeout=PATIENCE_S)
        assert p.returncode == DONE


def test_usage():
    assert run("serve", "tcp::0", "--talk", "udp::0").returncode == USAGE
    assert run("serve", "udp::0", "--talk", "-q").returncode == USAGE
    for pause in ["", "soon", "write:1s", "read:", "1s,", "read:1s,,1s",
                  "read:" + "1" * 40]:
        assert run("serve", "tcp::0", f"--pause={pause}").returncode == USAGE
    assert run("serve", "tcp::0", "--pause=1s", "--talk").returncode == USAGE
    assert run("serve", "tcp::0", "--pause=1s", "--",
               "true").returncode == USAGE
