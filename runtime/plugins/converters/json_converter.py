"""
JSON with and without schemas, byte for byte as Connect writes it (contract 7.5).

What makes it fast: the schema half of the envelope is encoded once per schema and put in front of each payload;
when reading, the same bytes in front of a record mean the same schema, and only the payload is parsed. Payloads
that orjson can take or give as they are (:mod:`json_writing`, :mod:`json_reading`) cost one call each.

Where we differ from Connect on purpose:

- ``"NaN"``, ``"Infinity"`` and ``"-Infinity"`` are read back as the numbers they were written from; Connect reads 0.0.
- Whole numbers beyond 64 bits in data without schema are read as the nearest float; Connect lets them wrap around.
- Dates outside the years 1 to 9999 are refused, because Python's own types end there.
- Binary data are UTF-8; Connect's library would also detect UTF-16 and UTF-32.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson

from runtime.data.batch import compact, each
from runtime.plugins.converters.json_reading import (
    NeedsExactNumbers,
    Reader,
    free,
    parse,
    parse_exactly,
    parse_free,
    reader_for,
)
from runtime.plugins.converters.json_schemas import schema_from_json, schema_to_json
from runtime.plugins.converters.json_writing import (
    DecimalFormat,
    Rules,
    Writer,
    finished,
    write_free,
    writer_for,
)
from runtime.plugins.converters.settings import COMMON
from runtime.plugins.version import VERSION
from runtime.sdk import (
    Column,
    ConfigDef,
    ConfigError,
    Constant,
    Converter,
    DataError,
    Header,
    HeaderConverter,
    Importance,
    Key,
    Once,
    Schema,
    Type,
    Width,
    one_of,
)

_SCHEMAS: Final = "Schemas"
_SERIALIZATION: Final = "Serialization"

# Plain Python only: dates have formats of their own, and subclasses may not be what they look like.
_OPTIONS: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS
_PAYLOAD_KEY: Final = b',"payload":'
_SCHEMA_KEY: Final = b'{"schema":'
_LONGEST_SEARCH: Final = 16
"""How many occurrences of the payload key to try as the end of a schema."""
_REMEMBERED_PREFIXES: Final = 16


class JsonConverter(Converter, HeaderConverter):
    """JSON, with the schema beside each value or without."""

    version = VERSION
    config_def = COMMON + ConfigDef(
        Key(
            "schemas.enable",
            Type.BOOLEAN,
            default=True,
            importance=Importance.HIGH,
            doc="Write each value in an envelope together with its schema, and expect such envelopes when reading.",
            group=_SCHEMAS,
            order=0,
            width=Width.MEDIUM,
            display_name="Enable Schemas",
        ),
        Key(
            "schemas.cache.size",
            Type.INT,
            default=1000,
            importance=Importance.HIGH,
            doc="How many schemas to remember in each direction, so that each is translated once.",
            group=_SCHEMAS,
            order=1,
            width=Width.MEDIUM,
            display_name="Schema Cache Size",
        ),
        Key(
            "schema.content",
            Type.STRING,
            default=None,
            importance=Importance.HIGH,
            doc="A schema as JSON that all values read have, in place of one in each value. Only with schemas.enable.",
            group=_SCHEMAS,
            order=2,
            width=Width.MEDIUM,
            display_name="Schema Content",
        ),
        Key(
            "decimal.format",
            Type.STRING,
            default="BASE64",
            validator=one_of("NUMERIC", "BASE64", ignore_case=True),
            importance=Importance.LOW,
            doc="Write decimals as base64 of their digits (BASE64) or as JSON numbers (NUMERIC). Both are always read.",
            group=_SERIALIZATION,
            order=0,
            width=Width.MEDIUM,
            display_name="Decimal Format",
        ),
        Key(
            "replace.null.with.default",
            Type.BOOLEAN,
            default=True,
            importance=Importance.LOW,
            doc="Write and read the schema's default in place of null.",
            group=_SERIALIZATION,
            order=1,
            width=Width.MEDIUM,
            display_name="Replace null with default",
        ),
    )

    def __init__(self) -> None:
        self._take(enabled=True, size=1000, fixed=None, rules=Rules())

    def configure(self, config: Mapping[str, Any], *, is_key: bool = False) -> None:
        """Take the settings."""
        given = {"converter.type": "key" if is_key else "value", **config}
        parsed = self.config_def.parse(given)
        rules = Rules(
            decimals=DecimalFormat[str(parsed["decimal.format"]).upper()],
            defaults=parsed["replace.null.with.default"],
        )
        self._take(
            enabled=parsed["schemas.enable"],
            size=max(1, parsed["schemas.cache.size"]),
            fixed=parsed["schema.content"],
            rules=rules,
        )

    def _take(self, *, enabled: bool, size: int, fixed: str | None, rules: Rules) -> None:
        self._enabled = enabled
        self._rules = rules
        self._writers: Once[Schema, tuple[Writer, bytes]] = Once(self._writer, size)
        self._readers: Once[Schema, Reader] = Once(lambda schema: reader_for(schema, defaults=rules.defaults), size)
        self._schemas: Once[bytes, Schema | None] = Once(self._schema, size)
        self._prefixes: list[tuple[bytes, Schema]] = []
        self._fixed: Schema | None = None
        if enabled and fixed:
            try:
                self._fixed = schema_from_json(parse_exactly(fixed.encode()), self._read_default)
            except DataError as err:
                raise ConfigError("schema.content", fixed, f"not a schema: {err}") from err

    # Writing

    def from_connect(self, topic: str, schema: Schema | None, value: Any) -> bytes | str | None:
        """The value as JSON."""
        if schema is None:
            if value is None:
                return None
            payload = _dumps(_node(value))
            return b'{"schema":null,"payload":' + payload + b"}" if self._enabled else payload
        writer, prefix = self._writers(schema)
        payload = _dumps(writer.write(value))
        return prefix + payload + b"}" if self._enabled else payload

    def from_connect_batch(
        self, count: int, topics: Column[str], schemas: Column[Schema | None], values: Column[Any]
    ) -> Column[bytes | str | None]:
        """Values of one schema in one go; a column of several record by record."""
        if not isinstance(schemas, Constant):
            convert = self.from_connect
            rows = zip(range(count), schemas, each(values), strict=False)
            return [convert("", schema, value) for _, schema, value in rows]
        schema = schemas.value
        if isinstance(values, Constant):
            return Constant(self.from_connect("", schema, values.value))
        if schema is None:
            return self._free_batch(values)
        writer, prefix = self._writers(schema)
        unready = writer.unready(values) if writer.unready is not None else range(count)
        nodes: Sequence[Any] = values
        if len(unready) == count:
            write = writer.write
            nodes = [write(value) for value in values]
        elif unready or writer.special:
            nodes = _mixed(values, unready, writer.write, writer.special)
        return self._join(nodes, prefix) if self._enabled else _dump_all(nodes)

    def _free_batch(self, values: Sequence[Any]) -> list[bytes | str | None]:
        nodes = [_node(value) for value in values]
        written = self._join(nodes, b'{"schema":null,"payload":') if self._enabled else _dump_all(nodes)
        return [None if value is None else out for value, out in zip(values, written, strict=True)]

    def _join(self, nodes: Sequence[Any], prefix: bytes) -> list[bytes | str | None]:
        return [prefix + payload + b"}" for payload in _dump_all(nodes)]

    def _writer(self, schema: Schema) -> tuple[Writer, bytes]:
        described = schema_to_json(schema, self._write_default)
        return writer_for(schema, self._rules), _SCHEMA_KEY + _dumps(described) + _PAYLOAD_KEY

    def _write_default(self, schema: Schema, default: Any) -> Any:
        return writer_for(schema, self._rules).write(default)

    # Reading

    def to_connect(self, topic: str, data: bytes | None) -> tuple[Schema | None, Any]:
        """The schema and value that the JSON holds."""
        if data is None:
            return None, None
        if not self._enabled:
            return None, parse_free(data)
        node, exact = parse(data)
        try:
            return self._open(node, exact=exact)
        except NeedsExactNumbers:
            return self._open(parse_exactly(data), exact=True)

    def _open(self, node: Any, *, exact: bool) -> tuple[Schema | None, Any]:
        if self._fixed is not None:
            return self._fixed, self._readers(self._fixed).read(node)
        if not isinstance(node, dict) or node.keys() != {"schema", "payload"}:
            raise DataError(
                'JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain '
                "additional fields. If you are trying to deserialize plain JSON data, set schemas.enable=false in "
                "your converter configuration."
            )
        described = node["schema"]
        schema = self._described(described, exact=exact)
        payload = node["payload"]
        return schema, free(payload) if schema is None else self._readers(schema).read(payload)

    def _described(self, node: Any, *, exact: bool) -> Schema | None:
        """The schema that *node* describes; the same object for the same description."""
        if node is None:
            return None
        try:
            canonical = _canonical(node, exact=exact)
        except orjson.JSONEncodeError:  # a default that only Python can hold
            return schema_from_json(node, self._read_default)
        return self._schemas(canonical)

    def to_connect_batch(
        self, count: int, topics: Column[str], data: Column[bytes | None]
    ) -> tuple[Column[Schema | None], Column[Any]]:
        """Values behind a schema that was seen before cost the parsing of their payload."""
        if isinstance(data, Constant):
            schema, value = self.to_connect("", data.value)
            return Constant(schema), Constant(value)
        if not self._enabled:
            return Constant(None), _load_all(data)
        if self._fixed is not None:
            return self._payloads(self._fixed, data, data, count)
        for prefix, schema in self._prefixes:
            if _all_enclosed(data, prefix):
                size = len(prefix)
                return self._payloads(schema, data, [item[size:-1] if item else b"" for item in data], count)
        return self._one_by_one(data)

    def _payloads(
        self, schema: Schema, data: Sequence[bytes | None], payloads: Sequence[bytes | None], count: int
    ) -> tuple[Column[Schema | None], Column[Any]]:
        """Values of one schema, from payloads that are yet to be parsed."""
        reader = self._readers(schema)
        try:
            try:
                nodes: list[Any] = [orjson.loads(payload) for payload in payloads]  # type: ignore[arg-type]
                return Constant(schema), _read_all(reader, nodes)
            except NeedsExactNumbers:
                # Decimals written as numbers. Strictly: what stands behind a payload belongs to the envelope.
                nodes = [parse_exactly(payload, strict=True) for payload in payloads]  # type: ignore[arg-type]
                return Constant(schema), _read_all(reader, nodes)
        except (ValueError, TypeError, DataError):  # broken, or null: the general way says which
            return self._one_by_one(data)

    def _one_by_one(self, data: Sequence[bytes | None]) -> tuple[Column[Schema | None], Column[Any]]:
        schemas: list[Schema | None] = []
        values: list[Any] = []
        for item in data:
            schema, value = self._through_prefix(item)
            schemas.append(schema)
            values.append(value)
        return compact(schemas), values

    def _through_prefix(self, data: bytes | None) -> tuple[Schema | None, Any]:
        """One record, by a prefix that is known or can be learnt from it, else the general way."""
        if data is None or self._fixed is not None:
            return self.to_connect("", data)
        if data.endswith(b"}"):
            for prefix, schema in self._prefixes:
                if data.startswith(prefix):
                    payload = data[len(prefix) : -1]
                    read = self._readers(schema).read
                    try:
                        try:
                            return schema, read(orjson.loads(payload))
                        except NeedsExactNumbers:
                            return schema, read(parse_exactly(payload, strict=True))
                    except (ValueError, DataError):
                        return self.to_connect("", data)
        schema, value = self.to_connect("", data)  # type: ignore[assignment]
        if schema is not None:
            self._learn(data, schema)
        return schema, value

    def _learn(self, data: bytes, schema: Schema) -> None:
        """Remember what stands in front of the payload of *data*, when the schema stands first."""
        if not data.startswith(_SCHEMA_KEY):
            return
        end = len(_SCHEMA_KEY)
        for _ in range(_LONGEST_SEARCH):
            end = data.find(_PAYLOAD_KEY, end)
            if end < 0:
                return
            # Inside the schema the same bytes may be a key of a default or a parameter; only the whole parses.
            try:
                orjson.loads(data[len(_SCHEMA_KEY) : end])
            except orjson.JSONDecodeError:
                end += 1
                continue
            self._prefixes.insert(0, (data[: end + len(_PAYLOAD_KEY)], schema))
            del self._prefixes[_REMEMBERED_PREFIXES:]
            return

    def _schema(self, canonical: bytes) -> Schema | None:
        exact = canonical.startswith(_EXACT)
        node = parse_exactly(canonical[len(_EXACT) :]) if exact else orjson.loads(canonical)
        return schema_from_json(node, self._read_default)

    def _read_default(self, schema: Schema, node: Any) -> Any:
        return reader_for(schema, defaults=self._rules.defaults).read(node)

    # Headers

    def from_connect_header(self, topic: str, header: Header) -> bytes | None:
        """The header's value as JSON."""
        made = self.from_connect(topic, header.schema, header.value)
        return made.encode() if isinstance(made, str) else made

    def to_connect_header(self, topic: str, key: str, data: bytes | None) -> Header:
        """The value and schema that the JSON holds."""
        schema, value = self.to_connect(topic, data)
        return Header(key, value, schema)


