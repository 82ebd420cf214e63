# SPDX-License-Identifier: ISC
"""The cases of the bench: what is asked of a server, and how it is measured.

Every measurement returns a dict whose `value' is the figure that counts, in
the case's unit; less is better in all of them.
"""

import dataclasses
import email.utils
import gzip
import http.client
import json
import os
import random
import re
import resource
import shutil
import socket
import statistics
import subprocess
import time

import machine
from servers import HOST, Running, Trouble, free_port

LISTED = 1000
STARTS = 5
CHANGES = 200
ZIPF = 100000
PAGE_BYTES = 100 * 1024
MODIFIED = 1767225600       # of files that conditions ask about: 1 Jan 2026


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    text: str
    path: str = '/1k.txt'
    bytes: int = 1024           # of the body; 0: the server's own affair
    connections: int = 64
    closes: bool = False
    status: int = 200
    fields: tuple = ()          # of the request: (name, value)
    wire: str = ''              # the file whose bytes are the body
    zipf: int = 0               # so many files; their number fills the #s
    measure: str = 'requests'   # a key of MEASURES
    unit: str = 'CPU us/request'
    must_contain: bytes = b''

    @property
    def floor_bytes(self):
        """A listing of this bench is about as long as this, whoever made it."""
        return self.bytes or 100 * 1024

    @property
    def floor_mode(self):
        if self.status == 304:
            return '304'
        return 'close' if self.closes else 'memory'

    @property
    def is_plain(self):
        """Is each answer of one known form, which the own load can check?"""
        return self.bytes or self.wire or self.status == 304

    @property
    def first_path(self):
        return self.path.replace('#', '0')

    def made(self, root):
        """The same, once its files are there."""
        if not self.wire:
            return self
        path = os.path.join(root, self.wire)
        size = os.path.getsize(path) if os.path.exists(path) else 0
        return dataclasses.replace(self, bytes=size)


CASES = (
    Case('k64', '1 KiB file, keep-alive, 64 connections'),
    Case('k1000', '1 KiB file, keep-alive, 1,000 connections',
         connections=1000),
    Case('k1', '1 KiB file, keep-alive, 1 connection', connections=1),
    Case('zipf', '100,000 files of 1 KiB, the k-th asked for 1/k times as '
         'often as the first', '/zipf/##/###.txt', zipf=ZIPF),
    Case('304', '1 KiB file that has not been modified', bytes=0, status=304,
         fields=(('If-Modified-Since',
                  email.utils.formatdate(MODIFIED, usegmt=True)),)),
    Case('gzip', 'page of 100 KiB, compressed beforehand by gzip',
         '/page.html', wire='page.html.gz',
         fields=(('Accept-Encoding', 'gzip'),)),
    Case('br', 'page of 100 KiB, compressed beforehand by brotli',
         '/page.html', wire='page.html.br',
         fields=(('Accept-Encoding', 'br'),)),
    Case('100k', '100 KiB file, keep-alive, 64 connections',
         '/100k.bin', 100 * 1024),
    Case('10m', '10 MiB file, keep-alive, 16 connections',
         '/10m.bin', 10 * 1024 * 1024, 16),
    Case('close', '1 KiB file, one connection a request, 64 at a time',
         closes=True),
    Case('list', 'generated listing of 1,000 files, 16 connections',
         '/list/', 0, 16, must_contain=b'file-0999.txt'),
    Case('changed', 'the same listing, the first time after a change',
         '/list/', 0, 1, measure='changed',
         must_contain=b'file-0999.txt'),
    Case('idle', 'memory of an idle keep-alive connection (PSS), 5,000 open',
         connections=5000, measure='idle', unit='bytes/connection'),
    Case('start', 'from exec to the first byte of the first answer',
         measure='start', unit='ms'),
)


def make_files(root):
    """Writes the files that the cases ask for."""
    os.makedirs(os.path.join(root, 'list'))
    with open(os.path.join(root, '1k.txt'), 'wb') as f:
        f.write(b'a' * 1024)
    os.utime(os.path.join(root, '1k.txt'), (MODIFIED, MODIFIED))
    make_page(os.path.join(root, 'page.html'))
    for name, size in (('100k.bin', 100 * 1024), ('10m.bin', 10 * 1024 ** 2)):
        with open(os.path.join(root, name), 'wb') as f:
            f.write(os.urandom(size))
    for i in range(LISTED):
        with open(os.path.join(root, 'list', f'file-{i:04}.txt'), 'w') as f:
            f.write(f'{i}\n')


