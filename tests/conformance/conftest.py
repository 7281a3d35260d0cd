"""The two sides that the contract is held against: Apache Kafka Connect itself, and us."""

from collections.abc import Iterator

import httpx
import pytest

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
