"""HasHeaderKey: records with a certain header (contract 7.3)."""

from collections.abc import Mapping
from typing import Any

from runtime.data.batch import mapped_once
from runtime.plugins.version import VERSION
from runtime.sdk import (
    Column,
    ConfigDef,
    Headers,
    Importance,
    Key,
    Predicate,
    Record,
    RecordBatch,
    Type,
    non_empty,
)


class HasHeaderKey(Predicate):
    """True when at least one header has the name."""

    version = VERSION
    config_def = ConfigDef(
        Key("name", Type.STRING, validator=non_empty, importance=Importance.MEDIUM, doc="The header's name.")
    )

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the header's name."""
        self._name: str = self.config_def.parse(config)["name"]

    def test(self, record: Record) -> bool:
        """Whether *record* has the header."""
        return self._has(record.headers)

    def test_batch(self, batch: RecordBatch) -> Column[bool]:
        """One look per distinct set of headers."""
        return mapped_once(batch.headers, self._has)

    def _has(self, headers: Headers) -> bool:
        return headers.last(self._name) is not None
