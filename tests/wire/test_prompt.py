# SPDX-License-Identifier: ISC
"""No answer waits for more to come.  The kernel holds back for 200 ms what
it was told to be only a part."""

import time

import pytest

from docroot import write
from rawhttp import request

PROMPT_S = 0.15

# how many are asked for at once; sizes at which head and content together
# come close to what is sent in one go
SIZES = {1: range(15500, 16480, 20), 2: range(7600, 8240, 20)}


@pytest.fixture(scope="module")
def sizes(tmp_path_factory):
    root = tmp_path_factory.mktemp("sizes")
    for size in [*SIZES[1], *SIZES[2]]:
        write(root / str(size), b"x" * size)
    return root


def fastest(c, raw, count):
    """The best of three: a busy machine is not a slow server."""
    took = []
    for _ in range(3):
        began = time.monotonic()
        c.send(raw * count)
        for _ in range(count):
            assert c.receive().status == 200
        took.append(time.monotonic() - began)
    return min(took)


@pytest.mark.parametrize("count", SIZES)
def test_almost_full(start, sizes, count):
    with start(sizes).connect() as c:
        late = [size for size in SIZES[count]
                if fastest(c, request(f"/{size}"), count) > PROMPT_S]
    assert not late