_EXACT: Final = b"exactly "


def _canonical(described: Any, *, exact: bool) -> bytes:
    """A schema's JSON as a key to remember it by; exact numbers, which only defaults hold, keep their digits."""
    return _EXACT + orjson.dumps(described, default=_exact_number) if exact else orjson.dumps(described)


def _exact_number(value: Any) -> Any:
    return orjson.Fragment(str(value).encode())


def _read_all(reader: Reader, nodes: list[Any]) -> list[Any]:
    unready = reader.unready(nodes) if reader.unready is not None else range(len(nodes))
    read = reader.read
    if len(unready) == len(nodes):
        return [read(node) for node in nodes]
    return _mixed(nodes, unready, read, reader.special) if unready or reader.special else nodes


def _node(value: Any) -> Any:
    try:
        return write_free(value)
    except RecursionError as err:
        raise DataError("Converting Kafka Connect data to byte[] failed: nested too deeply") from err


def _mixed(
    column: Sequence[Any],
    unready: Sequence[int],
    change: Callable[[Any], Any],
    special: Sequence[tuple[str, Callable[[Any], Any]]],
) -> list[Any]:
    """*column* with *change* applied to some, and to the special fields of the others."""
    if not unready:
        return finished(column, special)
    odd = frozenset(unready)
    ready = iter(finished([value for index, value in enumerate(column) if index not in odd], special))
    return [change(value) if index in odd else next(ready) for index, value in enumerate(column)]


