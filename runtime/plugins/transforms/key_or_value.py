"""
What transforms of a record's key or value share (contract 7.0).

A transform comes as ``Key`` and ``Value``, one class each, over a base that is abstract. It says how it changes one
value (:meth:`KeyOrValue.change`) and, for speed, many values of one schema (:meth:`KeyOrValue.change_all`); sorting a
batch into groups of one schema, and leaving null alone, is done here.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, NamedTuple

from runtime.data.batch import compact, each
from runtime.sdk import Constant, DataError, Field, Importance, Key, Record, RecordBatch, Schema, SchemaType

from runtime.sdk import Transformation, Type  # isort: skip

REPLACE_NULL: Final = Key(
    "replace.null.with.default",
    Type.BOOLEAN,
    default=True,
    importance=Importance.MEDIUM,
    doc="Take a field's default where its value is null; false leaves null as it is.",
)


class Changed(NamedTuple):
    """A value, or several of one schema, with what is now their schema."""

    schema: Schema | None
    value: Any


@dataclass(frozen=True, slots=True)
class Part:
    """Which half of a record is meant."""

    value: str
    schema: str


KEY: Final = Part("key", "key_schema")
VALUE: Final = Part("value", "value_schema")


class KeyOrValue(Transformation):
    """A transform of the key or the value."""

    null_passes: ClassVar[bool] = True
    """Whether null is left as it is, rather than given to :meth:`change`."""

    @property
    @abstractmethod
    def part(self) -> Part:
        """Key or value: what the variants are for."""

    @abstractmethod
    def change(self, record: Record, schema: Schema | None, value: Any) -> Changed:
        """The changed value of *record*. Raises DataError."""

    def change_all(self, batch: RecordBatch, schema: Schema | None, values: Sequence[Any]) -> Changed:
        """
        The changed values of *batch*, which all have *schema* and none of which is null.

        May raise anything for values that are not what they should be: :meth:`change` is then asked for each.
        """
        raise TypeError("has no batch form")

    def apply(self, record: Record) -> Record | None:
        """The record with its key or value changed."""
        part = self.part
        value = getattr(record, part.value)
        if value is None and self.null_passes:
            return record
        made = self.change(record, getattr(record, part.schema), value)
        return record.but(**{part.schema: made.schema, part.value: made.value})

    def apply_batch(self, batch: RecordBatch) -> tuple[RecordBatch, list[int] | None]:
        """The batch with its keys or values changed, one schema at a time."""
        part = self.part
        schemas, values = getattr(batch, part.schema), getattr(batch, part.value)
        if isinstance(values, Constant):
            if values.value is None and self.null_passes:
                return batch, None
            values = [values.value] * batch.count
        if isinstance(schemas, Constant) and not [1 for value in values if value is None]:
            made = self._change_all(batch, schemas.value, values)
            return batch.but(**{part.schema: made.schema, part.value: made.value}), None
        return self._by_groups(batch, schemas, values), None

    def _by_groups(self, batch: RecordBatch, schemas: Any, values: Sequence[Any]) -> RecordBatch:
        groups: dict[tuple[int, bool], list[int]] = {}
        all_schemas = list(schemas) if not isinstance(schemas, Constant) else [schemas.value] * batch.count
        for index, (schema, value) in enumerate(zip(all_schemas, values, strict=True)):
            groups.setdefault((id(schema), value is None), []).append(index)
        new_schemas, new_values = list(all_schemas), list(values)
        for (_, null), indices in groups.items():
            if null and self.null_passes:
                continue
            schema = all_schemas[indices[0]]
            some = batch.take(indices)
            made = (self._one_by_one if null else self._change_all)(some, schema, [values[i] for i in indices])
            for index, new_schema, new_value in zip(indices, each(made.schema), each(made.value), strict=False):
                new_schemas[index], new_values[index] = new_schema, new_value
        return batch.but(**{self.part.schema: compact(new_schemas), self.part.value: new_values})

    def _change_all(self, batch: RecordBatch, schema: Schema | None, values: Sequence[Any]) -> Any:
        try:
            made = self.change_all(batch, schema, values)
        except (TypeError, KeyError, ValueError, ArithmeticError, AttributeError, DataError):
            # Something among them is odd; one by one, the others get through and it gets its own complaint.
            return self._one_by_one(batch, schema, values)
        return _Columns(Constant(made.schema), made.value)

    def _one_by_one(self, batch: RecordBatch, schema: Schema | None, values: Sequence[Any]) -> Any:
        made = [self.change(record, schema, value) for record, value in zip(batch.rows(), values, strict=True)]
        return _Columns(compact([one.schema for one in made]), [one.value for one in made])


class _Columns(NamedTuple):
    schema: Any
    value: Any


class OfKey(KeyOrValue):
    """The variant for keys."""

    @property
    def part(self) -> Part:
        """The key."""
        return KEY


class OfValue(KeyOrValue):
    """The variant for values."""

    @property
    def part(self) -> Part:
        """The value."""
        return VALUE


def require_map(value: Any, purpose: str) -> dict[Any, Any]:
    """*value*, which has no schema and must be a map. Raises DataError."""
    if not isinstance(value, dict):
        raise DataError(f"Only Map objects supported in absence of schema for [{purpose}], found: {_class(value)}")
    return value


def require_struct(schema: Schema, value: Any, purpose: str) -> dict[str, Any]:
    """*value*, which must be a struct. Raises DataError."""
    if schema.type is not SchemaType.STRUCT or not isinstance(value, dict):
        raise DataError(f"Only Struct objects supported for [{purpose}], found: {_class(value)}")
    return value


def _class(value: Any) -> str:
    return "null" if value is None else f"{type(value).__module__}.{type(value).__qualname__}"


def fields_of(schema: Schema) -> dict[str, Field]:
    """A struct's fields. Raises TypeError for anything else, for batch forms."""
    if schema.type is not SchemaType.STRUCT or schema.fields is None:
        raise TypeError("not a struct")
    return dict(schema.fields)


def rebuilt(schema: Schema, fields: dict[str, Schema]) -> Schema:
    """A struct of *fields* with the name, version, doc and parameters of *schema*, which it takes the place of."""
    return Schema(
        type=SchemaType.STRUCT,
        name=schema.name,
        version=schema.version,
        doc=schema.doc,
        parameters=schema.parameters,
        fields={name: Field(name, index, field) for index, (name, field) in enumerate(fields.items())},
    )


def read_field(field: Field, value: dict[str, Any], *, defaults: bool) -> Any:
    """A struct's field, with its default in place of null where that is wanted."""
    found = value.get(field.name)
    return field.schema.default if found is None and defaults else found


def has_defaults(schema: Schema) -> bool:
    """Whether any field of a struct has a default, so that null may mean something else."""
    return any(field.schema.default is not None for field in (schema.fields or {}).values())
