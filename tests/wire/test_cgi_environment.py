# SPDX-License-Identifier: ISC
"""What a CGI program finds: its variables (RFC 3875 4.1), arguments (4.4),
directory, descriptors, signals and limits."""

import os
import re
import signal

import pytest

import cgi_bin as programs
from rawhttp import request

SHOW = "/cgi-bin/show"

# The variables of every request, beside those with HTTP_ and what is passed
# on of the server's own.
ALWAYS = {
    "GATEWAY_INTERFACE", "SERVER_SOFTWARE", "SERVER_NAME", "SERVER_PORT",
    "SERVER_PROTOCOL", "REQUEST_SCHEME", "REQUEST_METHOD", "REQUEST_URI",
    "DOCUMENT_ROOT", "SCRIPT_NAME", "SCRIPT_FILENAME", "QUERY_STRING",
    "REMOTE_ADDR", "REMOTE_HOST", "REMOTE_PORT", "REDIRECT_STATUS",
}
PASSED_ON = {name for name in ("PATH", "TZ", "LANG") if name in os.environ}


def show(server, target=SHOW, *fields, **options):
    with server.connect() as c:
        raw = request(target, *fields, **options)
        return programs.shown(c.ask(raw))


def env_of(server, target=SHOW, *fields, **options):
    return show(server, target, *fields, **options)["env"]


def test_exactly_these(cgi):
    env = env_of(cgi)
    assert set(env) == ALWAYS | PASSED_ON | {"PATH", "HTTP_HOST"}


