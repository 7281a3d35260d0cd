"""InsertField: what is known about a record, or a text, as further fields of its key or value (contract 7.1)."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from runtime.plugins.transforms.key_or_value import (
    REPLACE_NULL,
    Changed,
    KeyOrValue,
    OfKey,
    OfValue,
    fields_of,
    has_defaults,
    read_field,
    rebuilt,
    require_map,
    require_struct,
)
from runtime.plugins.version import VERSION
from runtime.sdk import (
    INT32,
    INT64,
    STRING,
    TIMESTAMP,
    Column,
    ConfigDef,
    ConfigError,
    Constant,
    DataError,
    Importance,
    Once,
    Record,
    RecordBatch,
    Schema,
    SinkRecord,
    Type,
)
from runtime.sdk import (
    Key as ConfigKey,
)

_PURPOSE: Final = "field insertion"
_KINDS: Final = (
    ("topic", STRING),
    ("partition", INT32),
    ("offset", INT64),
    ("timestamp", TIMESTAMP),
    ("static", STRING),
)
"""In the order in which the fields are added."""
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NO_SINK: Final = f"Only SinkRecord supported for [{_PURPOSE}], found: {SinkRecord.__module__}.SourceRecord"


def _key(name: str, doc: str) -> ConfigKey:
    return ConfigKey(name, Type.STRING, default=None, importance=Importance.MEDIUM, doc=doc)


class _Spec(NamedTuple):
    """A field to insert: its name, its schema, where its value comes from."""

    name: str
    schema: Schema
    source: str


class InsertField(KeyOrValue):
    """Adds topic, partition, offset, timestamp or a fixed text as fields. Null passes."""

    version = VERSION
    config_def = ConfigDef(
        _key("topic.field", "Name of a field for the topic; end it in ! to make it required, ? for optional."),
        _key("partition.field", "Name of a field for the Kafka partition; may end in ! or ?."),
        _key("offset.field", "Name of a field for the Kafka offset; sinks only; may end in ! or ?."),
        _key("timestamp.field", "Name of a field for the record's timestamp; may end in ! or ?."),
        _key("static.field", "Name of a field for a fixed text; may end in ! or ?."),
        _key("static.value", "The fixed text."),
        REPLACE_NULL,
    )

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the settings."""
        parsed = self.config_def.parse(config)
        self._static: str | None = parsed["static.value"]
        self._defaults: bool = parsed["replace.null.with.default"]
        self._specs = [
            _spec(parsed[f"{source}.field"], schema, source)
            for source, schema in _KINDS
            if parsed[f"{source}.field"] is not None
        ]
        if not self._specs:
            raise ConfigError("", message="No field insertion configured")
        if parsed["static.field"] is not None and self._static is None:
            raise ConfigError("static.value", None, f"No value specified for static field: {parsed['static.field']}")
        self._rewritten: Once[Schema, Schema] = Once(self._rewrite)

    def _rewrite(self, schema: Schema) -> Schema:
        fields = {name: field.schema for name, field in fields_of(schema).items()}
        for spec in self._specs:
            if spec.name in fields:
                raise DataError(f"Cannot create field because of field name duplication {spec.name}")
            fields[spec.name] = spec.schema
        return rebuilt(schema, fields)

    def change(self, record: Record, schema: Schema | None, value: Any) -> Changed:
        """The value and the further fields."""
        if schema is None:
            free = dict(require_map(value, _PURPOSE))
            for spec in self._specs:
                found = self._known(record, spec)
                if found is not None:
                    free[spec.name] = found
            return Changed(None, free)
        have = require_struct(schema, value, _PURPOSE)
        made = {name: read_field(field, have, defaults=self._defaults) for name, field in (schema.fields or {}).items()}
        for spec in self._specs:
            found = self._known(record, spec)
            made[spec.name] = _moment(found) if spec.source == "timestamp" and found is not None else found
        return Changed(self._rewritten(schema), made)

    def _known(self, record: Record, spec: _Spec) -> Any:
        match spec.source:
            case "static":
                return self._static
            case "offset":
                if not isinstance(record, SinkRecord):
                    raise DataError(_NO_SINK)
                return record.offset
            case source:
                return getattr(record, source)

    def change_all(self, batch: RecordBatch, schema: Schema | None, values: Sequence[Any]) -> Changed:
        """One union of dicts per value and run of fields that are the same for the whole batch."""
        if schema is not None:
            if self._defaults and has_defaults(schema):
                raise TypeError("defaults are filled in one by one")
            if [1 for value in values if len(value) != len(schema.fields or ())]:
                raise TypeError("fields are missing")
        made = values
        shared: dict[str, Any] = {}
        for spec in self._specs:
            column = self._column(batch, spec)
            if spec.source == "timestamp" and schema is not None:
                column = _moments(column)
            if isinstance(column, Constant):
                if column.value is not None or schema is not None:
                    shared[spec.name] = column.value
                continue
            if schema is None and None in column:
                raise TypeError("some have it, some do not")
            if shared:
                made, shared = [value | shared for value in made], {}
            name = spec.name
            made = [{**value, name: known} for value, known in zip(made, column, strict=True)]
        if shared:
            made = [value | shared for value in made]
        return Changed(None if schema is None else self._rewritten(schema), made)

    def _column(self, batch: RecordBatch, spec: _Spec) -> Column[Any]:
        if spec.source == "static":
            return Constant(self._static)
        if spec.source == "offset":
            if batch.offset is None:
                raise DataError(_NO_SINK)
            return batch.offset
        column: Column[Any] = getattr(batch, spec.source)
        return column


def _spec(text: str, schema: Schema, source: str) -> _Spec:
    if text.endswith("!"):
        return _Spec(text[:-1], schema, source)
    return _Spec(text.removesuffix("?"), schema.but(optional=True), source)


def _moment(timestamp: int) -> dt.datetime:
    try:
        return _EPOCH + dt.timedelta(milliseconds=timestamp)
    except OverflowError:
        raise DataError(
            f"Timestamp {timestamp} is outside the years 1 to 9999, which is all that Python knows"
        ) from None


def _moments(column: Column[int | None]) -> Column[dt.datetime | None]:
    if isinstance(column, Constant):
        return Constant(None if column.value is None else _moment(column.value))
    delta, epoch = dt.timedelta, _EPOCH
    return [None if ms is None else epoch + delta(0, 0, 0, ms) for ms in column]


class Key(OfKey, InsertField):
    """InsertField for keys."""


class Value(OfValue, InsertField):
    """InsertField for values."""
