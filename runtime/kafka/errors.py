"""
What can go wrong with Kafka, told by what the catcher should do.

KafkaFault
├── BrokerUnreachable   retriable: nobody answers, or not in time
├── TopicMissing        retriable: the topic may yet be created
├── WrongTopic          an internal topic has settings that would lose data; a person must act
├── ProduceFailed       a record was refused for good
└── Interrupted         asked to stop while waiting
"""

from typing import ClassVar

from confluent_kafka import KafkaError, KafkaException


class KafkaFault(Exception):
    """Root of this room's errors."""

    retriable: ClassVar[bool] = False


class BrokerUnreachable(KafkaFault):
    """No broker answers, or not in time; it may come back."""

    retriable = True


class TopicMissing(KafkaFault):
    """The topic does not exist (yet)."""

    retriable = True


class WrongTopic(KafkaFault):
    """An internal topic exists with settings that would lose data."""


class ProduceFailed(KafkaFault):
    """Kafka refused a record for good."""


class Interrupted(KafkaFault):
    """Asked to stop while waiting for Kafka."""


_AWAY = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._TRANSPORT,
        KafkaError._TIMED_OUT,
        KafkaError._TIMED_OUT_QUEUE,
        KafkaError._RESOLVE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.NETWORK_EXCEPTION,
        KafkaError.NOT_ENOUGH_REPLICAS,
        KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        KafkaError.NOT_CONTROLLER,
    }
)
_NO_TOPIC = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION})


def translated(err: KafkaError | KafkaException, doing: str) -> KafkaFault:
    """The library's error as ours; *doing* says what was tried, as ``reading topic connect-configs``."""
    error = err.args[0] if isinstance(err, KafkaException) else err
    text = f"{doing}: {error.str()}" if isinstance(error, KafkaError) else f"{doing}: {error}"
    if isinstance(error, KafkaError):
        if error.code() in _AWAY or error.retriable():
            return BrokerUnreachable(text)
        if error.code() in _NO_TOPIC:
            return TopicMissing(text)
    return KafkaFault(text)