def _all_enclosed(data: Sequence[bytes | None], prefix: bytes) -> bool:
    # A list, not a generator: half the time per record.
    strange = [1 for item in data if item is None or not item.startswith(prefix) or item[-1] != _CLOSING]
    return not strange


_CLOSING: Final = ord("}")


# What orjson spells differently from Connect's JSON library: control characters with lower-case digits, and
# characters beyond the basic plane as they are.
_SPELT_DIFFERENTLY: Final = re.compile(rb"\\u00[0-9a-f]{2}|\\.|[\xf0-\xf4][\x80-\xbf]{3}", re.DOTALL)


def _respelt(match: "re.Match[bytes]") -> bytes:
    found = match.group()
    if found[0] >= 0xF0:
        pair = found.decode().encode("utf-16-be")
        return b"\\u%02X%02X\\u%02X%02X" % tuple(pair)
    return b"\\u" + found[2:].upper() if found[1:2] == b"u" else found


def _spelt(written: bytes) -> bytes:
    if written.isascii() and b"\\u" not in written:
        return written
    return _SPELT_DIFFERENTLY.sub(_respelt, written)


def _dumps(node: Any) -> bytes:
    try:
        return _spelt(orjson.dumps(node, option=_OPTIONS))
    except orjson.JSONEncodeError as err:
        raise DataError(f"Converting Kafka Connect data to byte[] failed due to serialization error: {err}") from err


def _dump_all(nodes: Sequence[Any]) -> list[Any]:
    dumps: Callable[..., bytes] = orjson.dumps
    try:
        written = [dumps(node, None, _OPTIONS) for node in nodes]
    except orjson.JSONEncodeError as err:
        raise DataError(f"Converting Kafka Connect data to byte[] failed due to serialization error: {err}") from err
    # One look at all of them together is cheaper than one at each.
    together = b"".join(written)
    if together.isascii() and b"\\u" not in together:
        return written
    return [_spelt(one) for one in written]


def _load_all(data: Sequence[bytes | None]) -> list[Any]:
    loads = orjson.loads
    try:
        return [None if item is None else loads(item) for item in data]
    except orjson.JSONDecodeError:
        return [None if item is None else parse_free(item) for item in data]
