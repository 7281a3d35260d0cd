"""Apache Kafka Connect's own converters and transforms, asked one question at a time."""

import base64
import datetime as dt
import json
import subprocess
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from runtime.data import Header, Headers, Record, Schema, SchemaType, SinkRecord, SourceRecord
from runtime.data.text import double_text
from runtime.foundation import children

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_KINDS = {
    SchemaType.INT8: "i8",
    SchemaType.INT16: "i16",
    SchemaType.INT32: "i32",
    SchemaType.INT64: "i64",
}


class Refused(Exception):
    """Connect raised an exception; *kind* is its class."""

    def __init__(self, kind: str, message: str | None) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message


class Oracle:
    """A JVM that answers ``Oracle.java``'s questions; close it."""

    def __init__(self, libs: Path) -> None:
        source = Path(__file__).with_name("Oracle.java")
        self._process = children.spawn(
            ["java", "-XX:TieredStopAtLevel=1", "-Duser.timezone=UTC", "-cp", str(libs / "*"), str(source)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        children.end(self._process, patience=5)

    def ask(self, do: str, plugin: str, config: Mapping[str, str], **question: Any) -> Any:
        """Connect's answer. Raises Refused."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = json.dumps({"do": do, "class": plugin, "config": dict(config), **question})
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()
        reply = self._process.stdout.readline()
        if not reply:
            raise RuntimeError("the oracle has died")
        answer = json.loads(reply)
        if "error" in answer:
            raise Refused(answer["error"], answer["message"])
        return answer["ok"]


def schema_form(schema: Schema | None) -> Any:
    """A schema as the oracle writes and reads it."""
    if schema is None:
        return None
    made: dict[str, Any] = {"type": schema.type.value}
    if schema.optional:
        made["optional"] = True
    for part in ("name", "version", "doc"):
        if getattr(schema, part) is not None:
            made[part] = getattr(schema, part)
    if schema.parameters:
        made["parameters"] = dict(sorted(schema.parameters.items()))
    if schema.default is not None:
        made["default"] = value_form(schema, schema.default)
    if schema.type is SchemaType.STRUCT:
        made["fields"] = [[name, schema_form(field.schema)] for name, field in (schema.fields or {}).items()]
    if schema.type is SchemaType.MAP:
        made["keys"] = schema_form(schema.key_schema)
    if schema.type in (SchemaType.MAP, SchemaType.ARRAY):
        made["values"] = schema_form(schema.value_schema)
    return made


def value_form(schema: Schema | None, value: Any) -> Any:
    """A value as the oracle writes and reads it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return ["bool", value]
    if isinstance(value, int):
        return [_KINDS[schema.type] if schema is not None else "i64", str(value)]
    if isinstance(value, float):
        single = schema is not None and schema.type is SchemaType.FLOAT32
        return ["f32" if single else "f64", double_text(value, single=single)]
    if isinstance(value, str):
        return ["text", value]
    if isinstance(value, bytes):
        return ["bytes", base64.b64encode(value).decode()]
    if isinstance(value, Decimal):
        return ["decimal", str(value)]
    if isinstance(value, dt.datetime):
        return ["date", str((value - _EPOCH) // dt.timedelta(milliseconds=1))]
    if isinstance(value, dt.date):
        return ["date", str((value - _EPOCH.date()).days * 86_400_000)]
    if isinstance(value, dt.time):
        since = dt.timedelta(hours=value.hour, minutes=value.minute, seconds=value.second)
        return ["date", str(since // dt.timedelta(milliseconds=1) + value.microsecond // 1000)]
    if isinstance(value, list):
        return ["list", [value_form(schema.value_schema if schema else None, item) for item in value]]
    assert isinstance(value, dict)
    if schema is not None and schema.type is SchemaType.STRUCT:
        fields = schema.fields or {}
        return ["struct", [[name, value_form(field.schema, value.get(name))] for name, field in fields.items()]]
    keys, values = (schema.key_schema, schema.value_schema) if schema is not None else (None, None)
    pairs = [[value_form(keys, key), value_form(values, item)] for key, item in value.items()]
    return ["map", sorted(pairs, key=lambda pair: json.dumps(pair[0], separators=(",", ":"), ensure_ascii=False))]


def record_form(record: Record) -> dict[str, Any]:
    """A record as the oracle writes and reads it."""
    made: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "keySchema": schema_form(record.key_schema),
        "key": value_form(record.key_schema, record.key),
        "valueSchema": schema_form(record.value_schema),
        "value": value_form(record.value_schema, record.value),
        "timestamp": record.timestamp,
        "headers": [_header_form(header) for header in record.headers],
    }
    if isinstance(record, SinkRecord):
        made["offset"] = record.offset
    return made


def _header_form(header: Header) -> dict[str, Any]:
    return {
        "key": header.key,
        "schema": schema_form(header.schema),
        "value": value_form(header.schema, header.value),
    }


__all__ = [
    "Headers",
    "Oracle",
    "Refused",
    "SourceRecord",
    "record_form",
    "schema_form",
    "value_form",
]
