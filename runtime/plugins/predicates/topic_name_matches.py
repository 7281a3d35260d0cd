"""TopicNameMatches: records of certain topics (contract 7.3). Patterns are Java's, see :mod:`runtime.sdk.patterns`."""

from collections.abc import Mapping
from typing import Any

from runtime.data.batch import mapped_once
from runtime.plugins.version import VERSION
from runtime.sdk import (
    Column,
    ConfigDef,
    Importance,
    Key,
    Once,
    Predicate,
    Record,
    RecordBatch,
    Type,
    compile_pattern,
    regex,
)


class TopicNameMatches(Predicate):
    """True when the pattern matches the whole topic."""

    version = VERSION
    config_def = ConfigDef(
        Key("pattern", Type.STRING, validator=regex, importance=Importance.MEDIUM, doc="What a topic must match.")
    )

    def configure(self, config: Mapping[str, Any]) -> None:
        """Take the pattern."""
        pattern = compile_pattern(self.config_def.parse(config)["pattern"])
        self._matches: Once[str, bool] = Once(lambda topic: pattern.fullmatch(topic) is not None, size=1024)

    def test(self, record: Record) -> bool:
        """Whether the topic of *record* matches."""
        return self._matches(record.topic)

    def test_batch(self, batch: RecordBatch) -> Column[bool]:
        """One look per distinct topic."""
        return mapped_once(batch.topic, self._matches)
