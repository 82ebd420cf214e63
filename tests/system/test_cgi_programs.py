# SPDX-License-Identifier: ISC
"""CGI programs that others wrote, as people install them."""

import html
import os
import pathlib
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest

import cgi_bin as programs
from server import wait_until

HTTP_BACKEND = pathlib.Path("/usr/lib/git-core/git-http-backend")
PHP = shutil.which("php-cgi")
CGI_PM = pathlib.Path("/usr/share/perl5/CGI.pm")
CGIT = pathlib.Path("/usr/lib/cgit/cgit.cgi")

needs_git = pytest.mark.skipif(
    not shutil.which("git") or not HTTP_BACKEND.exists(), reason="no git")

TEXT = "gr\u00fc\u00df & <co>=100%"


@pytest.fixture
def place():
    """A directory of programs, and beside it room for what they use."""
    cgi_bin = programs.make()
    yield cgi_bin
    programs.remove(cgi_bin)


@pytest.fixture
def server(start, tree, place):
    return start(tree, "-c", place)


def fetch(server, path, data=None):
    url = f"http://127.0.0.1:{server.port}/cgi-bin/{path}"
    with urllib.request.urlopen(url, data, timeout=300) as r:
        return r.status, r.headers, r.read().decode()


def git(*arguments, cwd):
    env = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(cwd),
           "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
           "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org",
           "GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run(["git", *arguments], cwd=cwd, env=env, timeout=300,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def give_away(top):
    """To whom the server becomes when root starts it."""
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "www-data:", top], check=True)


@pytest.fixture
def repository(place, tmp_path):
    """An empty repository that may be pushed to, and the name of its URL."""
    repositories = place.parent / "repositories"
    bare = repositories / "tree.git"
    bare.mkdir(parents=True)
    git("init", "-q", "--bare", "-b", "main", ".", cwd=bare)
    git("config", "http.receivepack", "true", cwd=bare)
    give_away(repositories)
    programs.write(place, "git", programs.SH
                   + f"export GIT_PROJECT_ROOT={repositories} HOME=/nowhere\n"
                   "export GIT_HTTP_EXPORT_ALL=1\n"
                   f"exec {HTTP_BACKEND}\n")
    return bare


@needs_git
def test_git_push_and_clone(server, repository, tmp_path):
    url = f"http://127.0.0.1:{server.port}/cgi-bin/git/tree.git"
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    git("init", "-q", "-b", "main", ".", cwd=ours)
    # More than git holds back to tell its length: it comes in chunks.
    (ours / "large.bin").write_bytes(os.urandom(3 << 20))
    for i in range(20):
        (ours / "counter").write_text(f"{i}\n")
        git("add", ".", cwd=ours)
        git("commit", "-qm", f"number {i}", cwd=ours)
    git("push", "-q", url, "main", cwd=ours)
    git("clone", "-q", url, str(theirs), cwd=tmp_path)
    assert (theirs / "large.bin").read_bytes() == \
        (ours / "large.bin").read_bytes()
    assert git("rev-parse", "HEAD", cwd=theirs) == \
        git("rev-parse", "HEAD", cwd=ours)
    git("fsck", "--full", cwd=theirs)

    (theirs / "answer").write_text("from the clone\n")
    git("add", ".", cwd=theirs)
    git("commit", "-qm", "an answer", cwd=theirs)
    git("push", "-q", "origin", "main", cwd=theirs)
    git("pull", "-q", url, "main", cwd=ours)
    assert (ours / "answer").read_text() == "from the clone\n"


@needs_git
def test_git_clone_of_nothing(server, repository, tmp_path):
    url = f"http://127.0.0.1:{server.port}/cgi-bin/git/none.git"
    with pytest.raises(AssertionError, match="not found"):
        git("clone", "-q", url, "x", cwd=tmp_path)


