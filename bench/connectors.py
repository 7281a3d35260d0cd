"""
File source and file sink, through Apache Kafka Connect and through us: same broker, same files, same REST calls.

What is measured, and how to read it, is in README.md beside this file. Run it with ``make bench``.
"""

import argparse
import filecmp
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import confluent_kafka
import httpx
from confluent_kafka import Consumer, TopicPartition
from rich.console import Console

import tidegate
from bench.proc import PeakRss, machine_busy, usage
from bench.sides import Java, Side, Tidegate
from tests.worlds import jars
from tests.worlds.apache_kafka import ApacheKafka
from tests.worlds.broker import Broker, fresh
from tests.worlds.waiting import wait_until

LINE = 100
"""Bytes of a line, its end not counted."""
RUN_BUDGET = 300.0
"""Seconds a run may take before it counts as hung."""
EVERY = 0.01
"""Seconds between two looks at how far a run is."""
RESULTS = Path(__file__).with_name("results")

Direction = Literal["source", "sink"]
say = Console(stderr=True, highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One connector, one task, one converter."""

    direction: Direction
    converter: Literal["String", "Json"]

    def __str__(self) -> str:
        return f"file {self.direction}, {'String' if self.converter == 'String' else 'JSON with schemas'}"

    def config(self, file: Path, topic: str) -> dict[str, str]:
        converters = {
            "String": "org.apache.kafka.connect.storage.StringConverter",
            "Json": "org.apache.kafka.connect.json.JsonConverter",
        }
        of_direction = {
            "source": {"connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "topic": topic},
            "sink": {"connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector", "topics": topic},
        }
        return {
            **of_direction[self.direction],
            "tasks.max": "1",
            "file": str(file),
            "key.converter": converters["String"],
            "value.converter": converters[self.converter],
        }


SCENARIOS = [Scenario(direction, converter) for direction in ("source", "sink") for converter in ("String", "Json")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run of one scenario on one side showed."""

    side: str
    scenario: str
    round: int
    records: int
    first: float
    """Seconds from the PUT that creates the connector until the first records are there."""
    rate: float
    """Records per second from the first seen to the last."""
    steady: float
    """Records per second of the last four fifths."""
    cpu: float
    """CPU seconds of the worker and all its processes, from the PUT to the last record."""
    peak_rss: int
    """Bytes resident, worker and all its processes, at most."""
    others: float
    """Share of the machine's cores that went to anything but this benchmark; a run that had to share is no figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What one start of one side showed."""

    side: str
    round: int
    ready: float
    """Seconds from the start of the process until GET /connectors answers 200."""
    idle_rss: int
    """Bytes resident, worker and all its processes, a few seconds later, without a connector."""


# -- measuring --------------------------------------------------------------------------------------


def measure_start(side: Side, number: int) -> Start:
    """Start *side* and leave it running."""
    begin = time.perf_counter()
    side.spawn()
    side.server.until(side.answers, 180, "never answered over REST")
    ready = time.perf_counter() - begin
    time.sleep(3)  # what it does at the end of its start belongs to the start, not to idling
    return Start(side=side.name, round=number, ready=ready, idle_rss=usage(side.server.pid).rss)


def measure_run(side: Side, scenario: Scenario, number: int, stage: "Stage") -> Run:
    """Create the connector, watch it move everything, delete it."""
    name = fresh("bench")
    with stage.target(scenario) as target, PeakRss(side.server.pid) as peak:
        before, foreign_before = usage(side.server.pid).cpu, foreign()
        begin = time.perf_counter()
        request(side, "PUT", f"/connectors/{name}/config", scenario.config(target.file, target.topic))
        seen = [(at, done) for at, done in watched(target.done, stage.records) if done > 0]
        wall = time.perf_counter() - begin
        cpu = usage(side.server.pid).cpu - before
        others = (foreign() - foreign_before) / (wall * (os.cpu_count() or 1))
        status = request(side, "GET", f"/connectors/{name}/status")
        request(side, "DELETE", f"/connectors/{name}")
        wait_until(lambda: httpx.get(f"{side.url}/connectors/{name}").status_code == 404, 60, f"{name} is deleted")
        target.check(stage, scenario)
    if any(task["state"] != "RUNNING" for task in status["tasks"]):
        raise SystemExit(f"{side.name}: a task of {scenario} is not running: {json.dumps(status, indent=2)}")
    (first_at, first_done), (last_at, last_done) = seen[0], seen[-1]
    fifth_at, fifth_done = next((at, done) for at, done in seen if done >= stage.records / 5)
    return Run(
        side=side.name,
        scenario=str(scenario),
        round=number,
        records=stage.records,
        first=first_at - begin,
        rate=per_second(last_done - first_done, last_at - first_at),
        steady=per_second(last_done - fifth_done, last_at - fifth_at),
        cpu=cpu,
        peak_rss=peak.bytes,
        others=max(0.0, others),
    )


def foreign() -> float:
    """CPU seconds of all that is not ours; broker and workers are our descendants."""
    return machine_busy() - usage(os.getpid()).cpu


def per_second(records: int, seconds: float) -> float:
    if seconds <= 0:
        raise SystemExit("too few records: all were there at the first look; give it more --lines")
    return records / seconds


def watched(done: Callable[[], int], goal: int) -> Iterator[tuple[float, int]]:
    """When one looked and how many records were there, until all are."""
    deadline = time.perf_counter() + RUN_BUDGET
    while True:
        count = done()
        now = time.perf_counter()
        yield now, count
        if count >= goal:
            return
        if now > deadline:
            raise SystemExit(f"{count} of {goal} records after {RUN_BUDGET:g} s; see the worker's log")
        time.sleep(EVERY)


def request(side: Side, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, list[dict[str, str]]]:
    answer = httpx.request(method, side.url + path, json=body, timeout=95)
    if answer.is_error:
        raise SystemExit(f"{side.name}: {method} {path} answered {answer.status_code}: {answer.text}")
    return answer.json() if answer.content else {}


class Target:
    """Where one run's records arrive, and how many have."""

    def __init__(self, file: Path, topic: str, broker: Broker, direction: Direction) -> None:
        self.file = file
        self.topic = topic
        self._broker = broker
        self._direction = direction
        self._closing = ExitStack()

    def __enter__(self) -> "Target":
        self._looker: Consumer = self._closing.enter_context(closing(self._broker.consumer()))
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()
        if self._direction == "source":
            self._broker.delete_topic(self.topic)
        else:
            self.file.unlink(missing_ok=True)

    def done(self) -> int:
        if self._direction == "source":
            return self._looker.get_watermark_offsets(TopicPartition(self.topic, 0), timeout=10)[1]
        try:
            return self.file.stat().st_size // (LINE + 1)
        except FileNotFoundError:
            return 0

    def check(self, stage: "Stage", scenario: Scenario) -> None:
        """A run that lost, doubled or changed records is no measurement."""
        if self.done() != stage.records:
            raise SystemExit(f"{self.done()} records arrived instead of {stage.records}")
        if self._direction == "sink":
            if not filecmp.cmp(self.file, stage.lines, shallow=False):
                raise SystemExit(f"{scenario}: the file that was written is not the file of lines")
            return
        sample = 1_000
        for start in (0, stage.records // 2, stage.records - sample):
            for index, value in enumerate(self._values(start, sample), start):
                found = (json.loads(value) if scenario.converter == "Json" else value.decode()) if value else None
                wanted = stage.value(index, scenario)
                if found != wanted:
                    raise SystemExit(f"{scenario}: record {index} is {found!r} instead of {wanted!r}")

    def _values(self, start: int, count: int) -> list[bytes | None]:
        self._looker.assign([TopicPartition(self.topic, 0, start)])
        found: list[bytes | None] = []
        wait_until(lambda: (found.extend(m.value() for m in self._looker.consume(count, 0.1)), len(found))[1] >= count)
        self._looker.unassign()
        return found[:count]


class Stage:
    """What runs start from: a file of lines for sources, a full topic per converter for sinks."""

    def __init__(self, home: Path, broker: Broker, records: int) -> None:
        self.records = records
        self._home = home
        self._broker = broker
        self.lines = home / "lines.txt"
        with self.lines.open("w") as file:
            file.writelines(f"{line}\n" for line in self._texts())
        self._full = {"String": broker.fresh_topic("full"), "Json": broker.fresh_topic("full")}
        broker.produce(self._full["String"], self._texts())
        envelope = '{"schema":{"type":"string","optional":false},"payload":"%s"}'
        broker.produce(self._full["Json"], (envelope % text for text in self._texts()))

    def value(self, index: int, scenario: Scenario) -> object:
        """What record *index* must hold."""
        text = line(index)
        if scenario.converter == "String":
            return text
        return {"schema": {"type": "string", "optional": False}, "payload": text}

    def target(self, scenario: Scenario) -> Target:
        if scenario.direction == "source":
            return Target(self.lines, self._broker.fresh_topic("bench"), self._broker, "source")
        return Target(self._home / fresh("out"), self._full[scenario.converter], self._broker, "sink")

    def _texts(self) -> Iterator[str]:
        return map(line, range(self.records))


def line(index: int) -> str:
    """No two are the same, so a lost one and a doubled one do not make up for each other."""
    return f"{index:012} {'the quick brown fox jumps over the lazy dog ' * 3}"[:LINE]


# -- all of it --------------------------------------------------------------------------------------


def main() -> None:
    """Measure, print, and write bench/results/latest.md and latest.json."""
    options = parsed()
    try:
        libs = jars.libs()
    except jars.Unavailable as missing:
        raise SystemExit(f"there is nothing to compare with: {missing}") from missing
    begin = time.monotonic()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tidegate-bench-")))
        say.print("starting Apache Kafka")
        broker = stack.enter_context(ApacheKafka(home / "broker", libs, heap="1g"))
        make: dict[str, Callable[[str], Side]] = {
            "java": lambda name: Java(name, home / name, libs, broker.bootstrap_servers),
            "tidegate": lambda name: Tidegate(name, home / name, broker.bootstrap_servers),
        }
        sides = [make[kind](name) for name, kind in zip(names(options.sides), options.sides, strict=True)]
        for side in sides:
            stack.callback(side.stop)
        starts = list(measured_starts(sides, min(options.rounds, 3) + 1))
        say.print(f"writing {options.lines:,} lines")
        stage = Stage(home, broker, options.lines)
        runs = list(measured_runs(sides, stage, options.warmup, options.rounds))
    result = {
        "about": about(options) | {"minutes": round((time.monotonic() - begin) / 60, 1)},
        "starts": [asdict(start) for start in starts],
        "runs": [asdict(run) for run in runs],
    }
    text = report(result, sides[0].name, sides[1].name)
    if not options.dry:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "latest.json").write_text(json.dumps(result, indent=1) + "\n")
        (RESULTS / "latest.md").write_text(text)
    print(text)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.connectors", description=__doc__)
    parser.add_argument("--short", action="store_true", help="fewer lines and rounds, five minutes at most")
    parser.add_argument("--lines", type=int, help="lines per run (2,000,000, short 400,000)")
    parser.add_argument("--rounds", type=int, help="rounds that count (5, short 2)")
    parser.add_argument("--warmup", type=int, help="rounds before them that do not (3, short 2)")
    parser.add_argument("--sides", nargs=2, default=["java", "tidegate"], choices=["java", "tidegate"])
    parser.add_argument("--dry", action="store_true", help="leave bench/results alone")
    options = parser.parse_args()
    options.lines = options.lines or (400_000 if options.short else 2_000_000)
    options.rounds = options.rounds or (2 if options.short else 5)
    options.warmup = options.warmup or (2 if options.short else 3)
    return options


def names(kinds: list[str]) -> list[str]:
    """Two of a kind get different names."""
    return kinds if kinds[0] != kinds[1] else [f"{kind}-{i}" for i, kind in enumerate(kinds, 1)]


def measured_starts(sides: list[Side], rounds: int) -> Iterator[Start]:
    """All sides run after the last round; round 0 filled the machine's caches and does not count."""
    for number in range(rounds):
        for side in alternating(sides, number):
            start = measure_start(side, number)
            say.print(f"  start {number}  {side.name:10} {start.ready:5.1f} s, idle {start.idle_rss / 1e6:5.0f} MB")
            yield start
        if number < rounds - 1:
            for side in sides:
                side.stop()


def measured_runs(sides: list[Side], stage: Stage, warmup: int, rounds: int) -> Iterator[Run]:
    """Interleaved, so that whatever else the machine does meets both; rounds up to 0 warm up and do not count."""
    for number in range(1 - warmup, rounds + 1):
        for scenario in SCENARIOS:
            for side in alternating(sides, number):
                run = measure_run(side, scenario, number, stage)
                say.print(
                    f"  round {number:2}  {run.scenario:30} {side.name:10} {run.rate:9,.0f} records/s, "
                    f"{run.cpu:5.1f} CPU s, {run.peak_rss / 1e6:5.0f} MB, others {run.others:4.0%}"
                )
                yield run


def alternating(sides: list[Side], number: int) -> list[Side]:
    """The one that goes first meets an idle machine more often than not, so it is not always the same."""
    return sides if number % 2 == 0 else sides[::-1]


# -- saying it --------------------------------------------------------------------------------------


def about(options: argparse.Namespace) -> dict[str, object]:
    """When, where and with what. The machine is described, not named."""
    root = Path(__file__).parents[1]
    git = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=root, capture_output=True, text=True)
    java = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr.splitlines()
    cpu = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "lines": options.lines,
        "rounds": options.rounds,
        "warm-up rounds": options.warmup,
        "line bytes": LINE,
        "cpu": f"{os.cpu_count()} x {cpu[0] if cpu else platform.machine()}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "kernel": platform.release(),
        "tidegate": f"{tidegate.__version__} ({git.stdout.strip()})",
        "python": sys.version.split()[0],
        "librdkafka": confluent_kafka.libversion()[0],
        "kafka": jars.KAFKA_VERSION,
        "java": java[0] if java else "?",
    }


