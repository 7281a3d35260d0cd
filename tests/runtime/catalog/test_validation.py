"""What a configuration is told: without a JVM; the comparison with Connect is in tests/conformance."""

from typing import Any

import pytest

from runtime.catalog import Catalog, UnknownPlugin
from runtime.catalog.validation import describe, validate
from runtime.sdk import ConfigData, ConfigError, ConfigProvider
from runtime.secrets import Resolver
from tests.conformance.validate_cases import sink, source

WORKER = {
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "JsonConverter",
    "group.id": "workers",
}


class Safe(ConfigProvider):
    """A provider that knows two secrets."""

    def get(self, path: str, keys: Any) -> ConfigData:
        return ConfigData({"word": "hunter2", "number": "not-a-number"})


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog()


def told(catalog: Catalog, config: dict[str, Any], **worker: str) -> dict[str, Any]:
    worker = WORKER | {key.replace("_", "."): value for key, value in worker.items()}
    return validate(catalog, Resolver({"safe": Safe()}), config, worker=worker)


def errors(reply: dict[str, Any]) -> dict[str, list[str]]:
    found = {entry["value"]["name"]: entry["value"]["errors"] for entry in reply["configs"]}
    return {name: texts for name, texts in found.items() if texts}


def value(reply: dict[str, Any], name: str) -> dict[str, Any]:
    [found] = [entry["value"] for entry in reply["configs"] if entry["value"]["name"] == name]
    return dict(found)


def test_a_good_configuration(catalog: Catalog) -> None:
    reply = told(catalog, source())
    assert (0, {}) == (reply["error_count"], errors(reply))
    assert "org.apache.kafka.connect.json.JsonConverter" == value(reply, "value.converter")["value"]


def test_no_connector_to_ask(catalog: Catalog) -> None:
    with pytest.raises(ConfigError, match="Connector config contains no connector type"):
        told(catalog, {"name": "x", "password": "hunter2"})
    with pytest.raises(UnknownPlugin, match="Failed to find any class"):
        told(catalog, {"name": "x", "connector.class": "Nope"})


def test_secrets_are_never_shown(catalog: Catalog) -> None:
    """A looked-up value is shown as its reference, and no complaint repeats it."""
    config = source(tasks_max="${safe:number}", file="${safe:word}", errors_tolerance="${safe:word}") | {
        "producer.override.linger.ms": "${safe:number}",
        "value.converter": "JsonConverter",
        "value.converter.schemas.enable": "${safe:word}",
    }
    reply = told(catalog, config)
    assert "hunter2" not in str(reply)
    assert "not-a-number" not in str(reply)
    assert "${safe:number}" == value(reply, "tasks.max")["value"]
    assert {"tasks.max", "errors.tolerance", "producer.override.linger.ms", "value.converter.schemas.enable"} == set(
        errors(reply)
    )
    assert 1 == len(errors(reply)["tasks.max"])


def test_a_secret_in_anothers_complaint_is_taken_out(catalog: Catalog) -> None:
    reply = told(catalog, sink(topics="t,hunter2", errors_deadletterqueue_topic_name="${safe:word}"))
    [complaint] = errors(reply)["topics"]
    assert "${safe:word}" in complaint


def test_the_group_of_a_sink_is_its_own(catalog: Catalog) -> None:
    reply = told(catalog, sink(name="workers"), group_id="connect-workers")
    assert "conflicts with Connect worker group" in errors(reply)["name"][0]
    reply = told(catalog, sink(consumer_override_group_id="workers"))
    assert 1 == reply["error_count"]
    assert {} == errors(told(catalog, sink(name="connect"), group_id=""))


def test_exactly_once(catalog: Catalog) -> None:
    config = source(exactly_once_support="required", file="/tmp/x")
    assert ["This worker does not have exactly-once source support enabled."] == errors(told(catalog, config))[
        "exactly.once.support"
    ]
    assert {} == errors(told(catalog, config, exactly_once_source_support="enabled"))


@pytest.mark.parametrize(
    ("policy", "forbidden"),
    [
        ("All", set()),
        ("None", {"acks", "sasl.mechanism"}),
        ("Principal", {"acks"}),
        ("Allowlist", {"sasl.mechanism"}),
        (
            "org.apache.kafka.connect.connector.policy.NoneConnectorClientConfigOverridePolicy",
            {"acks", "sasl.mechanism"},
        ),
    ],
)
def test_override_policies(catalog: Catalog, policy: str, forbidden: set[str]) -> None:
    config = source(producer_override_acks="1", producer_override_sasl_mechanism="PLAIN")
    reply = told(
        catalog,
        config,
        connector_client_config_override_policy=policy,
        connector_client_config_override_allowlist="acks",
    )
    assert {f"producer.override.{name}" for name in forbidden} == set(errors(reply))
    assert len(forbidden) == reply["error_count"]


def test_a_password_is_hidden(catalog: Catalog) -> None:
    reply = told(catalog, source() | {"producer.override.sasl.jaas.config": "secret words"})
    assert "[hidden]" == value(reply, "producer.override.sasl.jaas.config")["value"]
    assert "secret words" not in str(reply)


def test_describe_kinds(catalog: Catalog) -> None:
    described = describe(catalog, "FileStreamSource")
    assert described is not None
    assert ["file", "topic", "batch.size", "name"] == [key["name"] for key in described][:4]
    assert [] == describe(catalog, "Filter")
    assert describe(catalog, "Nope") is None
    with pytest.raises(ConfigError, match="Invalid plugin class"):
        describe(catalog, "FileConfigProvider")
