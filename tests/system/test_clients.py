# SPDX-License-Identifier: ISC
"""Clients that others wrote, as people use them."""

import concurrent.futures
import filecmp
import http.client
import os
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest

from server import wait_until

GIB, MIB = 1 << 30, 1 << 20

needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
needs_wget = pytest.mark.skipif(not shutil.which("wget"), reason="no wget")


@pytest.fixture
def server(start, tree):
    return start(tree)


def url(server, path):
    return f"http://127.0.0.1:{server.port}{path}"


def curl(*arguments, binary=False):
    r = subprocess.run(["curl", "-qsS", "--max-time", "300", *arguments],
                       capture_output=True, check=True, text=not binary)
    return r.stdout


@needs_curl
class TestCurl:
    def test_get(self, server):
        assert curl(url(server, "/hello.txt")) == "hello\n"

    def test_head(self, server):
        head = curl("-I", url(server, "/hello.txt"))
        assert head.startswith("HTTP/1.1 200 OK\n")
        assert "Content-Length: 6\n" in head

    @pytest.mark.parametrize("option", [
        "--compressed", "--http1.0", "--http1.1", "--http0.9", "--http2",
        "--no-keepalive", "--tcp-fastopen"])
    def test_option(self, server, option):
        assert curl(option, url(server, "/hello.txt")) == "hello\n"

    @pytest.mark.parametrize("coding", ["br", "zstd", "gzip", None])
    def test_compressed(self, server, tree, tmp_path, coding):
        """What was compressed is what it was, as soon as it is there."""
        text = "".join(f"line {i} of many\n" for i in range(9999)).encode()
        (tree / "many.txt").write_bytes(text)
        if coding and coding not in curl("--version").replace(
                "brotli", "br").replace("libz", "gzip"):
            pytest.skip(f"this curl has no {coding}")
        asks = ["-H", f"Accept-Encoding: {coding}"] if coding else []

        def size():
            copy = tmp_path / "copy"
            said = curl("--compressed", *asks, "-o", copy, "-w",
                        "%{size_download}", url(server, "/many.txt"))
            assert copy.read_bytes() == text
            return int(said)

        assert wait_until(lambda: size() < len(text) / 8)

    def test_redirect(self, server):
        page = curl("-L", "-w", "%{num_redirects} %{http_code}",
                    url(server, "/sub%20dir"))
        assert page.endswith("1 200")

    def test_if_modified(self, server, tree, tmp_path):
        copy = tmp_path / "copy"
        curl("-R", "-o", copy, url(server, "/hello.txt"))
        said = curl("-z", copy, "-w", "%{http_code}",
                    url(server, "/hello.txt"))
        assert said == "304"
        os.utime(tree / "hello.txt", (2e9 - 4e8, 2e9 - 4e8))
        os.utime(copy, (1e9, 1e9))
        said = curl("-z", copy, "-w", "%{http_code}",
                    url(server, "/hello.txt"))
        assert said == "hello\n200"

    def test_resume_of_6_gib(self, server, tree, tmp_path):
        tail = os.urandom(MIB)
        with open(tree / "huge.bin", "wb") as f:
            f.seek(6 * GIB - MIB)
            f.write(tail)
        part = tmp_path / "part"
        with open(part, "wb") as f:
            f.truncate(6 * GIB - MIB + 1000)
            f.seek(6 * GIB - MIB)
            f.write(tail[:1000])
        curl("-C", "-", "-o", part, url(server, "/huge.bin"))
        assert part.stat().st_size == 6 * GIB
        with open(part, "rb") as f:
            f.seek(6 * GIB - MIB)
            assert f.read() == tail

    def test_parts(self, server):
        assert "multipart/byteranges" in curl(
            "-i", "-r", "0-0,2-3", url(server, "/hello.txt"))

    def test_many_on_one_connection(self, server, tree):
        for i in range(100):
            (tree / f"n{i:02}").write_text(f"{i}\n")
        said = curl("-w", "%{stderr}%{num_connects}\n",
                    url(server, "/n[00-99]"))
        assert said == "".join(f"{i}\n" for i in range(100))

    def test_post(self, server):
        said = curl("-o", "/dev/null", "-w", "%{http_code}", "-d", "x" * 5000,
                    url(server, "/hello.txt"))
        assert said == "405"

    def test_climb(self, server):
        said = curl("--path-as-is", "-o", "/dev/null", "-w", "%{http_code}",
                    url(server, "/../../etc/hostname"))
        assert said == "400"

    def test_name_of_the_file(self, server, tmp_path):
        subprocess.run(["curl", "-qsSO", url(server, "/sub%20dir/"
                        + urllib.parse.quote("gr\u00fc\u00df.txt"))],
                       cwd=tmp_path, check=True)
        assert len(list(tmp_path.glob("gr*.txt"))) == 1