def report(result: dict[str, object], one: str, other: str) -> str:
    """The result as Markdown. Ratios are *other* to *one*, each from two runs of the same round."""
    facts: dict[str, object] = result["about"]  # type: ignore[assignment]
    lines = [
        f"# {other} compared with {one}",
        "",
        f"{facts['lines']:,} lines of {facts['line bytes']} bytes, one task, {facts['rounds']} counted rounds",
        f"after {facts['warm-up rounds']} that are not; medians, in brackets the lowest and the highest.",
        f"Ratios are {other} : {one}, each within its round.",
        "",
        f"| scenario | what | {one} | {other} | ratio |",
        "|---|---|---|---|---|",
    ]
    counted = [run for run in result["runs"] if run["round"] > 0]  # type: ignore[attr-defined]
    for scenario in map(str, SCENARIOS):
        runs = [run for run in counted if run["scenario"] == scenario]
        per_record = [run | {"cpu_us": run["cpu"] / run["records"] * 1e6} for run in runs]
        lines += [
            row(scenario, "records/s", per_record, "rate", one, other, "{:,.0f}"),
            row("", "records/s, steady", per_record, "steady", one, other, "{:,.0f}"),
            row("", "CPU µs per record", per_record, "cpu_us", one, other, "{:.2f}"),
            row("", "seconds to the first record", per_record, "first", one, other, "{:.2f}"),
            row("", "peak resident MB", per_record, "peak_rss", one, other, "{:,.0f}", 1e-6),
            trend(runs, one, other),
            shared(runs, one, other),
        ]
    starts = [start for start in result["starts"] if start["round"] > 0]  # type: ignore[attr-defined]
    lines += [
        row("start", "seconds to REST ready", starts, "ready", one, other, "{:.2f}"),
        row("", "idle resident MB", starts, "idle_rss", one, other, "{:,.0f}", 1e-6),
        "",
        *(f"- {name}: {value}" for name, value in facts.items()),
        "",
    ]
    return "\n".join(lines)


