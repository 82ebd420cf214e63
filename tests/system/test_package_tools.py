# SPDX-License-Identifier: ISC
"""sws as what people point apt and git at."""

import os
import shutil
import subprocess

import pytest


def run(*command, **options):
    r = subprocess.run([*map(str, command)], text=True, capture_output=True,
                       timeout=300, **options)
    assert r.returncode == 0, r.stdout + r.stderr
    return r.stdout


@pytest.fixture
def repository(tmp_path):
    """A flat repository with one package."""
    for tool in ("dpkg-deb", "dpkg-scanpackages", "apt-get"):
        if not shutil.which(tool):
            pytest.skip(f"no {tool}")
    package, repo = tmp_path / "package", tmp_path / "repo"
    (package / "DEBIAN").mkdir(parents=True)
    (package / "DEBIAN/control").write_text(
        "Package: sws-sample\nVersion: 1:1.0~rc1+b2\nArchitecture: all\n"
        "Maintainer: Nobody <nobody@example.org>\nDescription: a sample\n")
    (package / "usr/share/sws-sample").mkdir(parents=True)
    (package / "usr/share/sws-sample/data").write_bytes(os.urandom(1 << 20))
    for directory in [package, *package.rglob("*")]:
        directory.chmod(0o755)
    repo.mkdir()
    # The colon and the tilde of the version are part of the name.
    run("dpkg-deb", "--build", package, repo / "sws-sample_1.0~rc1+b2_all.deb")
    (repo / "Packages").write_text(
        run("dpkg-scanpackages", "--multiversion", ".", cwd=repo))
    run("gzip", "-kn", repo / "Packages")
    return repo


def apt_options(base):
    """All of apt's world below one directory."""
    for name in ("etc/apt.conf.d", "etc/preferences.d", "etc/trusted.gpg.d",
                 "lists/partial", "cache/archives/partial", "log"):
        (base / name).mkdir(parents=True)
    (base / "status").touch()
    settings = {
        "Dir::Etc": base / "etc",
        "Dir::Etc::sourcelist": base / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State": base,
        "Dir::State::lists": base / "lists",
        "Dir::State::status": base / "status",
        "Dir::Cache": base / "cache",
        "Dir::Log": base / "log",
        "APT::Sandbox::User": "",
        "Acquire::http::Proxy": "DIRECT",
        "Acquire::http::Timeout": "300",
        "Acquire::Languages": "none",
        "Acquire::Retries": "0",
    }
    return [word for name, value in settings.items()
            for word in ("-o", f"{name}={value}")]


def test_apt(start, repository, tmp_path):
    server = start(repository)
    base, out = tmp_path / "apt", tmp_path / "out"
    options = apt_options(base)
    out.mkdir()
    (base / "sources.list").write_text(
        f"deb [trusted=yes] http://127.0.0.1:{server.port}/ ./\n")
    run("apt-get", *options, "update")
    run("apt-get", *options, "update")      # conditional, the second time
    run("apt-get", *options, "download", "sws-sample", cwd=out)
    deb, = out.iterdir()
    original, = repository.glob("*.deb")
    assert deb.read_bytes() == original.read_bytes()


@pytest.mark.many_clients
@pytest.mark.skipif(not shutil.which("git"), reason="no git")
@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
def test_git_clone_by_dumb_http(start, tmp_path, packed):
    env = {**os.environ, "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    for role in ("AUTHOR", "COMMITTER"):
        env[f"GIT_{role}_NAME"] = "Nobody"
        env[f"GIT_{role}_EMAIL"] = "nobody@example.org"

    def git(*arguments, cwd=tmp_path):
        return run("git", *arguments, cwd=cwd, env=env).strip()

    work, bare = tmp_path / "work", tmp_path / "served/work.git"
    bare.parent.mkdir()
    git("init", "-q", "-b", "main", work)
    for i in range(20):
        (work / f"file{i}").write_text(f"{i}\n" * 100)
        git("add", ".", cwd=work)
        git("commit", "-q", "-m", f"commit {i}", cwd=work)
    git("tag", "-a", "-m", "a tag", "v1", cwd=work)
    git("clone", "-q", "--bare", "--no-local", work, bare)
    if packed:
        git("gc", "-q", cwd=bare)
    else:
        pack, = bare.glob("objects/pack/*.pack")
        data = pack.read_bytes()
        for file in (bare / "objects/pack").iterdir():
            file.unlink()
        subprocess.run(["git", "unpack-objects", "-q"], input=data, cwd=bare,
                       env=env, check=True)
    git("update-server-info", cwd=bare)

    server = start(bare.parent)
    copy = tmp_path / "copy"
    git("clone", "-q", f"http://127.0.0.1:{server.port}/work.git", copy)
    assert git("rev-parse", "HEAD", "v1", cwd=copy) == \
        git("rev-parse", "HEAD", "v1", cwd=work)
    git("fsck", "--strict", cwd=copy)
