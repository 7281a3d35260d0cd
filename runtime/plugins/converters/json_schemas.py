"""Connect schemas as JSON and back: the ``schema`` half of JsonConverter's envelope (contract 7.5)."""

from collections.abc import Callable
from typing import Any, Final

from runtime.sdk import DataError, Field, Schema, SchemaType

_NAMES: Final = {
    SchemaType.BOOLEAN: "boolean",
    SchemaType.INT8: "int8",
    SchemaType.INT16: "int16",
    SchemaType.INT32: "int32",
    SchemaType.INT64: "int64",
    SchemaType.FLOAT32: "float",
    SchemaType.FLOAT64: "double",
    SchemaType.STRING: "string",
    SchemaType.BYTES: "bytes",
    SchemaType.ARRAY: "array",
    SchemaType.MAP: "map",
    SchemaType.STRUCT: "struct",
}
_TYPES: Final = {name: kind for kind, name in _NAMES.items()}

WriteDefault = Callable[[Schema, Any], Any]
ReadDefault = Callable[[Schema, Any], Any]


def schema_to_json(schema: Schema, write: WriteDefault) -> dict[str, Any]:
    """*schema* as JSON, its keys in the order Connect writes them; *write* encodes default values."""
    made: dict[str, Any] = {"type": _NAMES[schema.type]}
    match schema.type:
        case SchemaType.ARRAY:
            made["items"] = _child(schema.value_schema, write)
        case SchemaType.MAP:
            made["keys"] = _child(schema.key_schema, write)
            made["values"] = _child(schema.value_schema, write)
        case SchemaType.STRUCT:
            made["fields"] = [
                {**schema_to_json(field.schema, write), "field": name} for name, field in (schema.fields or {}).items()
            ]
        case _:
            pass
    made["optional"] = schema.optional
    if schema.name is not None:
        made["name"] = schema.name
    if schema.version is not None:
        made["version"] = schema.version
    if schema.doc is not None:
        made["doc"] = schema.doc
    if schema.parameters:
        made["parameters"] = dict(schema.parameters)
    if schema.default is not None:
        made["default"] = write(schema, schema.default)
    return made


def _child(schema: Schema | None, write: WriteDefault) -> dict[str, Any]:
    if schema is None:
        raise DataError("A schema without an element schema cannot be written as JSON")
    return schema_to_json(schema, write)


def schema_from_json(node: Any, read: ReadDefault) -> Schema | None:
    """
    The schema that *node* describes, None for null; *read* decodes default values.

    Raises DataError when it describes none.
    """
    if node is None:
        return None
    kind = node.get("type") if isinstance(node, dict) else None
    if not isinstance(kind, str):
        raise DataError("Schema must contain 'type' field")
    if kind not in _TYPES:
        raise DataError(f"Unknown schema type: {kind}")
    schema = Schema(
        type=_TYPES[kind],
        optional=node.get("optional") is True,
        name=_text(node.get("name")),
        version=_version(node.get("version")),
        doc=_text(node.get("doc")),
        parameters=_parameters(node.get("parameters")),
        **_children(kind, node, read),
    )
    if "default" not in node:
        return schema
    default = read(schema, node["default"])
    return schema if default is None else schema.but(default=default)


def _children(kind: str, node: dict[str, Any], read: ReadDefault) -> dict[str, Any]:
    match kind:
        case "array":
            return {"value_schema": _required(node, "items", "Array schema did not specify the element type", read)}
        case "map":
            return {
                "key_schema": _required(node, "keys", "Map schema did not specify the key type", read),
                "value_schema": _required(node, "values", "Map schema did not specify the value type", read),
            }
        case "struct":
            return {"fields": _fields(node.get("fields"), read)}
        case _:
            return {}


def _required(node: dict[str, Any], key: str, complaint: str, read: ReadDefault) -> Schema:
    schema = schema_from_json(node.get(key), read)
    if schema is None:
        raise DataError(complaint)
    return schema


def _fields(nodes: Any, read: ReadDefault) -> dict[str, Field]:
    if not isinstance(nodes, list):
        raise DataError('Struct schema\'s "fields" argument is not an array.')
    fields: dict[str, Field] = {}
    for node in nodes:
        name = node.get("field") if isinstance(node, dict) else None
        if not isinstance(name, str):
            raise DataError("Struct schema's field name not specified properly")
        if not name:
            raise DataError("fieldName cannot be null or empty.")
        if name in fields:
            raise DataError(f"Cannot create field because of field name duplication {name}")
        schema = schema_from_json(node, read)
        assert schema is not None
        fields[name] = Field(name, len(fields), schema)
    return fields


def _text(node: Any) -> str | None:
    return node if isinstance(node, str) else None


def _version(node: Any) -> int | None:
    return node if isinstance(node, int) and not isinstance(node, bool) else None


def _parameters(node: Any) -> dict[str, str] | None:
    if not isinstance(node, dict) or not node:
        return None
    if not all(isinstance(value, str) for value in node.values()):
        raise DataError("Schema parameters must have string values.")
    return node
