# SPDX-License-Identifier: ISC
"""The cases of the bench: what is asked of a server, and how it is measured.

Every measurement returns a dict whose `value' is the figure that counts, in
the case's unit; less is better in all of them.
"""

import dataclasses
import json
import os
import re
import resource
import socket
import statistics
import subprocess
import time

import machine
from servers import HOST, Running, Trouble, free_port

LISTED = 1000
STARTS = 5


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    text: str
    path: str = '/1k.txt'
    bytes: int = 1024           # of the body; 0: the server's own affair
    connections: int = 64
    closes: bool = False
    measure: str = 'requests'   # a key of MEASURES
    unit: str = 'CPU us/request'
    must_contain: bytes = b''

    @property
    def floor_bytes(self):
        """A listing of this bench is about as long as this, whoever made it."""
        return self.bytes or 100 * 1024


CASES = (
    Case('k64', '1 KiB file, keep-alive, 64 connections'),
    Case('k1000', '1 KiB file, keep-alive, 1,000 connections',
         connections=1000),
    Case('100k', '100 KiB file, keep-alive, 64 connections',
         '/100k.bin', 100 * 1024),
    Case('10m', '10 MiB file, keep-alive, 16 connections',
         '/10m.bin', 10 * 1024 * 1024, 16),
    Case('close', '1 KiB file, one connection a request, 64 at a time',
         closes=True),
    Case('list', 'generated listing of 1,000 files, 16 connections',
         '/list/', 0, 16, must_contain=b'file-0999.txt'),
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
    for name, size in (('100k.bin', 100 * 1024), ('10m.bin', 10 * 1024 ** 2)):
        with open(os.path.join(root, name), 'wb') as f:
            f.write(os.urandom(size))
    for i in range(LISTED):
        with open(os.path.join(root, 'list', f'file-{i:04}.txt'), 'w') as f:
            f.write(f'{i}\n')


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
        if self.has_ring and case.bytes:
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
        return [self.own, *(['-c'] if case.closes else []),
                '-l', str(case.bytes), '-n', str(case.connections),
                '-s', str(seconds), str(port), case.path]

    @staticmethod
    def _wrk_words(case, port, seconds):
        close = ['-H', 'Connection: close'] if case.closes else []
        return ['wrk', '-t1', f'-c{case.connections}', f'-d{seconds}s',
                *close, f'http://{HOST}:{port}{case.path}']


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
    'idle': measure_idle,
    'start': measure_start,
}


def measure(bench, load, server, case, seconds):
    return MEASURES[case.measure](bench, load, server, case, seconds)
