"""ReplaceField: fields dropped, kept or renamed (contract 7.1)."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
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
    ConfigDef,
    ConfigError,
    DataError,
    Importance,
    Once,
    Record,
    RecordBatch,
    Schema,
    Type,
    list_of,
)
from runtime.sdk import (
    Key as ConfigKey,
)

_PURPOSE: Final = "field replacement"


def _renames(pairs: Sequence[str]) -> dict[str, str]:
    made: dict[str, str] = {}
    for pair in pairs:
        parts = pair.rstrip(":").split(":")  # as Java splits: nothing behind the last colon is no part
        if len(parts) != 2:
            raise ConfigError("renames", list(pairs), f"Invalid rename mapping: {pair}")
        made[parts[0]] = parts[1]
    return made


def _check_renames(name: str, value: Any) -> None:
    if value is not None:
        _renames(value)


class _Plan(NamedTuple):
    """What becomes of structs of one schema."""

    schema: Schema
    names: tuple[str, ...]
    pick: Callable[[dict[str, Any]], tuple[Any, ...]]


class ReplaceField(KeyOrValue):
    """Keeps ``include`` (all when empty) less ``exclude``, then renames. Null passes."""

    version = VERSION
    config_def = ConfigDef(
        ConfigKey(
            "exclude",
            Type.LIST,
            default=[],
            validator=list_of(null=False),
            importance=Importance.MEDIUM,
            doc="Fields to drop; stronger than include.",
        ),
        ConfigKey(
            "include",
            Type.LIST,
            default=[],
            validator=list_of(null=False),
            importance=Importance.MEDIUM,
            doc="Fields to keep; all of them when empty.",
        ),
        ConfigKey(
            "renames",
            Type.LIST,
            default=[],
            validator=_check_renames,
            importance=Importance.MEDIUM,
            doc="Fields to rename, as old:new pairs; include and exclude see the old names.",
        ),
        REPLACE_NULL,
    )

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the settings."""
        parsed = self.config_def.parse(config)
        self._exclude = frozenset(parsed["exclude"])
        self._include = frozenset(parsed["include"])
        self._renames = _renames(parsed["renames"])
        self._defaults: bool = parsed["replace.null.with.default"]
        self._plans: Once[Schema, _Plan] = Once(self._plan)

    def _keeps(self, name: Any) -> bool:
        return name not in self._exclude and (not self._include or name in self._include)

    def _plan(self, schema: Schema) -> _Plan:
        fields: dict[str, Schema] = {}
        kept: list[str] = []
        for name, field in fields_of(schema).items():
            if not self._keeps(name):
                continue
            new = self._renames.get(name, name)
            if new in fields:
                raise DataError(f"Cannot create field because of field name duplication {new}")
            fields[new] = field.schema
            kept.append(name)
        return _Plan(rebuilt(schema, fields), tuple(fields), _picker(kept))

    def change(self, record: Record, schema: Schema | None, value: Any) -> Changed:
        """The value with what is left of its fields."""
        if schema is None:
            free = require_map(value, _PURPOSE)
            return Changed(None, {self._renames.get(k, k): item for k, item in free.items() if self._keeps(k)})
        have = require_struct(schema, value, _PURPOSE)
        plan = self._plans(schema)
        fields = (field for name, field in (schema.fields or {}).items() if self._keeps(name))
        found = (read_field(field, have, defaults=self._defaults) for field in fields)
        return Changed(plan.schema, dict(zip(plan.names, found, strict=True)))

    def change_all(self, batch: RecordBatch, schema: Schema | None, values: Sequence[Any]) -> Changed:
        """One picking of fields per value, those to pick decided once per schema."""
        if schema is None:
            exclude, include, renames = self._exclude, self._include, self._renames
            if include:
                chosen = include - exclude
                return Changed(
                    None, [{renames.get(k, k): x for k, x in value.items() if k in chosen} for value in values]
                )
            if renames:
                return Changed(
                    None, [{renames.get(k, k): x for k, x in value.items() if k not in exclude} for value in values]
                )
            return Changed(None, [{k: x for k, x in value.items() if k not in exclude} for value in values])
        if self._defaults and has_defaults(schema):
            raise TypeError("defaults are filled in one by one")
        plan = self._plans(schema)
        names, pick = plan.names, plan.pick
        return Changed(plan.schema, [dict(zip(names, pick(value), strict=True)) for value in values])


def _picker(names: Sequence[str]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    if len(names) > 1:
        return itemgetter(*names)
    if names:
        (only,) = names
        return lambda value: (value[only],)
    return lambda value: ()


class Key(OfKey, ReplaceField):
    """ReplaceField for keys."""


class Value(OfValue, ReplaceField):
    """ReplaceField for values."""
