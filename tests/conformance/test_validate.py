"""
``/connector-plugins`` against Connect's own: what a configuration is told, and how plugins describe themselves.

Documentation texts are ours and left out; so are versions. Other differences are listed in :data:`ALLOWED`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Final

import httpx
import pytest

from runtime.catalog import Catalog
from runtime.catalog.validation import describe, validate
from runtime.sdk import ConfigError
from runtime.secrets import Resolver
from tests.conformance.validate_cases import CASES
from tests.worlds.java_connect import JavaConnect

ALLOWED: Final = {
    "sink topics.regex wrong": "the words of a broken regular expression are the engine's",
    "sink topics.regex unclosed class": "as above",
    "transforms no plugin": "java.lang.String means nothing outside a JVM: could not be found",
    "transforms is the interface": "nor do the names of Connect's interfaces",
    "converter is the interface": "as above",
}
"""Cases whose error texts, and what follows from them, may differ; where the errors are may not."""

_NOT_YET: Final = frozenset(
    {
        *("Cast$Key", "Cast$Value", "DropHeaders", "ExtractField$Key", "ExtractField$Value", "Flatten$Key"),
        *("Flatten$Value", "HeaderFrom$Key", "HeaderFrom$Value", "InsertHeader", "SetSchemaMetadata$Key"),
        *("SetSchemaMetadata$Value", "TimestampConverter$Key", "TimestampConverter$Value", "TimestampRouter"),
        "ValueToKey",
    }
)
"""Transforms that Connect has and we do not have yet; a test below notices when one comes."""


@pytest.fixture(scope="module")
def java(java_connect: JavaConnect) -> Iterator[httpx.Client]:
    with java_connect.client() as client:
        yield client


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog()


def _ours(catalog: Catalog, java_connect: JavaConnect, config: dict[str, Any]) -> dict[str, Any]:
    return validate(catalog, Resolver({}), config, worker=java_connect.properties)


def _entries(reply: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in reply["configs"]:
        definition, value = entry["definition"], entry["value"]
        found[(value or definition)["name"]].append(
            {"definition": _comparable(definition), "value": None if value is None else _offered(value)}
        )
    return found


def _comparable(definition: dict[str, Any] | None) -> dict[str, Any] | None:
    if definition is None:
        return None
    made = {key: value for key, value in definition.items() if key != "documentation"}
    if made["name"].endswith("plugin.version") and made["default_value"] is not None:
        made["default_value"] = "a version"
    return made


def _offered(value: dict[str, Any]) -> dict[str, Any]:
    made = dict(value)
    if made["name"].endswith("plugin.version"):
        made["value"] = None if made["value"] is None else "a version"
        made["recommended_values"] = ["a version" for _ in made["recommended_values"]]
    made["recommended_values"] = [
        name
        for name in made["recommended_values"]
        if name.rpartition(".")[2] not in _NOT_YET and not name.startswith("tidegate.")
    ]
    return made


@pytest.mark.parametrize("case", CASES)
def test_validate(java: httpx.Client, java_connect: JavaConnect, catalog: Catalog, case: str) -> None:
    """The same keys in the same order, with the same definitions, values, errors and counts."""
    config = CASES[case]
    path = f"/connector-plugins/{config['connector.class']}/config/validate"
    theirs = java.put(path, json=config).raise_for_status().json()
    mine = _ours(catalog, java_connect, config)

    def summary(reply: dict[str, Any]) -> Any:
        wrong = {
            (entry["value"] or {}).get("name") for entry in reply["configs"] if (entry["value"] or {}).get("errors")
        }
        return reply["name"], reply["error_count"], sorted(reply["groups"]), wrong

    assert summary(theirs) == summary(mine)
    if case in ALLOWED:
        return
    there, here = _entries(theirs), _entries(mine)
    # Connect lists a converter's own settings in the order of a hash map; the rest has an order that people see.
    assert sorted(there) == sorted(here)
    assert [name for name in there if "converter." not in name] == [name for name in here if "converter." not in name]
    for name, entries in there.items():
        assert entries == here[name], name


_PLUGINS = [
    "FileStreamSource",
    "FileStreamSinkConnector",
    "org.apache.kafka.connect.file.FileStreamSourceConnector",
    "Json",
    "JsonConverter",
    "StringConverter",
    "ByteArrayConverter",
    "IntegerConverter",
    "SimpleHeaderConverter",
    "RegexRouter",
    "Filter",
    "HasHeaderKey",
    "RecordIsTombstone",
    "TopicNameMatches",
    "nope",
    "Value",
    "org.apache.kafka.common.config.provider.FileConfigProvider",
    *(
        f"org.apache.kafka.connect.transforms.{name}${side}"
        for name in ("InsertField", "HoistField", "ReplaceField", "MaskField")
        for side in ("Key", "Value")
    ),
]


@pytest.mark.parametrize("plugin", _PLUGINS)
def test_describe(java: httpx.Client, catalog: Catalog, plugin: str) -> None:
    """The same definitions in the same order; 404 and 400 for the same plugins."""
    reply = java.get(f"/connector-plugins/{plugin}/config")
    if reply.status_code == httpx.codes.NOT_FOUND:
        assert describe(catalog, plugin) is None
    elif reply.status_code == httpx.codes.BAD_REQUEST:
        with pytest.raises(ConfigError) as refused:
            describe(catalog, plugin)
        assert reply.json()["message"] == str(refused.value)
    else:
        assert [_comparable(one) for one in reply.json()] == [
            _comparable(one) for one in describe(catalog, plugin) or []
        ]


def test_plugins(java: httpx.Client, catalog: Catalog) -> None:
    """The same classes under the same kinds in the same order, less what is yet to come, plus our own."""
    theirs = [
        (one["type"], one["class"])
        for one in java.get("/connector-plugins", params={"connectorsOnly": "false"}).json()
        if one["class"].rpartition(".")[2] not in _NOT_YET
    ]
    ours = [
        (info.kind.value, info.class_name)
        for info in catalog.plugins()
        if info.kind.value != "config_provider" and info.class_name.startswith("org.apache.kafka.")
    ]
    assert theirs == ours
    assert not _NOT_YET & {info.class_name.rpartition(".")[2] for info in catalog.plugins()}


@pytest.mark.parametrize("policy", ["None", "Principal", "Allowlist"])
def test_override_policies(start_java_connect: Callable[..., JavaConnect], catalog: Catalog, policy: str) -> None:
    """What a policy forbids is said in the same words about the same keys."""
    worker = start_java_connect(
        settings={
            "connector.client.config.override.policy": policy,
            **({"connector.client.config.override.allowlist": "acks,linger.ms"} if policy == "Allowlist" else {}),
        }
    )
    config = CASES["source"] | {
        "producer.override.acks": "1",
        "producer.override.security.protocol": "PLAINTEXT",
        "producer.override.sasl.jaas.config": "secret",
        "producer.override.nope": "x",
    }
    with worker.client() as client:
        path = f"/connector-plugins/{config['connector.class']}/config/validate"
        theirs = client.put(path, json=config).raise_for_status().json()
    mine = _ours(catalog, worker, config)
    assert theirs["error_count"] == mine["error_count"]
    there, here = _entries(theirs), _entries(mine)
    for name in there:
        assert there[name] == here[name]
