"""
Everything the reconciler raises on purpose.

    ReconcilerFault
    +-- ClusterFault                 about one call to a Connect cluster
    |   +-- ClusterUnreachable       nobody answered; try again                     (retriable)
    |   +-- ClusterSilent            no answer in time; it may have happened        (retriable)
    |   +-- ClusterBusy              rebalance, overload, 5xx; try again            (retriable)
    |   +-- ConfigRejected           the worker refuses the configuration
    |   +-- AccessDenied             401 or 403
    |   +-- ConnectorMissing         404 for a connector we named
    |   +-- ConnectorExists          a create found the name taken
    |   +-- AnswerGarbled            not the JSON that Connect's REST API promises
    |   +-- WrongCluster             the Kafka cluster id is not the expected one
    +-- JournalFault                 the journal cannot be read or written
    |   +-- JournalUnreachable       its broker does not answer; try again          (retriable)
    |   +-- JournalGarbled           its content is not ours; give up
    +-- SourceUnreadable             the folder of manifests cannot be read         (retriable)
    +-- PlanIsStale                  the world moved since the plan was approved
    +-- SettingsRefused              settings contradict one another or are unusable
    +-- Stopped                      asked to stop in the middle of a retry
"""

from typing import ClassVar

from runtime.foundation.secret import scrub


class ReconcilerFault(Exception):
    """Root of everything the reconciler raises on purpose; its text is scrubbed of secrets."""

    retriable: ClassVar[bool] = False
    """Whether trying the same thing again later can help."""

    def __init__(self, text: str) -> None:
        super().__init__(scrub(text))


class ClusterFault(ReconcilerFault):
    """One call to a Connect cluster did not do what it should."""


class ClusterUnreachable(ClusterFault):
    """Nobody answered; nothing happened."""

    retriable = True


class ClusterSilent(ClusterFault):
    """No answer in time; what was asked for may or may not have happened."""

    retriable = True


class ClusterBusy(ClusterFault):
    """The cluster is rebalancing, overloaded or in trouble."""

    retriable = True


class ConfigRejected(ClusterFault):
    """The worker refuses this configuration; only another configuration helps."""


class AccessDenied(ClusterFault):
    """The cluster does not let us."""


class ConnectorMissing(ClusterFault):
    """The connector does not exist."""


class ConnectorExists(ClusterFault):
    """A connector of this name exists already."""


class AnswerGarbled(ClusterFault):
    """The answer is not what Connect's REST API promises, so nothing may be concluded from it."""


class WrongCluster(ClusterFault):
    """The Kafka cluster behind the URL is not the one that the manifest expects."""


class JournalFault(ReconcilerFault):
    """The journal cannot be read or written."""


class JournalUnreachable(JournalFault):
    """The journal's broker or file does not answer."""

    retriable = True


class JournalGarbled(JournalFault):
    """The journal holds something that we did not write."""


class SourceUnreadable(ReconcilerFault):
    """The folder of manifests cannot be read; what it says is unknown, not empty."""

    retriable = True


class PlanIsStale(ReconcilerFault):
    """The world moved between approving a plan and applying it."""


class SettingsRefused(ReconcilerFault):
    """Settings contradict one another or cannot be used."""


class Stopped(ReconcilerFault):
    """Asked to stop before it was done."""
