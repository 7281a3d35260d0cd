"""The worker's default converter for headers: text that is read back as what it looks like."""

from collections.abc import Mapping
from typing import Any

from runtime.plugins.converters import header_text
from runtime.plugins.version import VERSION
from runtime.sdk import BYTES, STRING, ConfigDef, Header, HeaderConverter


class SimpleHeaderConverter(HeaderConverter):
    """
    Headers as text, with the type guessed when reading (contract 7.6).

    The guess loses information where Connect's does: ``1,2`` is read as the number 1. Use StringConverter for
    headers that must come through as they are.
    """

    version = VERSION
    config_def = ConfigDef()

    def configure(self, config: Mapping[str, Any]) -> None:
        """Nothing to take."""

    def from_connect_header(self, topic: str, header: Header) -> bytes | None:
        """The header's value as text."""
        if header.value is None:
            return None
        return header_text.write(header.schema, header.value).encode("utf-8", "replace")

    def to_connect_header(self, topic: str, key: str, data: bytes | None) -> Header:
        """What the text looks like."""
        if data is None:
            return Header(key, None)
        text = bytes(data).decode("utf-8", "replace")
        if not text:
            return Header(key, "", STRING)
        try:
            found = header_text.infer(text)
        except (ValueError, ArithmeticError, RecursionError):
            return Header(key, data, BYTES)
        return Header(key, found.value, found.schema)
