"""Connector configurations, right and wrong, that we and Connect must judge alike."""

from typing import Any

_FILE = "org.apache.kafka.connect.file.FileStream"
_SMT = "org.apache.kafka.connect.transforms."
_PREDICATES = f"{_SMT}predicates."


def source(**more: Any) -> dict[str, Any]:
    """A good source, with *more*, underscores for dots."""
    return {"name": "x", "connector.class": f"{_FILE}SourceConnector", "topic": "t", **_dotted(more)}


def sink(**more: Any) -> dict[str, Any]:
    """A good sink, with *more*."""
    return {"name": "x", "connector.class": f"{_FILE}SinkConnector", "topics": "t", **_dotted(more)}


def _dotted(more: dict[str, Any]) -> dict[str, Any]:
    return {key.replace("__", "$").replace("_", "."): value for key, value in more.items() if value is not _GONE}


_GONE = object()


def without(config: dict[str, Any], *keys: str) -> dict[str, Any]:
    """*config* less some keys."""
    return {key: value for key, value in config.items() if key not in keys}


def transform(kind: str, **more: Any) -> dict[str, Any]:
    """A source with one transform ``a``."""
    own = {f"transforms.a.{key}": value for key, value in _dotted(more).items()}
    return source(transforms="a") | {"transforms.a.type": f"{_SMT}{kind}"} | own


def predicate(kind: str, **more: Any) -> dict[str, Any]:
    """A source with one predicate ``p``."""
    own = {f"predicates.p.{key}": value for key, value in _dotted(more).items()}
    return source(predicates="p") | {"predicates.p.type": f"{_PREDICATES}{kind}"} | own


def converter(role: str, kind: str, **more: Any) -> dict[str, Any]:
    """A sink with a converter of its own."""
    own = {f"{role}.converter.{key}": value for key, value in _dotted(more).items()}
    return sink() | {f"{role}.converter": kind} | own


_JSON = "org.apache.kafka.connect.json.JsonConverter"