def same_trees(a, b, ignore):
    """Asserts that two directories hold the same, names and bytes."""
    compared = filecmp.dircmp(a, b, ignore=ignore, hide=[])
    assert not compared.left_only and not compared.right_only
    _, different, errors = filecmp.cmpfiles(
        a, b, compared.common_files, shallow=False)
    assert not different and not errors
    for name in compared.common_dirs:
        same_trees(os.path.join(a, name), os.path.join(b, name), ignore)


@needs_wget
def test_wget_mirrors_the_tree(start, tmp_path):
    root, out = tmp_path / "root", tmp_path / "out"
    for i in range(120):
        file = root / f"d{i % 4}/e f{i % 3}/g\u00fc{i}&#{i}%.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"%d\n" % i * i)
    server = start(root)
    subprocess.run(
        ["wget", "--no-config", "-q", "-r", "-l", "inf", "-np", "-nH",
         "-e", "robots=off", "--restrict-file-names=nocontrol",
         "-P", out, url(server, "/")],
        check=True, timeout=300)
    # The listings, as wget stores them, are no part of the tree.
    same_trees(root, out, ignore=["index.html"])


@needs_wget
def test_wget_continues(server, tree, tmp_path):
    (tree / "f.bin").write_bytes(bytes(range(256)) * 100)
    (tmp_path / "f.bin").write_bytes(bytes(range(256)) * 10)
    subprocess.run(["wget", "--no-config", "-qc", url(server, "/f.bin")],
                   cwd=tmp_path, check=True, timeout=300)
    assert (tmp_path / "f.bin").read_bytes() == bytes(range(256)) * 100


def test_http_client(server):
    c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    for method, path, status, body in [
            ("GET", "/hello.txt", 200, b"hello\n"),
            ("HEAD", "/hello.txt", 200, b""),
            ("GET", "/nowhere", 404, None),
            ("GET", "/", 200, None),
            ("GET", "/hello.txt", 200, b"hello\n")]:
        c.request(method, path)
        r = c.getresponse()
        data = r.read()
        assert r.status == status
        assert body is None or data == body
        assert not r.will_close
    c.close()


def test_http_client_chunks_a_body(server):
    c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    c.request("GET", "/hello.txt", body=iter([b"a" * 1000] * 10),
              encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    assert c.getresponse().read() == b"hello\n"
    c.close()


def test_urllib(server):
    with urllib.request.urlopen(url(server, "/hello.txt")) as r:
        assert r.read() == b"hello\n"
        tag = r.headers["ETag"]
    with urllib.request.urlopen(url(server, "/sub%20dir")) as r:
        assert r.url == url(server, "/sub%20dir/")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(url(server, "/nowhere"))
    with pytest.raises(urllib.error.HTTPError, match="304"):
        urllib.request.urlopen(urllib.request.Request(
            url(server, "/hello.txt"), headers={"If-None-Match": tag}))


def test_parallel_fetch_of_a_site(start, example_site):
    """All files by six connections, as a browser has them."""
    server = start(example_site, workers=2)
    files = sorted(f for f in example_site.rglob("*") if f.is_file()
                   and "/." not in str(f.relative_to(example_site.parent)))
    assert len(files) > 100

    def fetch(share):
        c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for file in share:
            name = os.fsencode(file.relative_to(example_site))
            c.request("GET", "/" + urllib.parse.quote(name))
            r = c.getresponse()
            assert (r.status, r.read()) == (200, file.read_bytes()), file
        c.close()

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        list(pool.map(fetch, [files[i::6] for i in range(6)]))
