"""Apache Kafka from Maven Central, fetched once per machine and version, by whoever needs it first."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

KAFKA_VERSION = "4.3.1"
_POM = Path(__file__).with_name("apache-kafka.pom.xml")
_FETCH_BUDGET = 900.0
"""Seconds for the first download, about 120 MB. After that it is cached."""


class Unavailable(Exception):
    """This machine has no Apache Kafka and cannot get it; the message says what is missing."""


@cache
def libs() -> Path:
    """
    The folder of jars, fetched if this machine does not have it yet.

    Raises Unavailable when there is no java, or no mvn to fetch with, or when fetching fails.
    """
    if shutil.which("java") is None:
        raise Unavailable("java is not installed (on Debian: apt-get install default-jre-headless)")
    home = _cache() / f"kafka-{KAFKA_VERSION}"
    # The name carries the pom, so a changed pom never meets an old folder.
    folder = home / f"libs-{hashlib.sha256(_POM.read_bytes()).hexdigest()[:12]}"
    if not folder.is_dir():
        home.mkdir(parents=True, exist_ok=True)
        with _alone(home / "lock"):
            if not folder.is_dir():  # nobody else fetched it while we waited
                _fetch(folder)
    return folder


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tidegate"


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Wait until no other process holds *lock*. The kernel lets go of it when its holder dies."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _fetch(folder: Path) -> None:
    """Fetch into a folder beside, then rename: *folder* is whole or is not there."""
    if shutil.which("mvn") is None:
        raise Unavailable("mvn is not installed, and Apache Kafka is not cached (on Debian: apt-get install maven)")
    scratch = Path(tempfile.mkdtemp(prefix="fetching-", dir=folder.parent))
    try:
        shutil.copy(_POM, scratch / "pom.xml")
        _maven(scratch)
        (scratch / "libs").rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _maven(scratch: Path) -> None:
    command = [
        "mvn", "--batch-mode", "--quiet", "--file", str(scratch / "pom.xml"),
        "dependency:copy-dependencies", f"-DoutputDirectory={scratch / 'libs'}", "-DincludeScope=runtime",
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_FETCH_BUDGET, text=True
        )
    except subprocess.TimeoutExpired as late:
        raise Unavailable(f"mvn did not fetch Apache Kafka within {_FETCH_BUDGET:g} s") from late
    if done.returncode != 0 or not any((scratch / "libs").glob("kafka_*.jar")):
        raise Unavailable(f"mvn could not fetch Apache Kafka {KAFKA_VERSION}:\n{done.stdout[-2000:]}")
