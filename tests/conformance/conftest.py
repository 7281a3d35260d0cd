"""The sides that the contract is held against: Apache Kafka Connect over REST, its own classes in a JVM, and us."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conformance.oracle import Oracle
from tests.worlds.java_connect import JavaConnect
from tests.worlds.tidegate_worker import TidegateWorker


@pytest.fixture(params=["tidegate", "java"])
def connect(request: pytest.FixtureRequest) -> JavaConnect | TidegateWorker:
    """A running worker, once ours and once Java's: a wrong expectation shows as a failure on their side."""
    worker: JavaConnect | TidegateWorker = request.getfixturevalue(
        "java_connect" if request.param == "java" else "tidegate_worker"
    )
    return worker


@pytest.fixture
def rest(connect: JavaConnect | TidegateWorker) -> Iterator[httpx.Client]:
    """A client of its REST API."""
    with connect.client() as client:
        yield client


@pytest.fixture(scope="session")
def oracle(kafka_libs: Path | None) -> Iterator[Oracle]:
    """Ask Connect's own classes. Skips where there are no jars."""
    if kafka_libs is None:
        pytest.skip("needs Apache Kafka Connect's jars")
    asked = Oracle(kafka_libs)
    yield asked
    asked.close()