@needs_git
@pytest.mark.skipif(not CGIT.exists(), reason="no cgit")
def test_cgit(server, repository, place, tmp_path):
    (tmp_path / "file").write_text("content of a file\n")
    git("init", "-q", "-b", "main", ".", cwd=tmp_path)
    git("add", "file", cwd=tmp_path)
    git("commit", "-qm", "the first of all", cwd=tmp_path)
    git("push", "-q", f"http://127.0.0.1:{server.port}/cgi-bin/git/tree.git",
        "main", cwd=tmp_path)
    config = place.parent / "cgitrc"
    config.write_text("virtual-root=/cgi-bin/cgit/\ncache-size=0\n"
                      f"repo.url=tree\nrepo.path={repository}\n")
    programs.write(place, "cgit", programs.SH + "export HOME=/nowhere\n"
                   f"CGIT_CONFIG={config} exec {CGIT}\n")
    assert "tree" in fetch(server, "cgit/")[2]
    assert "the first of all" in fetch(server, "cgit/tree/log/")[2]
    assert "content of a file" in fetch(server, "cgit/tree/plain/file")[2]


@pytest.mark.skipif(not PHP, reason="no php-cgi")
def test_php(server, place):
    (place / "page.php").write_text(
        "<?php header('X-Lang: php'); http_response_code(201);\n"
        "echo $_GET['a'], '|', $_POST['b'] ?? '', '|',\n"
        "    $_SERVER['PATH_INFO'] ?? '', '|', PHP_SAPI;\n")
    programs.write(place, "php", programs.SH
                   + "export SCRIPT_FILENAME=$PWD/page.php\n"
                   f"exec {PHP}\n")
    query = urllib.parse.urlencode({"a": TEXT})
    data = urllib.parse.urlencode({"b": TEXT * 1000}).encode()
    status, fields, body = fetch(server, "php/x?" + query, data)
    assert status == 201 and fields["X-Lang"] == "php"
    assert body == f"{TEXT}|{TEXT * 1000}|/x|cgi-fcgi"


@pytest.mark.skipif(not PHP, reason="no php-cgi")
def test_php_as_interpreter(server, place):
    programs.write(place, "page.php", f"#!{PHP}\n"
                   "<?php echo $_GET['a'], '|', $_SERVER['PATH_INFO'];\n")
    query = urllib.parse.urlencode({"a": TEXT})
    status, _, body = fetch(server, "page.php/x?" + query)
    assert (status, body) == (200, f"{TEXT}|/x")


@pytest.mark.skipif(not CGI_PM.exists(), reason="no CGI.pm")
def test_perl(server, place):
    programs.write(place, "perl", "#!/usr/bin/perl\n"
                   "use strict; use warnings; use CGI;\n"
                   "my $q = CGI->new;\n"
                   "print $q->header(-type => 'text/plain',\n"
                   "    -charset => 'utf-8', -cookie => 'a=b');\n"
                   "print join('|', $q->url_param('a'), $q->param('b'),\n"
                   "    $q->path_info, $q->url(-path_info => 1));\n")
    query = urllib.parse.urlencode({"a": TEXT})
    data = urllib.parse.urlencode({"b": TEXT}).encode()
    _, fields, body = fetch(server, "perl/x?" + query, data)
    assert fields["Set-Cookie"].startswith("a=b")
    assert body == "|".join([
        TEXT, TEXT, "/x",
        f"http://127.0.0.1:{server.port}/cgi-bin/perl/x"])


def test_python(server, place):
    programs.write(place, "wsgi", programs.PYTHON + """
from wsgiref.handlers import CGIHandler
from wsgiref.util import request_uri

def application(environ, start_response):
    size = int(environ.get("CONTENT_LENGTH") or 0)
    content = environ["wsgi.input"].read(size)
    start_response("202 Accepted", [("Content-Type", "text/plain"),
                                    ("X-Uri", request_uri(environ))])
    return [content[::-1]]

CGIHandler().run(application)
""")
    status, fields, body = fetch(server, "wsgi/x?a=b", b"hello" * 50000)
    assert status == 202 and body == "olleh" * 50000
    assert fields["X-Uri"] == \
        f"http://127.0.0.1:{server.port}/cgi-bin/wsgi/x?a=b"


def test_python_answers_an_error(server, place):
    programs.write(place, "broken", programs.PYTHON
                   + "from wsgiref.handlers import CGIHandler\n"
                   "CGIHandler().run(lambda *_: 1 / 0)\n")
    with pytest.raises(urllib.error.HTTPError) as error:
        fetch(server, "broken")
    assert error.value.code == 500
    # What it complains of comes by a way of its own.
    assert wait_until(
        lambda: "ZeroDivisionError" in html.unescape(server.stderr()))
