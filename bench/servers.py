# SPDX-License-Identifier: ISC
"""The servers of the bench: how each is started, watched and ended.

To add one: a line in SERVERS, and a file in conf/ if it wants one.
"""

import dataclasses
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import time

CONF = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'conf')
HOST = '127.0.0.1'
NGINX_BROTLI = '/usr/lib/nginx/modules/ngx_http_brotli_static_module.so'
SBIN = os.environ.get('PATH', '') + ':/usr/local/sbin:/usr/sbin:/sbin'


@dataclasses.dataclass(frozen=True)
class Server:
    name: str
    command: str        # words; {port}, {root}, {conf} ... are filled in
    conf: str = ''      # template in conf/
    settings: dict = dataclasses.field(default_factory=dict, hash=False)
    version: str = ''   # option that makes it tell its version
    only: tuple = ()    # names of cases; none: all of them

    @property
    def family(self):
        return self.name.partition('-')[0]


def nginx(name, **settings):
    settings = {'SENDFILE': 'on', 'NOPUSH': 'off', 'LISTEN': '',
                'BROTLI': '' if os.path.exists(NGINX_BROTLI) else '#'
                } | settings
    return Server(name, 'nginx -c {conf}', 'nginx.conf', settings, '-v')


SWS = '{sws} -f --workers=1 -p {port} -i 127.0.0.1'

SERVERS = (
    Server('floor', '{tools}/floor {mode} {port} {bytes}'),
    Server('floor-file', '{tools}/floor file {port} {bytes}',
           only=('100k', '10m')),
    Server('sws', SWS + ' {root}', version='--version'),
    Server('sws-log', SWS + ' -l {run}/access.log {root}'),
    Server('sws-uring', SWS + ' --engine=uring {root}'),
    nginx('nginx-sendfile'),
    nginx('nginx-copy', SENDFILE='off'),
    nginx('nginx-nopush', NOPUSH='on'),
    nginx('nginx-sndbuf', LISTEN='sndbuf=256k'),
    Server('h2o', 'h2o -c {conf}', 'h2o.conf', version='--version'),
    Server('lighttpd', 'lighttpd -D -f {conf}', 'lighttpd.conf',
           version='-v'),
    Server('apache', 'apache2 -DFOREGROUND -f {conf}', 'apache.conf',
           version='-v'),
)


class Trouble(Exception):
    """A server that cannot be measured, and why."""


def free_port():
    with socket.socket() as s:
        s.bind((HOST, 0))
        return s.getsockname()[1]


def fill_conf(server, values, out_path):
    """Writes a configuration from its template.

    @NAME@ is a value.  What stands behind `#root: ' is for root only: no one
    else can, or need, give up rights.
    """
    with open(os.path.join(CONF, server.conf)) as f:
        text = f.read()
    if os.geteuid() == 0:
        text = re.sub(r'^#root: ', '', text, flags=re.M)
    text = re.sub(r'@(\w+)@', lambda m: str(values[m[1]]), text)
    with open(out_path, 'w') as f:
        f.write(text)


class Bench:
    """What all servers of one run of the bench share."""

    def __init__(self, top, sws, make_group, core):
        self.root = os.path.join(top, 'www')
        self.run = os.path.join(top, 'run')
        self.tools = os.path.join(top, 'tools')
        self.sws = os.path.abspath(sws)
        self.make_group = make_group
        self.core = core

    def program(self, server):
        """The path of a server's program; None when it is not here."""
        word = server.command.split()[0]
        word = word.format(sws=self.sws, tools=self.tools)
        return shutil.which(word, path=SBIN)

    def command(self, server, case, port):
        """The words that start a server, its configuration written."""
        conf = os.path.join(self.run, server.name + '.conf')
        if server.conf:
            fill_conf(server, {'PORT': port, 'ROOT': self.root,
                               'RUN': self.run, **server.settings}, conf)
        words = server.command.format(
            port=port, root=self.root, run=self.run, conf=conf,
            tools=self.tools, sws=self.sws, bytes=case.floor_bytes,
            mode=case.floor_mode).split()
        words[0] = self.program(server)
        return words

    def version(self, server):
        out = subprocess.run([self.program(server), server.version],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             stdin=subprocess.DEVNULL).stdout.decode()
        found = re.search(r'\d+(\.\d+)+\S*', out)
        return found[0] if found else 'unknown'


class Running:
    """A started server; a context manager that ends it in any case."""

    def __init__(self, bench, server, case):
        self.bench, self.server, self.case = bench, server, case
        self.port = free_port()
        self.errors = os.path.join(bench.run, server.name + '.stderr')

    def __enter__(self):
        words = self.bench.command(self.server, self.case, self.port)
        self.group = self.bench.make_group(self.server.name)
        try:
            self.process = self._spawn(words)
        except OSError as e:
            self.group.remove()
            raise Trouble(f'does not start: {e.strerror}')
        self.group.started(self.process.pid)
        try:
            self._await()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for sig in (signal.SIGTERM, signal.SIGKILL):
            for pid in self._living():
                try:
                    os.kill(pid, sig)
                except ProcessLookupError:
                    pass
            end = time.monotonic() + 3
            while self._living() and time.monotonic() < end:
                time.sleep(0.02)
        self.process.wait()
        self.group.remove()

    def _living(self):
        self.process.poll()     # a zombie counts as living until it is seen
        return self.group.pids()

    def _spawn(self, words):
        def prepare():
            self.group.enter()
            os.sched_setaffinity(0, {self.bench.core})

        with open(self.errors, 'wb') as errors:
            return subprocess.Popen(
                words, preexec_fn=prepare, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=errors,
                start_new_session=True)

    def _await(self):
        """Waits for the first answer, and looks whether it is the right one."""
        end = time.monotonic() + 5
        while True:
            try:
                return self._check()
            except (OSError, http.client.HTTPException) as e:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise Trouble(self._complaint() or f'no answer: {e}')
                time.sleep(0.02)

    def _check(self):
        case = self.case
        client = http.client.HTTPConnection(HOST, self.port, timeout=5)
        try:
            client.request('GET', case.first_path,
                           headers=dict(case.fields))
            answer = client.getresponse()
            body = answer.read()
        finally:
            client.close()
        if answer.status != case.status:
            raise Trouble(f'status {answer.status}')
        if case.bytes and len(body) != case.bytes:
            raise Trouble(f'{len(body)} bytes, not {case.bytes}')
        if case.must_contain not in body and self.server.family != 'floor':
            raise Trouble(f'no {case.must_contain.decode()} in the answer')

    def _complaint(self):
        with open(self.errors, errors='replace') as f:
            lines = f.read().split('\n')
        return next((line for line in lines if line), '')[:120]
