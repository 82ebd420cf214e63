# SPDX-License-Identifier: ISC
"""The content codings, by the tools that everybody has."""

import gzip
import subprocess
import zlib


def run(*command, data):
    return subprocess.run(command, input=data, check=True,
                          capture_output=True).stdout


SUFFIXES = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}

ENCODE = {
    "br": lambda data: run("brotli", "-c", data=data),
    "zstd": lambda data: run("zstd", "-qc", data=data),
    "gzip": lambda data: gzip.compress(data, mtime=0),
}

DECODE = {
    None: lambda data: data,
    "br": lambda data: run("brotli", "-dc", data=data),
    "zstd": lambda data: run("zstd", "-qdc", data=data),
    "gzip": gzip.decompress,
}


def decoded(response):
    return DECODE[response.get("Content-Encoding")](response.body)


def begun(data):
    """What a gzip that is still under way has told."""
    return zlib.decompressobj(31).decompress(data)
