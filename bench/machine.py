# SPDX-License-Identifier: ISC
"""What the bench asks of the machine: cores, CPU time, quiet.

CPU time of a server is the time of all its processes.  A control group counts
it in nanoseconds, with children that have died; where none can be made (no
root, no cgroup mount) /proc counts it in ticks, which is good enough for a
run of seconds.
"""

import os
import resource
import time

TICKS = os.sysconf('SC_CLK_TCK')
MAX_FILES = 20000


def read(path):
    with open(path) as f:
        return f.read()


def write(path, text):
    with open(path, 'w') as f:
        f.write(text)


class ControlGroup:
    """All processes of one server, in a control group of version 1 or 2."""

    # File system type, option that must be among the mount's, the file that
    # counts, how to read seconds out of it.
    KINDS = (
        ('cgroup', 'cpuacct', 'cpuacct.usage',
         lambda text: int(text) / 1e9),
        ('cgroup2', '', 'cpu.stat',
         lambda text: int(text.split()[1]) / 1e6),   # usage_usec comes first
    )

    def __init__(self, mount, kind, name):
        self.path = f'{mount}/bench-{os.getpid()}-{name}'
        self.counter, self.parse = kind[2:]
        os.mkdir(self.path)

    def enter(self):
        """Called in the child, between fork and exec."""
        write(f'{self.path}/cgroup.procs', str(os.getpid()))

    def started(self, pid):
        pass

    def pids(self):
        return [int(n) for n in read(f'{self.path}/cgroup.procs').split()]

    def cpu_seconds(self):
        return self.parse(read(f'{self.path}/{self.counter}'))

    def remove(self):
        # The kernel lets go of the last process a moment after its end.
        for _ in range(100):
            try:
                return os.rmdir(self.path)
            except OSError:
                time.sleep(0.01)


class Session:
    """All processes of one server, found by their session in /proc."""

    def __init__(self):
        self.sid = 0

    def enter(self):
        pass    # whoever starts a server gives it a session of its own

    def started(self, pid):
        self.sid = pid

    def _stats(self):
        for name in filter(str.isdigit, os.listdir('/proc')):
            try:
                # A command's name may hold anything, so count from its end.
                stat = read(f'/proc/{name}/stat').rpartition(')')[2].split()
            except OSError:
                continue
            if int(stat[3]) == self.sid and stat[0] != 'Z':
                yield int(name), stat

    def pids(self):
        return [pid for pid, _ in self._stats()]

    def cpu_seconds(self):
        # utime, stime, and both of the children that were waited for
        return sum(int(n) for _, stat in self._stats()
                   for n in stat[11:15]) / TICKS

    def remove(self):
        pass


def _cgroup_mounts():
    for kind in ControlGroup.KINDS:
        for line in read('/proc/mounts').splitlines():
            _, mount, fstype, options = line.split()[:4]
            if fstype == kind[0] and kind[1] in ('', *options.split(',')):
                yield mount, kind


def find_accounting():
    """Returns a function that makes a group by name, and a word for it."""
    for mount, kind in _cgroup_mounts():
        try:
            group = ControlGroup(mount, kind, 'probe')
        except OSError:
            continue
        try:
            group.cpu_seconds()
            return (lambda name: ControlGroup(mount, kind, name),
                    f'control group ({kind[2]})')
        except (OSError, ValueError, IndexError):
            continue
        finally:
            group.remove()
    return lambda name: Session(), f'/proc, ticks of {1000 // TICKS} ms'


def choose_cores():
    """Returns a core for the server and one for the load.

    Two threads of one physical core slow each other down, so the second is
    taken from another core where there is one.
    """
    cores = sorted(os.sched_getaffinity(0))
    server = cores[0]
    try:
        text = read(f'/sys/devices/system/cpu/cpu{server}/topology'
                    '/thread_siblings_list').strip()
    except OSError:
        text = ''
    siblings = set()
    for part in filter(None, text.split(',')):
        first, _, last = part.partition('-')
        siblings.update(range(int(first), int(last or first) + 1))
    others = cores[1:] or [server]
    return server, next((c for c in others if c not in siblings), others[0])


def busy_seconds(cores):
    """CPU time that these cores have spent on anything but waiting."""
    wanted = {f'cpu{core}' for core in cores}
    total = 0
    for line in read('/proc/stat').splitlines():
        name, *fields = line.split()
        if name in wanted:
            # user nice system idle iowait irq softirq steal
            ticks = [int(n) for n in fields[:8]]
            total += sum(ticks) - ticks[3] - ticks[4]
    return total / TICKS


def wait_for_quiet(cores, patience=5.0, limit=0.06):
    """Waits, within bounds, for others to leave the cores alone."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        before = busy_seconds(cores)
        time.sleep(0.25)
        if (busy_seconds(cores) - before) / 0.25 <= limit:
            return


def raise_file_limit():
    """Returns how many descriptors a process here may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if os.geteuid() == 0 and hard < MAX_FILES:
        hard = MAX_FILES
    soft = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard,
                                                                MAX_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


def cpu_model():
    for line in read('/proc/cpuinfo').splitlines():
        if line.startswith('model name'):
            return line.partition(':')[2].strip()
    return os.uname().machine


def congestion_control():
    return read('/proc/sys/net/ipv4/tcp_congestion_control').strip()
