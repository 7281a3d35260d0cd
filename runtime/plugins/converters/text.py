"""Values as text."""

import codecs
from collections.abc import Mapping
from typing import Any, Final

from runtime.data.batch import each
from runtime.plugins.converters.settings import COMMON
from runtime.plugins.version import VERSION
from runtime.sdk import (
    OPTIONAL_STRING,
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
    Schema,
    Type,
    Width,
    text_of,
)

_STRING: Final[Constant[Schema | None]] = Constant(OPTIONAL_STRING)


class StringConverter(Converter, HeaderConverter):
    """
    The text form of a value, whatever its schema, in ``converter.encoding``; read as an optional string.

    Bytes that are no text in that encoding become U+FFFD when read, and characters it lacks become ``?`` when
    written, as on the JVM.
    """

    version = VERSION
    config_def = COMMON + ConfigDef(
        Key(
            "converter.encoding",
            Type.STRING,
            default="UTF-8",
            importance=Importance.HIGH,
            width=Width.MEDIUM,
            display_name="Encoding",
            doc="The character encoding between text and bytes, by its usual name (UTF-8, ISO-8859-1, UTF-16…).",
        )
    )

    def __init__(self) -> None:
        self._encoding = "utf-8"
        self._utf8 = True

    def configure(self, config: Mapping[str, Any], *, is_key: bool = False) -> None:
        """Take ``converter.encoding``."""
        given = config.get("converter.encoding", "UTF-8")
        name = str(given).strip() if given is not None else "UTF-8"
        try:
            self._encoding = codecs.lookup(name).name
        except LookupError:
            raise ConfigError("converter.encoding", name, "Unknown encoding") from None
        self._utf8 = self._encoding == "utf-8"

    def from_connect(self, topic: str, schema: Schema | None, value: Any) -> bytes | str | None:
        """The text of *value*; as ``str`` where that encodes to the same bytes."""
        if value is None:
            return None
        text = value if type(value) is str else text_of(schema, value)
        return self._encoded(text)

    def to_connect(self, topic: str, data: bytes | None) -> tuple[Schema | None, Any]:
        """An optional string."""
        return OPTIONAL_STRING, None if data is None else bytes(data).decode(self._encoding, "replace")

    def from_connect_batch(
        self, count: int, topics: Column[str], schemas: Column[Schema | None], values: Column[Any]
    ) -> Column[bytes | str | None]:
        """Strings pass as they are, to be encoded by the producer."""
        if isinstance(values, Constant) and isinstance(schemas, Constant):
            return Constant(self.from_connect("", schemas.value, values.value))
        kinds = set(map(type, each(values))) if not isinstance(values, Constant) else {type(values.value)}
        texts: list[Any]
        if not isinstance(values, Constant) and kinds <= {str, type(None)}:
            texts = values if isinstance(values, list) else list(values)
            if self._utf8 and _encodable(texts, kinds):
                return texts
        else:
            rows = zip(range(count), each(schemas), each(values), strict=False)
            texts = [None if value is None else text_of(schema, value) for _, schema, value in rows]
        encoded = self._encoded
        return [None if text is None else encoded(text) for text in texts]

    def to_connect_batch(
        self, count: int, topics: Column[str], data: Column[bytes | None]
    ) -> tuple[Column[Schema | None], Column[Any]]:
        """Optional strings."""
        if isinstance(data, Constant):
            return _STRING, Constant(self.to_connect("", data.value)[1])
        if self._utf8:
            return _STRING, [None if item is None else str(item, "utf-8", "replace") for item in data]
        encoding = self._encoding
        return _STRING, [None if item is None else str(item, encoding, "replace") for item in data]

    def from_connect_header(self, topic: str, header: Header) -> bytes | None:
        """The header's value as text."""
        made = self.from_connect(topic, header.schema, header.value)
        return made.encode() if isinstance(made, str) else made

    def to_connect_header(self, topic: str, key: str, data: bytes | None) -> Header:
        """An optional string."""
        schema, value = self.to_connect(topic, data)
        return Header(key, value, schema)

    def _encoded(self, text: str) -> bytes | str:
        if self._utf8 and text.isascii():
            return text
        try:
            return text.encode(self._encoding, "replace")
        except UnicodeError as err:
            raise DataError(f"Failed to serialize to a string: {err}") from err


def _encodable(texts: list[Any], kinds: set[type]) -> bool:
    """Whether all of *texts* are free of lone surrogates, which UTF-8 cannot carry."""
    try:
        for text in texts:
            if text is not None and not text.isascii():
                text.encode()
    except UnicodeEncodeError:
        return False
    return True
