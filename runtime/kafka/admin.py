"""Questions to the cluster and the topics we need there; blocking, so call from a thread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec, ResourceType

from runtime.foundation import logs
from runtime.kafka.errors import KafkaFault, WrongTopic, translated
from runtime.kafka.settings import QUIET

log = logs.get(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class InternalTopic:
    """A compacted topic that holds state."""

    name: str
    partitions: int
    """-1 takes the broker's default."""
    replication: int
    """-1 takes the broker's default."""
    settings: Mapping[str, str] = field(default_factory=dict)


class Admin:
    """An admin client with our errors. Every call takes at most *timeout* seconds."""

    def __init__(self, settings: Mapping[str, Any], *, timeout: float = 30.0) -> None:
        self._client = AdminClient({"log_level": QUIET, **settings})
        self._timeout = timeout

    def cluster_id(self, timeout: float | None = None) -> str | None:
        """
        The Kafka cluster's id.

        Raises BrokerUnreachable.
        """
        try:
            metadata = self._client.list_topics(timeout=timeout or self._timeout)
        except KafkaException as err:
            raise translated(err, "asking for the Kafka cluster id") from err
        return metadata.cluster_id

    def partitions(self, topic: str) -> int | None:
        """
        How many partitions *topic* has, None when there is no such topic.

        Raises BrokerUnreachable.
        """
        try:
            # Asking for all topics, not for this one: a question by name may create the topic.
            found = self._client.list_topics(timeout=self._timeout).topics.get(topic)
        except KafkaException as err:
            raise translated(err, f"asking for topic {topic}") from err
        return len(found.partitions) if found is not None and found.error is None else None

    def ensure(self, topic: InternalTopic, *, single_partition: bool = False) -> None:
        """
        See that an internal topic exists, compacted and only compacted (contract 3).

        Raises WrongTopic when it exists with another cleanup policy, or with more than one partition where one
        is needed; BrokerUnreachable; KafkaFault when it cannot be created.
        """
        there = self.partitions(topic.name)
        if there is None:
            compacted = {**topic.settings, "cleanup.policy": "compact"}
            self._create(topic.name, topic.partitions, topic.replication, compacted)
            return
        if single_partition and there != 1:
            raise WrongTopic(
                f"topic {topic.name} has {there} partitions and must have exactly 1; name another topic, or recreate it"
            )
        policy = self._cleanup_policy(topic.name)
        if policy is not None and policy != "compact":
            raise WrongTopic(
                f"topic {topic.name} has cleanup.policy={policy} and would lose state; it must be 'compact': "
                f"kafka-configs.sh --alter --entity-type topics --entity-name {topic.name} "
                "--add-config cleanup.policy=compact"
            )

    def ends(self, topic: str, partitions: Sequence[int], *, timeout: float) -> dict[int, int]:
        """
        The offset after the last record of each of *partitions*.

        Raises BrokerUnreachable, TopicMissing.
        """
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the library leaves it without annotations
        asked = {TopicPartition(topic, partition): latest for partition in partitions}
        try:
            answers = self._client.list_offsets(asked, request_timeout=timeout)
            return {place.partition: answer.result().offset for place, answer in answers.items()}
        except KafkaException as err:
            raise translated(err, f"asking for the end of topic {topic}") from err

    def create(
        self, name: str, *, partitions: int, replication: int, settings: Mapping[str, str] | None = None
    ) -> None:
        """
        Create a topic unless it exists.

        Raises BrokerUnreachable; KafkaFault when it cannot be created.
        """
        if self.partitions(name) is None:
            self._create(name, partitions, replication, settings or {})

    def _create(self, name: str, partitions: int, replication: int, settings: Mapping[str, str]) -> None:
        new = NewTopic(name, num_partitions=partitions, replication_factor=replication, config=dict(settings))
        try:
            self._client.create_topics([new], request_timeout=self._timeout)[name].result()
        except KafkaException as err:
            error = err.args[0]
            if error.code() == KafkaError.TOPIC_ALREADY_EXISTS:
                return
            fault = translated(err, f"creating topic {name}")
            if error.code() == KafkaError.INVALID_REPLICATION_FACTOR:
                fault = KafkaFault(f"{fault}; set its replication factor to at most the number of brokers")
            raise fault from err
        log.info("topic.created", topic=name, partitions=partitions, replication=replication)

    def _cleanup_policy(self, topic: str) -> str | None:
        resource = ConfigResource(ResourceType.TOPIC, topic)
        try:
            found = self._client.describe_configs([resource], request_timeout=self._timeout)[resource].result()
        except KafkaException as err:
            log.warning("topic.settings.unreadable", topic=topic, reason=err.args[0].str())
            return None
        entry = found.get("cleanup.policy")
        return entry.value if entry is not None else None
