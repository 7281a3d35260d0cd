"""
Brokers and Connect workers for tests, started by the first test that asks and shared by the rest of the session.

Where Java or Maven is missing, tests that can run on the embedded broker do, the others are skipped, and the
session's last line says so. In CI that is a failure: a green run there means it ran on Apache Kafka.
"""

import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.worlds import jars, servers
from tests.worlds.apache_kafka import ApacheKafka
from tests.worlds.broker import Broker
from tests.worlds.embedded import EmbeddedKafka
from tests.worlds.java_connect import JavaConnect
from tests.worlds.tidegate_worker import TidegateWorker

_less = pytest.StashKey[str]()
"""Why this session ran on less than Apache Kafka; absent when it did not."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "apache_kafka_only: promises something only Apache Kafka keeps; skipped where it is missing"
    )


# -- what is there on this machine ------------------------------------------------------------------


@pytest.fixture(scope="session")
def kafka_libs(pytestconfig: pytest.Config) -> Path | None:
    """Apache Kafka's jars, or None where there are none; then the session's last line says why."""
    try:
        return jars.libs()
    except jars.Unavailable as missing:
        pytestconfig.stash[_less] = str(missing)
        return None


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _less in session.config.stash and os.environ.get("CI") == "true" and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config: pytest.Config) -> None:
    """Say it after pytest's own last line, where nobody can miss it."""
    if (why := config.stash.get(_less, None)) is not None:
        verdict = "which CI does not accept" if os.environ.get("CI") == "true" else "tests that need it were skipped"
        sys.stdout.write(f"NOT TESTED ON APACHE KAFKA, {verdict}: {why}\n")


# -- brokers ----------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _apache_kafka_only(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("apache_kafka_only") and request.getfixturevalue("kafka_libs") is None:
        pytest.skip("needs Apache Kafka")


@pytest.fixture(scope="session")
def broker(kafka_libs: Path | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The session's broker: Apache Kafka where there is one, else the embedded broker. Shared, so never stop it."""
    home = tmp_path_factory.mktemp("broker")
    with EmbeddedKafka(home) if kafka_libs is None else ApacheKafka(home, kafka_libs) as running:
        yield running


@pytest.fixture(scope="session")
def embedded_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The session's embedded broker, for tests about it and for the small set that must pass on it too."""
    with EmbeddedKafka(tmp_path_factory.mktemp("embedded-broker")) as running:
        yield running


@pytest.fixture
def private_broker(kafka_libs: Path | None, tmp_path: Path) -> Iterator[Broker]:
    """An Apache Kafka of one's own, to be stopped, killed and started again. Costs a start: use it sparingly."""
    if kafka_libs is None:
        pytest.skip("needs Apache Kafka")
    # A node that was killed is believed alive until its session ends, and cannot come back before.
    impatient = {"broker.session.timeout.ms": "3000", "broker.heartbeat.interval.ms": "500"}
    with ApacheKafka(tmp_path / "private-broker", kafka_libs, settings=impatient) as running:
        yield running


# -- Apache Kafka Connect ---------------------------------------------------------------------------


@pytest.fixture(scope="session")
def java_connect(
    kafka_libs: Path | None, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[JavaConnect]:
    """The session's distributed Connect worker, on the session's broker. Skips where there is no JVM."""
    if kafka_libs is None:
        pytest.skip("needs Apache Kafka Connect")
    broker: Broker = request.getfixturevalue("broker")
    with JavaConnect(tmp_path_factory.mktemp("connect"), kafka_libs, broker.bootstrap_servers) as running:
        yield running


@pytest.fixture
def start_java_connect(
    kafka_libs: Path | None, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., JavaConnect]]:
    """Start Connect workers of one's own: ``start_java_connect(group=..., mode=..., settings={...})``."""
    if kafka_libs is None:
        pytest.skip("needs Apache Kafka Connect")
    broker: Broker = request.getfixturevalue("broker")
    with ExitStack() as workers:
        count = 0

        def start(bootstrap_servers: str | None = None, **options: object) -> JavaConnect:
            nonlocal count
            count += 1
            home = tmp_path / f"connect-{count}"
            servers_ = bootstrap_servers or broker.bootstrap_servers
            return workers.enter_context(JavaConnect(home, kafka_libs, servers_, **options))  # type: ignore[arg-type]

        yield start


# -- our worker -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def tidegate_worker(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TidegateWorker]:
    """The session's worker of ours, on the session's broker. Shared: use connectors with fresh names."""
    with TidegateWorker(tmp_path_factory.mktemp("tidegate"), broker.bootstrap_servers) as running:
        yield running


@pytest.fixture
def start_worker(broker: Broker, tmp_path: Path) -> Iterator[Callable[..., TidegateWorker]]:
    """Start workers of one's own: ``start_worker(group=..., mode=..., settings={...}, wait=False)``."""
    with ExitStack() as workers:
        count = 0

        def start(bootstrap_servers: str | None = None, *, wait: bool = True, **options: object) -> TidegateWorker:
            nonlocal count
            count += 1
            servers_ = bootstrap_servers or broker.bootstrap_servers
            made = TidegateWorker(tmp_path / f"worker-{count}", servers_, **options)  # type: ignore[arg-type]
            workers.callback(made.stop)
            made.start() if wait else made.spawn()
            return made

        yield start


# -- when something fails ---------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failing test shows the last lines of the servers that were running."""
    report = yield
    if report.failed:
        report.sections.extend(servers.logs())
    return report
