#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Runs every check of the tree and counts.

Called by ./test, which installs what is needed.  Steps run side by side, one
more than there are processors, in the order of the table, for root each in a
network of its own; what each printed is in build-test/<step>.txt.  A step
counts as one test, unless it writes a JUnit file: then the cases in it are
counted.

usage: tools/check.py [STEP...]      all steps, or these and what they need
"""

import concurrent.futures
import functools
import os
import re
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as xml
from dataclasses import dataclass, field

OUT = "build-test"
LIMIT_S = 2700      # for one step; the longest takes 400 with two processors
TAIL_LINES = 60     # of what a failed step printed

C_FILES = "$(find src tests bench -name '*.[ch]')"
SHELL_FILES = "run test .ci/run tools/packages bench/setup"
# Without LTO, which would take its time for each of the many test programs.
STRICT = "--werror -Dtests=true -Dlto=false -Dlibevent=enabled -Dlibev=enabled"


@dataclass
class Step:
    name: str
    command: str                # for sh
    after: tuple = ()           # steps that must be through, builds well
    junit: str = ""             # where the command writes its cases


def build(name, compiler, options):
    folder = f"build-{name}"
    return Step(f"build {name}",
                f"test -f {folder}/build.ninja || "
                f"CC={compiler} meson setup {folder} {options}; "
                f"ninja -C {folder} -k 0")


def meson_test(step, name, options=""):
    return Step(step,
                f"meson test -C build-{name} --num-processes 1 "
                f"--no-rebuild --print-errorlogs {options}",
                after=(f"build {name}",),
                junit=f"build-{name}/meson-logs/testlog.junit.xml")


def pytest(suite, build, after=(), environment="", title=""):
    name = f"{title or suite} {build.removeprefix('build').strip('-')}".strip()
    junit = f"{OUT}/{name.replace(' ', '-')}.xml"
    needs = f"build {build[6:]}" if build != "build" else "make"
    return Step(name, f"{environment} SWS={build}/sws SOCK={build}/sock "
                f"/usr/bin/python3 -B -m pytest -q "
                f"-p no:cacheprovider --junitxml={junit} tests/{suite}",
                after=(needs, *after), junit=junit)


STEPS = [
    Step("rooms", "tools/rooms.py"),
    Step("manual", "mandoc -T lint -W warning man/*.[1-9]"),
    Step("layout", f"tools/format.py --check {C_FILES}"),
    Step("shell", f"shellcheck {SHELL_FILES}"),
    # What people run; most tests are about this very build.
    Step("make", "make -s && build/sws --version && build/sock --version"),
    build("asan", "gcc", f"{STRICT} -Doptimization=1 -Ddebug=true "
          "-Db_sanitize=address,undefined"),
    build("gcc", "gcc", STRICT),
    build("clang", "clang", STRICT),
    build("fuzz", "clang", "--werror -Dfuzz=true -Ddebug=true"),
    meson_test("unit gcc", "gcc"),
    meson_test("unit asan", "asan"),
    meson_test("unit clang", "clang"),
    # The engines that are least alike are asked everything, the others what
    # has to do with waiting (tests/wire/conftest.py); under the sanitizers,
    # which take their time, one of each; epoll has the system tests there.
    pytest("wire", "build",
           environment='SWS_ENGINES="${SWS_ENGINES-whole}"'),
    pytest("wire", "build-asan",
           environment='SWS_ENGINES="${SWS_ENGINES-uring fork}"'),
    pytest("wire", "build", title="waits",
           environment='SWS_ENGINES="${SWS_ENGINES-others}"'),
    pytest("system", "build"),
    pytest("sock", "build"),
    pytest("sock", "build-asan"),
    meson_test("fuzz", "fuzz", "--test-args=-max_total_time=5"),
    # Both ask for the ports that sws has by default, which are the same ones
    # for who has no networks to give.
    pytest("system", "build-asan", after=("system",)),
]


@dataclass
class Result:
    step: Step
    status: int
    seconds: float
    passed: list = field(default_factory=list)
    failed: list = field(default_factory=list)
    skipped: list = field(default_factory=list)     # (name, why)


# ------------------------------------------------------------- counting

# Names of single tests in what a cmocka program prints.
CMOCKA = re.compile(r"^\[ +(OK|SKIPPED|FAILED) +\] (\w+)$", re.MULTILINE)


def cases(junit):
    """Yields (name, verdict, why) for each case of a JUnit file."""
    for suite in xml.parse(junit).iter("testsuite"):
        for case in suite.iter("testcase"):
            name = f"{case.get('classname')}: {case.get('name')}"
            name = name.removeprefix("sws: ")   # meson says no more than that
            single = CMOCKA.findall(case.findtext("system-out", ""))
            for verdict, function in sorted({(v, f) for v, f in single}):
                yield f"{name}: {function}", verdict, ""
            bad = [case.find(tag) for tag in ("failure", "error")]
            skip = case.find("skipped")
            if any(tag is not None for tag in bad):
                # Perhaps by a crash, which no single test could report.
                if "FAILED" not in dict(single):
                    yield name, "FAILED", ""
            elif skip is not None:
                yield name, "SKIPPED", skip.get("message", "")
            elif not single:
                yield name, "OK", ""


def count(result):
    """Sorts the cases of a step that was run."""
    step = result.step
    if step.junit and os.path.exists(step.junit):
        for name, verdict, why in cases(step.junit):
            full = f"{step.name}: {name}"
            if verdict == "OK":
                result.passed.append(full)
            elif verdict == "SKIPPED":
                result.skipped.append((full, why))
            else:
                result.failed.append(full)
    if result.status != 0 and not result.failed:
        result.failed.append(step.name)
    elif step.junit and not result.passed + result.skipped + result.failed:
        result.failed.append(f"{step.name}: no tests found")
    elif not step.junit and result.status == 0:
        result.passed.append(step.name)


# -------------------------------------------------------------- running

running = set()

# Suites that run side by side are no neighbours to each other: nobody connects
# to a port that was somebody else's a moment ago.
OWN_NETWORK = ["unshare", "--net", "sh", "-c",
               'ip link set lo up && exec "$@"', "sh"]


@functools.cache
def own_network():
    """What is to stand before a command; nothing without the rights."""
    try:
        subprocess.run([*OWN_NETWORK, "true"], check=True,
                       stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return []
    return OWN_NETWORK


def log_path(step):
    return f"{OUT}/{step.name.replace(' ', '-')}.txt"


def execute(step):
    """The exit status of the step's command."""
    with open(log_path(step), "wb") as log:
        process = subprocess.Popen(
            [*own_network(), "sh", "-c", step.command], stdin=subprocess.DEVNULL,
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        running.add(process)
        try:
            return process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            log.write(b"stopped: took more than %d s\n" % LIMIT_S)
            return process.wait()
        finally:
            running.discard(process)


def outcome(step, results):
    """Runs one step, unless what it needs could not be built."""
    for old in (log_path(step), step.junit):
        if os.path.exists(old):
            os.unlink(old)
    if any(results[name].failed for name in step.after
           if name.split()[0] in ("build", "make")):
        return Result(step, 1, 0, failed=[f"{step.name}: not built"])
    begin = time.monotonic()
    status = execute(step)
    result = Result(step, status, time.monotonic() - begin)
    count(result)
    return result


def perform(step, finished, results):
    """Runs one step when those it comes after are through."""
    for name in step.after:
        finished[name].wait()
    try:
        results[step.name] = outcome(step, results)
        report(results[step.name])
    finally:
        finished[step.name].set()


def report(result):
    word = "FAIL" if result.failed else "ok"
    counts = f"{len(result.passed)} passed"
    for what in ("failed", "skipped"):
        if n := len(getattr(result, what)):
            counts += f", {n} {what}"
    print(f"{word:5}{result.step.name:14}{result.seconds:7.1f} s  {counts}",
          flush=True)


def chosen(names):
    """The steps of these names, with those they need; all without names."""
    if not names:
        return STEPS
    wanted = set(names)
    for step in reversed(STEPS):
        if step.name in wanted or step.name.split()[0] in names:
            wanted |= {step.name, *step.after}
    return [step for step in STEPS if step.name in wanted]


def run_all(steps):
    finished = {step.name: threading.Event() for step in steps}
    results = {}
    # Most steps wait more than they work.
    lanes = min(4, len(os.sched_getaffinity(0)) + 1)
    # The lanes take steps in order, so one that waits for another never
    # keeps that one from being begun.
    with concurrent.futures.ThreadPoolExecutor(lanes) as pool:
        try:
            for job in [pool.submit(perform, step, finished, results)
                        for step in steps]:
                job.result()
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(running):
                os.killpg(process.pid, signal.SIGINT)
            raise
    return [results[step.name] for step in steps]


# ------------------------------------------------------------- telling

def tell(results):
    """Prints what failed and what was left out; the tally comes last."""
    for result in results:
        path = log_path(result.step)
        if result.failed and os.path.exists(path):
            print(f"\n--- {result.step.name}: {path}")
            with open(path, errors="replace") as log:
                print("".join(log.readlines()[-TAIL_LINES:]).rstrip())
    print()
    for result in results:
        for name, why in result.skipped:
            print(f"skipped: {name}{why and f' ({why})'}")
    for result in results:
        for name in result.failed:
            print(f"failed: {name}")
    passed, failed, skipped = (
        sum(len(getattr(result, what)) for result in results)
        for what in ("passed", "failed", "skipped"))
    print(f"{skipped} skipped")
    print(f"{passed} passed, {failed} failed")
    return failed


def main(args):
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.makedirs(OUT, exist_ok=True)
    return 1 if tell(run_all(chosen(args))) else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