def make_page(path):
    """A page of words, and its sidecars."""
    dice = random.Random(4711)
    words = [''.join(dice.choices('etaoinshrdlucmfw', k=dice.randint(2, 9)))
             for _ in range(2000)]
    text = '<!doctype html>\n<title>page</title>\n'
    while len(text) < PAGE_BYTES:
        line = ' '.join(dice.choices(words, range(2000, 0, -1), k=60))
        text += f'<p class="text">{line}</p>\n'
    page = text[:PAGE_BYTES].encode()
    with open(path, 'wb') as f:
        f.write(page)
    with open(path + '.gz', 'wb') as f:
        f.write(gzip.compress(page, 9, mtime=0))
    if shutil.which('brotli'):
        subprocess.run(['brotli', '-q', '9', '-k', path], check=True)
        # It copies the time of the page, but for what is below a second.
        os.utime(path + '.br')


def make_many(root):
    """The files of `zipf'; so many take a while."""
    for i in range(ZIPF // 1000):
        folder = os.path.join(root, 'zipf', f'{i:02}')
        os.makedirs(folder)
        for j in range(1000):
            with open(os.path.join(folder, f'{j:03}.txt'), 'wb') as f:
                f.write(b'a' * 1024)


class Load:
    """Runs the load generator that fits a case, on the load's core.

    Ours needs io_uring and a Content-Length; wrk does the rest.
    """

    def __init__(self, tools, core):
        self.own = os.path.join(tools, 'load')
        self.core = core
        self.has_ring = os.path.exists(self.own) and subprocess.run(
            [self.own, '-p'], stderr=subprocess.DEVNULL).returncode == 0

    def __call__(self, case, port, seconds):
        """Returns requests, bytes, errors, why, seconds and cpu_seconds."""
        if self.has_ring and case.is_plain:
            words, parse = self._own_words(case, port, seconds), json.loads
        else:
            words, parse = self._wrk_words(case, port, seconds), parse_wrk
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(words, stdout=subprocess.PIPE, check=True,
                              stdin=subprocess.DEVNULL, preexec_fn=self.pin,
                              timeout=4 * seconds + 30)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seen = parse(done.stdout.decode())
        seen['cpu_seconds'] = (after.ru_utime + after.ru_stime -
                               before.ru_utime - before.ru_stime)
        return seen

    def pin(self):
        os.sched_setaffinity(0, {self.core})

    def _own_words(self, case, port, seconds):
        words = [self.own, '-a', str(case.status), '-l', str(case.bytes),
                 '-n', str(case.connections), '-s', str(seconds)]
        for name, value in case.fields:
            words += ['-h', f'{name}: {value}']
        if case.zipf:
            words += ['-z', str(case.zipf)]
        if case.closes:
            words.append('-c')
        return [*words, str(port), case.path]

    @staticmethod
    def _wrk_words(case, port, seconds):
        words = ['wrk', '-t1', f'-c{case.connections}', f'-d{seconds}s']
        for name, value in case.fields:
            words += ['-H', f'{name}: {value}']
        if case.closes:
            words += ['-H', 'Connection: close']
        return [*words, f'http://{HOST}:{port}{case.first_path}']


def parse_wrk(text):
    units = {'': 1, 'K': 1 << 10, 'M': 1 << 20, 'G': 1 << 30, 'T': 1 << 40}
    found = re.search(r'(\d+) requests in ([\d.]+)(ms|s|m), '
                      r'([\d.]+)([KMGT]?)B read', text)
    if not found:
        raise Trouble('wrk says something unknown')
    scale = {'ms': 1e-3, 's': 1, 'm': 60}[found[3]]
    # Connections that its own end cut off are no errors of the server.
    errors = sum(int(n) for n in re.findall(
        r'(?:connect|read|write|responses:) (\d+)', text))
    return {'requests': int(found[1]), 'seconds': float(found[2]) * scale,
            'bytes': int(float(found[4]) * units[found[5]]),
            'errors': errors, 'why': 'wrk saw errors' if errors else ''}


def measure_requests(bench, load, server, case, seconds):
    cores = {bench.core, load.core}
    with Running(bench, server, case) as running:
        load(case, running.port, 1)     # caches filled, memory allocated
        busy = machine.busy_seconds(cores)
        cpu = running.group.cpu_seconds()
        start = time.monotonic()
        seen = load(case, running.port, seconds)
        wall = time.monotonic() - start
        cpu = running.group.cpu_seconds() - cpu
        busy = machine.busy_seconds(cores) - busy
    if seen['errors'] or not seen['requests']:
        raise Trouble(f"{seen['errors']} errors of {seen['requests']}: "
                      f"{seen['why'] or 'no answer'}")
    return {
        'value': cpu * 1e6 / seen['requests'],
        'rps': seen['requests'] / seen['seconds'],
        'mbps': seen['bytes'] / seen['seconds'] / 1e6,
        'server_busy': cpu / wall,
        'load_busy': seen['cpu_seconds'] / wall,
        'foreign': max(0, busy - cpu - seen['cpu_seconds']) / wall,
    }


def pss_bytes(pids):
    """Memory of these processes; what they share is counted once.

    Pages of files are left out: how many others use libc at the moment would
    change their share, and connections do not.
    """
    total = 0
    for pid in pids:
        text = machine.read(f'/proc/{pid}/smaps_rollup')
        total += sum(map(int, re.findall(
            r'^Pss_(?:Anon|Shmem):\s+(\d+)', text, re.M))) * 1024
    return total


def open_idle(port, case):
    """A connection that has had one answer and keeps quiet."""
    client = socket.create_connection((HOST, port), 5)
    client.sendall(f'GET {case.path} HTTP/1.1\r\n'
                   f'Host: {HOST}\r\n\r\n'.encode())
    answer = b''
    while len(answer.partition(b'\r\n\r\n')[2]) < case.bytes:
        piece = client.recv(65536)
        if not piece:
            raise Trouble('connection closed before the answer was complete')
        answer += piece
    client.setblocking(False)
    return client


def is_open(client):
    try:
        return client.recv(1) != b''
    except BlockingIOError:
        return True
    except OSError:
        return False


def measure_idle(bench, load, server, case, seconds):
    count = min(case.connections,
                machine.raise_file_limit() - 100)
    clients = []
    with Running(bench, server, case) as running:
        try:
            time.sleep(0.5)
            before = pss_bytes(running.group.pids())
            while len(clients) < count:
                clients.append(open_idle(running.port, case))
            time.sleep(1)
            after = pss_bytes(running.group.pids())
            alive = sum(map(is_open, clients))
        except OSError as e:
            raise Trouble(f'{len(clients)} connections, then: {e}')
        finally:
            for client in clients:
                client.close()
    if alive < count:
        raise Trouble(f'only {alive} of {count} connections stayed open')
    return {'value': (after - before) / count, 'pss_before': before,
            'pss_after': after, 'connections': count}


def measure_changed(bench, load, server, case, seconds):
    """Each request finds the directory as it has not been before."""
    with Running(bench, server, case) as running:
        client = http.client.HTTPConnection(HOST, running.port, timeout=5)
        cpu = running.group.cpu_seconds()
        for i in range(CHANGES):
            name = f'new-{i:03}.txt'
            path = os.path.join(bench.root, 'list', name)
            open(path, 'w').close()
            try:
                client.request('GET', case.path)
                answer = client.getresponse().read()
            finally:
                os.unlink(path)
            if name.encode() not in answer and server.family != 'floor':
                raise Trouble('a listing from before the change')
        cpu = running.group.cpu_seconds() - cpu
        client.close()
    return {'value': cpu * 1e6 / CHANGES}


def measure_start(bench, load, server, case, seconds):
    tool = os.path.join(bench.tools, 'first')
    times = []
    for _ in range(STARTS):
        port = free_port()
        words = [tool, str(bench.core), str(port), case.path,
                 *bench.command(server, case, port)]
        done = subprocess.run(words, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE,
                              preexec_fn=load.pin)
        if done.returncode != 0:
            raise Trouble(done.stderr.decode().strip())
        times.append(float(done.stdout))
    return {'value': statistics.median(times)}


MEASURES = {
    'requests': measure_requests,
    'changed': measure_changed,
    'idle': measure_idle,
    'start': measure_start,
}


def measure(bench, load, server, case, seconds):
    return MEASURES[case.measure](bench, load, server, case, seconds)