def test_values(cgi, site):
    with cgi.connect() as c:
        r = c.ask(request(SHOW + "/x?a=b&%20+", "Host: example.org:81"))
        env = programs.shown(r)["env"]
        port = str(c.socket.getsockname()[1])
    assert env["GATEWAY_INTERFACE"] == "CGI/1.1"
    assert re.fullmatch(r"sws/[\d.]+", env["SERVER_SOFTWARE"])
    assert env["SERVER_NAME"] == "example.org"
    assert env["SERVER_PORT"] == str(cgi.port)
    assert env["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert env["REQUEST_SCHEME"] == "http"
    assert env["REQUEST_METHOD"] == "GET"
    assert env["REQUEST_URI"] == SHOW + "/x?a=b&%20+"
    assert env["QUERY_STRING"] == "a=b&%20+"
    assert env["DOCUMENT_ROOT"] == str(site)
    assert env["REMOTE_ADDR"] == env["REMOTE_HOST"] == "127.0.0.1"
    assert env["REMOTE_PORT"] == port
    assert env["HTTP_HOST"] == "example.org:81"


@pytest.mark.parametrize("host,name", [
    ("x", "x"), ("x:80", "x"), ("127.0.0.1:1", "127.0.0.1"),
    ("[::1]", "[::1]"), ("[::1]:80", "[::1]"), ("x:", "x")])
def test_server_name(cgi, host, name):
    assert env_of(cgi, SHOW, "Host: " + host)["SERVER_NAME"] == name


def test_server_name_without_host(cgi):
    env = env_of(cgi, SHOW, version="1.0")
    assert env["SERVER_NAME"] and env["SERVER_PROTOCOL"] == "HTTP/1.0"
    assert "HTTP_HOST" not in env


def test_absolute_target(cgi):
    env = env_of(cgi, "http://other:82" + SHOW + "/i?q", "Host: x")
    assert env["SERVER_NAME"] == "other"
    assert env["PATH_INFO"] == "/i" and env["QUERY_STRING"] == "q"


@pytest.mark.parametrize("query", [
    "", "?", "?a=b", "?a=b?c=d", "?%41=%zz", "?=&;+/../"])
def test_query_is_raw(cgi, query):
    assert env_of(cgi, SHOW + query)["QUERY_STRING"] == query[1:]


@pytest.mark.parametrize("query,args", [
    ("", []), ("?", []), ("?word", ["word"]), ("?a+b", ["a", "b"]),
    ("?a%20b+%2B", ["a b", "+"]), ("?-rf+%2F", ["-rf", "/"]),
    ("?a++b", ["a", "", "b"]), ("?a=b+c", []), ("?a%3Db", ["a=b"]),
    ("?a%00b", []), ("?a+%zz", []), ("?a+%4", []),
    ("?%24(id)+%60id%60", ["$(id)", "`id`"]), ("?" + "x+" * 100, [])])
def test_arguments(cgi, query, args):
    told = show(cgi, SHOW + query)
    assert told["args"][1:] == args
    assert told["env"]["QUERY_STRING"] == query[1:]


def test_no_arguments_where_content_is_sent(cgi):
    told = show(cgi, SHOW + "?word", "Content-Length: 2", method="POST",
                body=b"hi")
    assert told["args"][1:] == [] and told["input"] == "hi"


# fields of the request, variables with HTTP_ beside HTTP_HOST
FIELDS = [
    (["X-A: b"], {"X_A": "b"}),
    (["x-lower: b"], {"X_LOWER": "b"}),
    (["X-A: 1", "X-B: 2", "x-a: 3"], {"X_A": "1, 3", "X_B": "2"}),
    (["Cookie: a=b", "Cookie: c=d"], {"COOKIE": None}),
    (["X-A: b\xffc"], {"X_A": "b\xffc"}),
    (["X-Empty:"], {"X_EMPTY": ""}),
    (["X-A!b: c"], {"X_A_B": "c"}),
    (["Proxy: http://evil/"], {}),
    (["pRoXy: http://evil/"], {}),
    (["Authorization: Basic eDp5"], {}),
    (["Proxy-Authorization: Basic eDp5"], {}),
    (["Connection: keep-alive, X-A"], {}),
    (["Keep-Alive: 5", "Proxy-Connection: x", "TE: trailers", "Trailer: X",
      "Upgrade: h2c"], {}),
    (["X_A: shadow"], {}),
    (["X-A: real", "X_A: shadow"], {"X_A": "real"}),
    (["X_A: shadow", "X-A: real"], {"X_A": "real"}),
    (["Content_Length: 5"], {}),
    (["User-Agent: u", "Accept: */*", "Referer: r"],
     {"USER_AGENT": "u", "ACCEPT": "*/*", "REFERER": "r"}),
]


@pytest.mark.parametrize("fields,variables", FIELDS)
def test_fields(cgi, fields, variables):
    env = env_of(cgi, SHOW, *fields)
    got = {name[5:]: value for name, value in env.items()
           if name.startswith("HTTP_") and name != "HTTP_HOST"}
    assert set(got) == set(variables)
    for name, value in variables.items():
        assert value is None or got[name] == value


def test_connection_names_further_fields(cgi):
    """RFC 9110 7.6.1: those are between the client and the server."""
    env = env_of(cgi, SHOW, "Connection: X-Hop", "X-Hop: 1", "X-End: 2")
    assert "HTTP_X_HOP" not in env and env["HTTP_X_END"] == "2"


def test_cookies_are_joined_by_semicolons(cgi):
    """RFC 6265 5.4: programs split them there."""
    env = env_of(cgi, SHOW, "Cookie: a=b", "Cookie: c=d")
    assert env["HTTP_COOKIE"] == "a=b; c=d"


def test_content_variables(cgi):
    env = env_of(cgi, SHOW, "Content-Type: a/b", "Content-Length: 3",
                 method="POST", body=b"abc")
    assert env["CONTENT_TYPE"] == "a/b" and env["CONTENT_LENGTH"] == "3"
    assert not {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"} & set(env)


def test_empty_content(cgi):
    told = show(cgi, SHOW, "Content-Length: 0", method="POST")
    assert told["env"]["CONTENT_LENGTH"] == "0" and told["input"] == ""


def test_chosen_variables(start, site, cgi_bin, monkeypatch):
    monkeypatch.setenv("SWS_CHOSEN", "yes: a=b")
    monkeypatch.setenv("SWS_OTHER", "no")
    monkeypatch.setenv("TZ", "Antarctica/Troll")
    monkeypatch.setenv("LANG", "C")
    server = start(site, "-c", cgi_bin, "--cgi-env=SWS_CHOSEN",
                   "--cgi-env=SWS_MISSING")
    env = env_of(server)
    assert env["SWS_CHOSEN"] == "yes: a=b"
    assert (env["TZ"], env["LANG"]) == ("Antarctica/Troll", "C")
    assert set(env) == ALWAYS | {"PATH", "TZ", "LANG", "HTTP_HOST",
                                 "SWS_CHOSEN"}


def test_much(cgi):
    """As much as a request may have, with every value whole."""
    value = "x" * 2000
    fields = [f"X-{i}: {value}" for i in range(14)]
    env = env_of(cgi, SHOW + "?q=" + "y" * 7000, *fields)
    assert all(env[f"HTTP_X_{i}"] == value for i in range(14))
    assert len(env["QUERY_STRING"]) == 7002


def test_ipv6(start, site, cgi_bin):
    try:
        server = start(site, "-c", cgi_bin, address="::1")
    except RuntimeError:
        pytest.skip("no IPv6 here")
    env = env_of(server, SHOW, "Host: [::1]:80")
    assert env["REMOTE_ADDR"] == env["REMOTE_HOST"] == "::1"


@pytest.mark.parametrize("name", ["show", "sub/show"])
def test_directory(cgi, cgi_bin, name):
    path = programs.write(cgi_bin, name, programs.PROGRAMS["show"])
    told = show(cgi, "/cgi-bin/" + name)
    assert told["cwd"] == str(path.parent)
    assert told["args"][0] == "./show"


@pytest.mark.many_clients
@pytest.mark.parametrize("body", [b"", b"input"])
def test_descriptors(cgi, body):
    """Also while other connections and programs are open."""
    with cgi.connect() as c, cgi.connect() as other:
        c.ask(request())
        other.send(request("/cgi-bin/waits?1"))
        told = show(cgi, SHOW, f"Content-Length: {len(body)}", body=body,
                    method="POST")
        other.receive()
    assert sorted(told["fds"]) == ["0", "1", "2"]
    assert all(told["fds"][n].startswith("pipe:") for n in "12")
    assert told["fds"]["0"].startswith("pipe:" if body else "/dev/null")


def status_of(server):
    text = server.get("/cgi-bin/status").body.decode()
    return dict(re.findall(r"(\w+):\s+(.*)", text))


def test_signals_are_at_their_defaults(cgi):
    status = status_of(cgi)
    for name in ("SigIgn", "SigBlk", "SigPnd", "SigCgt"):
        assert int(status[name], 16) == 0, name


@pytest.fixture
def ignoring():
    """Signals that a shell, or nohup(1), has whom it starts ignore."""
    numbers = (signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR2)
    before = [signal.signal(n, signal.SIG_IGN) for n in numbers]
    yield
    for number, handler in zip(numbers, before):
        signal.signal(number, handler)


def test_signals_that_the_server_ignored_from_birth(
        ignoring, start, site, cgi_bin):
    assert int(status_of(start(site, "-c", cgi_bin))["SigIgn"], 16) == 0


def test_no_way_to_more_rights(cgi):
    status = status_of(cgi)
    assert status["NoNewPrivs"] == "1"
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    assert "0" not in status["Uid"].split() + status["Gid"].split() \
        or os.geteuid() != 0


def test_process_group_of_its_own(cgi):
    told = show(cgi)
    assert told["pgid"] == told["pid"]
    assert told["pgid"] != os.getpgid(cgi.process.pid)


LIMITS = {
    "--cgi-cpu=7": ("RLIMIT_CPU", 7),
    "--cgi-memory=333": ("RLIMIT_AS", 333 << 20),
    # Those of other tests, at the same time, count.
    "--cgi-processes=3333": ("RLIMIT_NPROC", 3333),
    "--cgi-files=55": ("RLIMIT_NOFILE", 55),
    "--cgi-file-size=3": ("RLIMIT_FSIZE", 3 << 20),
}
# But for the processes, of which the tests allow more (server.py).
DEFAULTS = {
    "RLIMIT_CPU": 60, "RLIMIT_AS": 1 << 30, "RLIMIT_NOFILE": 256,
    "RLIMIT_FSIZE": 1 << 30,
}


def test_default_limits(cgi):
    told = show(cgi)
    assert {name: told["limits"][name] for name in DEFAULTS} == DEFAULTS
    assert told["nice"] == min(os.nice(0) + 5, 19)


def test_limits(start, site, cgi_bin):
    server = start(site, "-c", cgi_bin, *LIMITS, "--cgi-nice=9")
    told = show(server)
    for name, value in LIMITS.values():
        assert told["limits"][name] == value
    assert told["nice"] == min(os.nice(0) + 9, 19)