CASES: dict[str, dict[str, Any]] = {
    "source": source(),
    "sink": sink(),
    "alias": source() | {"connector.class": "FileStreamSource"},
    "simple name": sink() | {"connector.class": "FileStreamSinkConnector"},
    "no name": without(source(), "name"),
    "empty name": source(name=""),
    "blank name": source(name="  "),
    "control character in name": source(name="a\u0001b\u0085"),
    "no topic": without(source(), "topic"),
    "empty topic": source(topic=""),
    "file": source(file="/tmp/x"),
    "batch size": source(batch_size="10"),
    "batch size no number": source(batch_size="ten"),
    "batch size too large": source(batch_size="3000000000"),
    "batch size blank": source(batch_size=" 7 "),
    "batch size signed": source(batch_size="+7"),
    "unknown key": source(fiile="x"),
    "null value": source(file=None),
    "null in an unknown key": source(other=None),
    "null in name": source(name=None),
    "null in tasks.max": source(tasks_max=None),
    "tasks.max zero": source(tasks_max="0"),
    "tasks.max negative": source(tasks_max="-3"),
    "tasks.max text": source(tasks_max="x"),
    "tasks.max empty": source(tasks_max=""),
    "tasks.max.enforce": source(tasks_max_enforce="FALSE"),
    "tasks.max.enforce wrong": source(tasks_max_enforce="no"),
    "config.action.reload": source(config_action_reload="NONE"),
    "config.action.reload wrong": source(config_action_reload="sometimes"),
    "errors.tolerance all": source(errors_tolerance="all"),
    "errors.tolerance upper": source(errors_tolerance="ALL"),
    "errors.tolerance wrong": source(errors_tolerance="some"),
    "errors.retry.timeout": source(errors_retry_timeout="-1"),
    "errors.retry.timeout low": source(errors_retry_timeout="-2"),
    "errors.retry.timeout wrong": source(errors_retry_timeout="1s"),
    "errors.retry.delay.max.ms": source(errors_retry_delay_max_ms="-5"),
    "errors.log": source(errors_log_enable="true", errors_log_include_messages="true"),
    "exactly.once.support": source(exactly_once_support="required"),
    "exactly.once.support upper": source(exactly_once_support="REQUESTED"),
    "exactly.once.support wrong": source(exactly_once_support="maybe"),
    "transaction.boundary": source(transaction_boundary="interval"),
    "transaction.boundary upper": source(transaction_boundary="POLL"),
    "transaction.boundary connector": source(transaction_boundary="connector"),
    "transaction.boundary wrong": source(transaction_boundary="never"),
    "transaction.boundary.interval.ms": source(transaction_boundary_interval_ms="100"),
    "transaction.boundary.interval.ms negative": source(transaction_boundary_interval_ms="-1"),
    "offsets.storage.topic": source(offsets_storage_topic="o"),
    "offsets.storage.topic empty": source(offsets_storage_topic=""),
    "topic.creation.groups": source(topic_creation_groups="a,b"),
    "topic.creation.groups twice": source(topic_creation_groups="a,a"),
    "topic.creation.groups default": source(topic_creation_groups="default"),
    "topic.creation.groups empty element": source(topic_creation_groups="a,,b"),
    "topic.creation.default": source(
        topic_creation_default_partitions="1", topic_creation_default_replication_factor="1"
    ),
    "topic.creation incomplete": source(topic_creation_groups="a", topic_creation_a_include="x"),
    "several wrong": source(tasks_max="0", errors_tolerance="x", batch_size="y", topic=""),
    # Sinks
    "sink without topics": without(sink(), "topics"),
    "sink topics empty": sink(topics=""),
    "sink topics and regex": sink(topics_regex="a.*"),
    "sink topics.regex": without(sink(topics_regex="a.*"), "topics"),
    "sink topics.regex wrong": without(sink(topics_regex="a(*"), "topics"),
    "sink topics.regex unclosed class": without(sink(topics_regex="[a"), "topics"),
    "sink topics twice": sink(topics="t,t"),
    "sink topics empty element": sink(topics="t,,u"),
    "sink topics several": sink(topics="t , u,v"),
    "dlq": sink(errors_deadletterqueue_topic_name="d"),
    "dlq in topics": sink(topics="t,d", errors_deadletterqueue_topic_name="d"),
    "dlq matches regex": without(sink(topics_regex="d.*", errors_deadletterqueue_topic_name="dlq"), "topics"),
    "dlq replication": sink(errors_deadletterqueue_topic_replication_factor="1"),
    "dlq replication wrong": sink(errors_deadletterqueue_topic_replication_factor="x"),
    "dlq replication zero": sink(errors_deadletterqueue_topic_replication_factor="0"),
    "dlq replication too large": sink(errors_deadletterqueue_topic_replication_factor="40000"),
    "dlq headers": sink(errors_deadletterqueue_context_headers_enable="True"),
    "sink group overridden": sink(consumer_override_group_id="own"),
    "sink with a source's keys": sink(exactly_once_support="x"),
    # Transforms
    "transforms without type": source(transforms="a"),
    "transforms empty type": source(transforms="a", transforms_a_type=""),
    "transforms unknown type": source(transforms="a", transforms_a_type="no.Such"),
    "transforms abstract": transform("InsertField"),
    "transforms of another kind": source(transforms="a", transforms_a_type=_JSON),
    "transforms is a predicate": source(transforms="a", transforms_a_type=f"{_PREDICATES}HasHeaderKey"),
    "transforms no plugin": source(transforms="a", transforms_a_type="java.lang.String"),
    "transforms is the interface": transform("Transformation"),
    "transforms alias name": source(transforms="a", transforms_a_type="RegexRouter")
    | {"transforms.a.regex": "x", "transforms.a.replacement": "y"},
    "transforms ambiguous alias": source(transforms="a", transforms_a_type="Value"),
    "transforms twice": source(transforms="a,a", transforms_a_type=f"{_SMT}Filter"),
    "transforms empty element": source(transforms="a,", transforms_a_type=f"{_SMT}Filter"),
    "transforms empty": source(transforms=""),
    "transforms of no alias": source(transforms_b_type="no.Such"),
    "transforms with a space in the alias": source(transforms="a b") | {"transforms.a b.type": f"{_SMT}Filter"},
    "transforms with version": transform("Filter", plugin_version="4.3.1"),
    "two transforms": transform("Filter")
    | {"transforms": "a,b", "transforms.b.type": f"{_SMT}HoistField$Key", "transforms.b.field": "f"},
    "predicate and negate": transform("Filter", predicate="p", negate="true")
    | {"predicates": "p", "predicates.p.type": f"{_PREDICATES}RecordIsTombstone"},
    "negate without predicate": transform("Filter", negate="true"),
    "negate wrong": transform("Filter", negate="perhaps", predicate="p")
    | {"predicates": "p", "predicates.p.type": f"{_PREDICATES}RecordIsTombstone"},
    "undeclared predicate": transform("Filter", predicate="nope"),
    "InsertField": transform("InsertField$Value", topic_field="f", static_field="g", static_value="h"),
    "InsertField nothing": transform("InsertField$Key"),
    "InsertField wrong boolean": transform("InsertField$Value", replace_null_with_default="x"),
    "HoistField": transform("HoistField$Value", field="f"),
    "HoistField missing": transform("HoistField$Key"),
    "ReplaceField": transform("ReplaceField$Value", include="a,b", exclude="c", renames="a:b"),
    "ReplaceField twice": transform("ReplaceField$Value", include="a,a", exclude="c,c"),
    "ReplaceField bad rename": transform("ReplaceField$Value", renames="a:b:c"),
    "ReplaceField rename without colon": transform("ReplaceField$Value", renames="a"),
    "ReplaceField rename to nothing": transform("ReplaceField$Value", renames="a:"),
    "MaskField": transform("MaskField$Value", fields="a,b", replacement="x"),
    "MaskField missing": transform("MaskField$Value"),
    "MaskField empty": transform("MaskField$Value", fields=""),
    "MaskField twice": transform("MaskField$Value", fields="a,a"),
    "MaskField empty replacement": transform("MaskField$Value", fields="a", replacement=""),
    "RegexRouter": transform("RegexRouter", regex="(.*)", replacement="$1-x"),
    "RegexRouter missing replacement": transform("RegexRouter", regex="(.*)"),
    "RegexRouter empty regex": transform("RegexRouter", regex="", replacement="x"),
    "RegexRouter empty replacement": transform("RegexRouter", regex="x", replacement=""),
    "Filter": transform("Filter"),
    # Predicates
    "HasHeaderKey": predicate("HasHeaderKey", name="h"),
    "HasHeaderKey missing": predicate("HasHeaderKey"),
    "HasHeaderKey empty": predicate("HasHeaderKey", name=""),
    "TopicNameMatches": predicate("TopicNameMatches", pattern="a.*"),
    "RecordIsTombstone": predicate("RecordIsTombstone"),
    "predicates unknown": source(predicates="p", predicates_p_type="no.Such"),
    "predicates without type": source(predicates="p"),
    "predicates twice": source(predicates="p,p", predicates_p_type=f"{_PREDICATES}RecordIsTombstone"),
    "predicates is a transform": source(predicates="p", predicates_p_type=f"{_SMT}Filter"),
    # Converters
    "value converter JSON": converter("value", _JSON),
    "key converter JSON": converter("key", _JSON, schemas_enable="false"),
    "header converter JSON": converter("header", _JSON, schemas_enable="false"),
    "converter alias": converter("value", "JsonConverter", schemas_enable="false"),
    "converter short alias": converter("value", "Json"),
    "converter String": converter("value", "org.apache.kafka.connect.storage.StringConverter"),
    "converter String encoding": converter(
        "value", "org.apache.kafka.connect.storage.StringConverter", converter_encoding="UTF-16"
    ),
    "converter Integer": converter("key", "org.apache.kafka.connect.converters.IntegerConverter"),
    "converter unknown": converter("value", "no.Such"),
    "converter empty": converter("value", ""),
    "converter of another kind": converter("value", f"{_SMT}Filter"),
    "converter is only for headers": converter("value", "org.apache.kafka.connect.storage.SimpleHeaderConverter"),
    "converter is the interface": converter("value", "org.apache.kafka.connect.storage.Converter"),
    "converter wrong setting": converter("value", _JSON, schemas_enable="x", schemas_cache_size="y"),
    "converter wrong decimal format": converter("value", _JSON, decimal_format="x"),
    "converter decimal format lower": converter("value", _JSON, decimal_format="numeric"),
    "converter unknown setting": converter("value", _JSON, schema_enable="x"),
    "converter settings without class": sink(value_converter_schemas_enable="false"),
    "header converter simple": converter("header", "org.apache.kafka.connect.storage.SimpleHeaderConverter"),
    "header converter unknown": converter("header", "no.Such"),
    "both converters wrong": converter("value", "no.Such") | {"key.converter": "also.not"},
    # Client overrides
    "producer override": source(producer_override_acks="1"),
    "producer override unknown": source(producer_override_nope="1"),
    "consumer override": sink(consumer_override_max_poll_records="5"),
    "consumer override on a source": source(consumer_override_max_poll_records="5"),
    "producer override on a sink": sink(producer_override_acks="1"),
    "producer override on a sink with dlq": sink(producer_override_acks="1", errors_deadletterqueue_topic_name="d"),
    "admin override": source(admin_override_client_id="x"),
    "admin override with topic creation": source(
        admin_override_client_id="x",
        topic_creation_default_partitions="1",
        topic_creation_default_replication_factor="1",
    ),
    "admin override on a sink with dlq": sink(admin_override_client_id="1", errors_deadletterqueue_topic_name="d"),
}