def row(
    scenario: str,
    what: str,
    rows: list[dict[str, float]],
    key: str,
    one: str,
    other: str,
    form: str,
    scale: float = 1.0,
) -> str:
    """One line of the table."""
    of = {side: {row["round"]: row[key] * scale for row in rows if row["side"] == side} for side in (one, other)}
    ratios = [of[other][number] / of[one][number] for number in of[one]]
    cells = (
        scenario,
        what,
        spread(of[one].values(), form),
        spread(of[other].values(), form),
        f"**{spread(ratios, '{:.2f}')}**",
    )
    return f"| {' | '.join(cells)} |"


def trend(runs: list[dict[str, float]], one: str, other: str) -> str:
    """Last counted round to first: a side well above 1 was still warming up, and its figures are too low."""
    cells = []
    for side in (one, other):
        rates = [run["rate"] for run in sorted(runs, key=lambda run: run["round"]) if run["side"] == side]
        cells.append(f"{rates[-1] / rates[0]:.2f}")
    return f"|  | last round : first round, records/s | {' | '.join(cells)} |  |"


def shared(runs: list[dict[str, float]], one: str, other: str) -> str:
    """How much of the machine went to others meanwhile; there is no ratio of that."""
    cells = [spread((run["others"] * 100 for run in runs if run["side"] == side), "{:.0f}") for side in (one, other)]
    return f"|  | % of the machine used by others | {' | '.join(cells)} |  |"


def spread(values: Iterable[float], form: str) -> str:
    found = sorted(values)
    middle, low, high = statistics.median(found), found[0], found[-1]
    return f"{form.format(middle)} [{form.format(low)} – {form.format(high)}]"


if __name__ == "__main__":
    main()
