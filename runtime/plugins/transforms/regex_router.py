"""RegexRouter: topics renamed by a pattern (contract 7.1). Patterns are Java's, see :mod:`runtime.sdk.patterns`."""

from collections.abc import Mapping
from typing import Any

from runtime.data.batch import mapped_once
from runtime.plugins.version import VERSION
from runtime.sdk import (
    ConfigDef,
    DataError,
    Importance,
    Key,
    Once,
    Record,
    RecordBatch,
    Transformation,
    Type,
    compile_pattern,
    compile_replacement,
    regex,
)


class RegexRouter(Transformation):
    """Where the pattern matches the whole topic, its first match is replaced; other topics stay."""

    version = VERSION
    config_def = ConfigDef(
        Key("regex", Type.STRING, validator=regex, importance=Importance.HIGH, doc="What a topic must match."),
        Key(
            "replacement",
            Type.STRING,
            importance=Importance.HIGH,
            doc="The topic to use instead; $1 or ${name} stand for groups of the pattern.",
        ),
    )

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the pattern and its replacement."""
        parsed = self.config_def.parse(config)
        self._pattern = compile_pattern(parsed["regex"])
        self._replacement: str = parsed["replacement"]
        self._routed: Once[str, str] = Once(self._route, size=1024)

    def _route(self, topic: str) -> str:
        if self._pattern.fullmatch(topic) is None:
            return topic
        try:
            expand = compile_replacement(self._replacement, self._pattern)
        except ValueError as err:  # as in Connect, a matter of the records it would apply to
            raise DataError(f"Cannot use replacement {self._replacement}: {err}") from err
        return self._pattern.sub(expand, topic, count=1)

    def apply(self, record: Record) -> Record | None:
        """The record with its topic renamed."""
        return record.but(topic=self._routed(record.topic))

    def apply_batch(self, batch: RecordBatch) -> tuple[RecordBatch, list[int] | None]:
        """Each distinct topic renamed once."""
        return batch.but(topic=mapped_once(batch.topic, self._routed)), None
