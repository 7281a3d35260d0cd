"""HoistField: a key or value as the one field of a struct or map (contract 7.1)."""

from collections.abc import Mapping, Sequence
from typing import Any

from runtime.plugins.transforms.key_or_value import Changed, KeyOrValue, OfKey, OfValue
from runtime.plugins.version import VERSION
from runtime.sdk import ConfigDef, Importance, Once, Record, RecordBatch, Schema, Type, struct
from runtime.sdk import Key as ConfigKey


class HoistField(KeyOrValue):
    """Wraps what it finds, null included."""

    version = VERSION
    null_passes = False
    config_def = ConfigDef(
        ConfigKey("field", Type.STRING, importance=Importance.MEDIUM, doc="Name of the one field that is made.")
    )

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the field's name."""
        self._field: str = self.config_def.parse(config)["field"]
        self._wrapped: Once[Schema, Schema] = Once(lambda schema: struct({self._field: schema}))

    def change(self, record: Record, schema: Schema | None, value: Any) -> Changed:
        """The value, wrapped."""
        if schema is None:
            return Changed(None, {self._field: value})
        if value is None:
            schema.validate(None, self._field)
        return Changed(self._wrapped(schema), {self._field: value})

    def change_all(self, batch: RecordBatch, schema: Schema | None, values: Sequence[Any]) -> Changed:
        """One dict per value."""
        field = self._field
        return Changed(None if schema is None else self._wrapped(schema), [{field: value} for value in values])


class Key(OfKey, HoistField):
    """HoistField for keys."""


class Value(OfValue, HoistField):
    """HoistField for values."""
