# SPDX-License-Identifier: ISC
"""A client that forgives nothing: raw bytes out, strictly parsed answers in.

Libraries mend what a server gets wrong, so they cannot judge one.  Here any
byte of an answer that RFC 9112 does not allow raises Malformed.
"""

import re
import socket

# For an answer from a busy machine; only a server that is silent for good
# costs so much.
TIMEOUT_S = 60.0

# A request whose answer is recognised by its body; see talk().
PROBE = b"GET /probe.txt HTTP/1.1\r\nHost: probe\r\n\r\n"
PROBE_BODY = b"probe\n"

STATUS_LINE = re.compile(rb"(HTTP/1\.[01]) ([1-5]\d\d) ([\x20-\x7e]*)")
FIELD_LINE = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e\x80-\xff \t]*?)[ \t]*")
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]+)")


class Malformed(Exception):
    """The server sent what no server may send."""


class Response:
    """One answer.  `framing` tells what ended its body: "none", "length",
    "chunked" or "close"."""

    def __init__(self, version, status, reason, fields):
        self.version = version
        self.status = status
        self.reason = reason
        self.fields = fields
        self.framing = "none"
        self.body = b""

    def all(self, name):
        return [v for n, v in self.fields if n.lower() == name.lower()]

    def get(self, name):
        """The field's value or None; sent twice, it is an error."""
        values = self.all(name)
        if len(values) > 1:
            raise Malformed(f"{name} was sent {len(values)} times")
        return values[0] if values else None

    def __contains__(self, name):
        return bool(self.all(name))

    def __getitem__(self, name):
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __repr__(self):
        return f"<{self.version} {self.status} {dict(self.fields)}>"


class Connection:
    """A TCP connection; `held` is what was received and not yet parsed."""

    def __init__(self, port, host="127.0.0.1", timeout=TIMEOUT_S, rcvbuf=None):
        family, _, _, _, address = socket.getaddrinfo(host, port)[0]
        self.socket = socket.socket(family)
        if rcvbuf:
            # Before connect(), or the window has been announced already.
            self.socket.setsockopt(
                socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.held = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data, piece=None):
        """All of data, in pieces of that many bytes when asked."""
        step = piece or len(data) or 1
        for at in range(0, len(data), step):
            self.socket.sendall(data[at:at + step])

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def fill(self):
        """Receives once; False when the server has closed."""
        data = self.socket.recv(1 << 18)
        self.held += data
        return bool(data)

    def is_at_end(self):
        """Has the server closed, with nothing left to parse?"""
        return not self.held and not self.fill()

    def take(self, n):
        if len(self.held) < n:
            # Collected in a list: += on a large body is quadratic.
            parts, have = [self.held], len(self.held)
            while have < n:
                data = self.socket.recv(min(1 << 20, n - have))
                if not data:
                    raise Malformed(f"closed {n - have} bytes too early")
                parts.append(data)
                have += len(data)
            self.held = b"".join(parts)
        taken, self.held = self.held[:n], self.held[n:]
        return taken

    def rest(self):
        """Everything until the server closes."""
        parts = [self.held]
        self.held = b""
        while data := self.socket.recv(1 << 18):
            parts.append(data)
        return b"".join(parts)

    def line(self):
        while b"\r\n" not in self.held:
            if not self.fill():
                raise Malformed(f"closed within a line: {self.held!r}")
        line, self.held = self.held.split(b"\r\n", 1)
        if b"\n" in line or b"\r" in line:
            raise Malformed(f"line end within a line: {line!r}")
        return line

    def matched_line(self, pattern):
        line = self.line()
        match = pattern.fullmatch(line)
        if not match:
            raise Malformed(f"unexpected line: {line!r}")
        return match

    def field_lines(self):
        fields = []
        while line := self.line():
            match = FIELD_LINE.fullmatch(line)
            if not match:
                raise Malformed(f"not a field: {line!r}")
            fields.append(tuple(s.decode("latin-1") for s in match.groups()))
        return fields

    def chunks(self):
        parts = []
        while True:
            size = int(self.matched_line(CHUNK_LINE)[1], 16)
            if size == 0:
                break
            parts.append(self.take(size))
            if self.take(2) != b"\r\n":
                raise Malformed("a chunk does not end with CRLF")
        if self.field_lines():
            raise Malformed("unannounced trailer fields")
        return b"".join(parts)

    def head(self):
        """The head of the next answer, its body not read."""
        version, status, reason = self.matched_line(STATUS_LINE).groups()
        return Response(version.decode(), int(status), reason.decode(),
                        self.field_lines())

    def receive(self, method="GET"):
        """The next answer, framed by the rules of RFC 9112 6.3."""
        r = self.head()
        coding, length = r.get("Transfer-Encoding"), r.get("Content-Length")
        if coding is not None and length is not None:
            raise Malformed("both Transfer-Encoding and Content-Length")
        if length is not None and not re.fullmatch(r"\d+", length):
            raise Malformed(f"Content-Length: {length}")
        if method == "HEAD" or r.status < 200 or r.status in (204, 304):
            return r
        if coding is not None:
            if coding != "chunked" or r.version != "HTTP/1.1":
                raise Malformed(f"Transfer-Encoding: {coding}, {r.version}")
            r.framing, r.body = "chunked", self.chunks()
        elif length is not None:
            r.framing, r.body = "length", self.take(int(length))
        else:
            r.framing, r.body = "close", self.rest()
        return r

    def ask(self, raw, method="GET"):
        self.send(raw)
        return self.receive(method)


class Talk:
    """What came back for some bytes: the answers, and how it ended."""

    def __init__(self):
        self.responses = []
        self.end = "closed"

    @property
    def story(self):
        """For example "200 404 open"."""
        return " ".join([*(str(r.status) for r in self.responses), self.end])

    def __getitem__(self, i):
        return self.responses[i]


def talk(port, raw, methods=(), piece=None):
    """Sends raw bytes with a probe behind them, and reads all answers.

    The probe settles what became of the connection without waiting for
    silence.  Its answer means that the server kept the connection and found
    the message's end where raw ends ("open"); else the server "closed" it, or
    "reset" it, or is "waiting" for more, the probe swallowed.  `methods` are
    those of raw's requests, GET where there are none.
    """
    result = Talk()
    methods = list(methods)
    with Connection(port) as c:
        try:
            c.send(raw + PROBE, piece)
            while not c.is_at_end():
                r = c.receive(methods.pop(0) if methods else "GET")
                if r.body == PROBE_BODY:
                    result.end = "open"
                    break
                result.responses.append(r)
                if r.status < 200:
                    methods.insert(0, "GET")
        except ConnectionError:
            result.end = "reset"
        except socket.timeout:
            result.end = "waiting"
    return result


def request(target="/ping.txt", *fields, method="GET", version="1.1",
            body=b""):
    """The bytes of a request; 1.1 gets its Host unless one is given."""
    lines = [f"{method} {target} HTTP/{version}"]
    if version != "1.0" and not any(f.startswith("Host:") for f in fields):
        lines.append("Host: x")
    lines += fields
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
