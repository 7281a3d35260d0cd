"""The oracle: Connect's own classes in a JVM that lives for the session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.oracle import Oracle


@pytest.fixture(scope="session")
def oracle(kafka_libs: Path | None) -> Iterator[Oracle]:
    """Ask Connect. Skips where there are no jars."""
    if kafka_libs is None:
        pytest.skip("needs Apache Kafka Connect's jars")
    asked = Oracle(kafka_libs)
    yield asked
    asked.close()
