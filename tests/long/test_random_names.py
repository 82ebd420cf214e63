# SPDX-License-Identifier: ISC
"""Whoever asks for names at random, for long, does not fill the memory."""

import random
import statistics
import threading
import time

import pytest

from rawhttp import request
from server import is_sanitized

MIB = 1 << 10                   # of KiB, in which memory is told
CACHE_MIB = 8
FILES, DIRECTORIES = 3000, 200
SAMPLES = 40


def make_tree(root):
    for d in range(DIRECTORIES):
        (root / f"{d}").mkdir(parents=True)
    for i in range(FILES):
        path = root / f"{i % DIRECTORIES}/{i}.txt"
        path.write_bytes(b"x" * random.randint(0, 20_000))


def some_target():
    d, i = random.randrange(DIRECTORIES), random.randrange(FILES)
    noise = f"{random.getrandbits(64):x}"
    return random.choice([
        f"/{i % DIRECTORIES}/{i}.txt",                  # there,
        f"/{d}/",                                       # a list,
        f"/{noise}", f"/{d}/{noise}.html",              # not there,
        f"/{noise}/{noise}/{noise}",
        f"/{d}/{noise * random.randrange(1, 100)}",
        f"/{d}/./../{i % DIRECTORIES}//{i}.txt?{noise}",
    ])


class Asker(threading.Thread):
    def __init__(self, server, until):
        super().__init__()
        self.server, self.until = server, until
        self.n, self.error = 0, None

    def run(self):
        try:
            with self.server.connect(timeout=60) as c:
                while time.monotonic() < self.until:
                    r = c.ask(request(some_target()))
                    assert r.status in (200, 404), r
                    self.n += 1
        except Exception as e:  # noqa: BLE001: the test is told of all
            self.error = e


@pytest.mark.skipif(is_sanitized(), reason="a sanitizer keeps what is freed")
def test_memory_is_flat(start, tmp_path, seconds):
    make_tree(tmp_path)
    server = start(tmp_path, f"--cache-size={CACHE_MIB}M", "--no-compress")
    until = time.monotonic() + seconds
    askers = [Asker(server, until) for _ in range(4)]
    for a in askers:
        a.start()
    samples = []
    for i in range(SAMPLES):
        # The files change as well, now and then.
        (tmp_path / f"{i % DIRECTORIES}/{i}.txt").write_bytes(b"new")
        time.sleep(seconds / SAMPLES)
        samples.append(server.memory_kib())
    for a in askers:
        a.join()
        if a.error:
            raise a.error
    quarter = SAMPLES // 4
    second, last = samples[quarter:2 * quarter], samples[-quarter:]
    print(f"{sum(a.n for a in askers)} requests; KiB: {samples}")
    assert max(samples) < (CACHE_MIB + 24) * MIB
    assert statistics.mean(last) - statistics.mean(second) < 2 * MIB
