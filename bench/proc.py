"""What a process and all it started have used, read from /proc."""

import os
import threading
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds since the start, and bytes resident now; shared pages count once per process."""

    cpu: float
    rss: int


def usage(root: int) -> Usage:
    """Of *root* and all its descendants, the ended ones that somebody has waited for included."""
    children: dict[int, list[int]] = {}
    stats: dict[int, tuple[float, int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended while we looked
            continue
        pid = int(entry.name)
        # Counted from the field after the name: 1 parent, 11-14 own and waited-for children's time, 21 pages.
        children.setdefault(int(fields[1]), []).append(pid)
        stats[pid] = (sum(map(int, fields[11:15])) / _TICK, int(fields[21]) * _PAGE)
    tree, todo = [], [root]
    while todo:
        pid = todo.pop()
        tree.append(stats.get(pid, (0.0, 0)))
        todo.extend(children.get(pid, ()))
    return Usage(sum(cpu for cpu, _ in tree), sum(rss for _, rss in tree))


class PeakRss:
    """``with PeakRss(pid) as peak: ...`` then ``peak.bytes``, looked at five times a second."""

    def __init__(self, root: int) -> None:
        self.bytes = 0
        self._root = root
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="peak rss")

    def __enter__(self) -> "PeakRss":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while True:
            self.bytes = max(self.bytes, usage(self._root).rss)
            if self._over.wait(0.2):
                return


def machine_busy() -> float:
    """CPU seconds that all cores together have worked since boot, for anybody."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / _TICK
