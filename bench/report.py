# SPDX-License-Identifier: ISC
"""From single runs to the tables that are printed and kept."""

import json
import os
import statistics

DISTURBED = 0.08    # of a core, used by others while a run was measured
SATURATED = 0.9     # of its core, used by the load generator


def medians(runs):
    """Each figure's own median; of one server in one case."""
    good = [run for run in runs if 'value' in run]
    if not good:
        return None
    median = {key: statistics.median(run[key] for run in good)
              for key in good[0] if isinstance(good[0][key], (int, float))}
    median['runs'] = len(good)
    median['low'] = min(run['value'] for run in good)
    median['high'] = max(run['value'] for run in good)
    return median


def notes(median):
    """What a reader should doubt."""
    if median.get('foreign', 0) > DISTURBED:
        yield f"disturbed: {median['foreign']:.0%} of a core was others'"
    if median.get('load_busy', 0) > max(
            SATURATED, median.get('server_busy', 0)):
        yield 'load generator busier than the server: see CPU only'


def complaints(runs):
    """Why runs have no figure; each reason once."""
    return dict.fromkeys(run.get('skipped') or 'failed: ' + run['error']
                         for run in runs if 'value' not in run)


def best(rows, family, key, choose):
    """The best of a server's variants, which is what others have to meet."""
    return choose((m[key] for s, m in rows.items()
                   if s.family == family and key in m), default=None)


def ratio(value, base):
    return f'{value / base:.2f}' if base and base > 0 else '-'


class Results:
    def __init__(self, head):
        self.head = head
        self.runs = []

    def add(self, case, server, rep, run):
        self.runs.append({'case': case.name, 'server': server.name,
                          'rep': rep, **run})

    def of(self, case, server):
        return [run for run in self.runs if run['case'] == case.name and
                run['server'] == server.name]

    def failed(self, family):
        """Did any run of these servers fail?  One that is absent has not."""
        return any('error' in run for run in self.runs
                   if run['server'].partition('-')[0] == family)

    def markdown(self, cases, servers):
        parts = ['# sws beside others\n']
        parts += [f'- {name}: {text}' for name, text in self.head.items()]
        for case in cases:
            parts.append(self._table(case, servers))
        return '\n'.join(parts) + '\n'

    def json(self):
        return json.dumps({'head': self.head, 'runs': self.runs}, indent=1)

    def _table(self, case, servers):
        tried = {s: self.of(case, s) for s in servers if self.of(case, s)}
        found = {s: medians(runs) for s, runs in tried.items()}
        rows = {s: m for s, m in found.items() if m}
        floor = best(rows, 'floor', 'value', min)
        nginx = best(rows, 'nginx', 'value', min)
        nginx_rps = best(rows, 'nginx', 'rps', max)
        has_rate = case.measure == 'requests'
        lines = [f'\n## {case.name}: {case.text}\n',
                 *table_head(case.unit, has_rate)]
        for server, m in sorted(rows.items(), key=lambda r: r[1]['value']):
            cells = [server.name, f"{m['value']:.2f}",
                     ratio(m['value'], floor), ratio(m['value'], nginx),
                     f"{m['low']:.2f} to {m['high']:.2f}"]
            if has_rate:
                cells += [f"{m['rps']:.0f}", ratio(m['rps'], nginx_rps),
                          f"{m['mbps']:.0f}"]
            lines.append(row(cells + ['; '.join(notes(m))]))
        for server, runs in tried.items():
            lines += [f'\n{server.name}: {text}' for text in complaints(runs)]
        return '\n'.join(lines)


def row(cells):
    return '| ' + ' | '.join(cells) + ' |'


def table_head(unit, has_rate):
    names = ['server', unit, 'to floor', "to nginx's best", 'range']
    if has_rate:
        names += ['requests/s', "to nginx's best", 'MB/s']
    names.append('notes')
    return [row(names), row(['---'] + ['--:'] * (len(names) - 2) + ['---'])]


def keep(folder, stem, texts):
    """Writes stem.ext for each text, never over older results."""
    os.makedirs(folder, exist_ok=True)
    name, n = stem, 1
    while any(os.path.exists(f'{folder}/{name}.{ext}') for ext in texts):
        n += 1
        name = f'{stem}-{n}'
    for ext, text in texts.items():
        with open(f'{folder}/{name}.{ext}', 'w') as f:
            f.write(text)
    return f'{folder}/{name}'
