"""
The one table of kinds and fields: the reader validates with it, and the reference page is printed from it.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final


class Shape(Enum):
    """What a field takes, as the reference page says it."""

    TEXT = "text"
    WHOLE = "whole number"
    FLAG = "true or false"
    TEXTS = "list of texts"
    LABELS = "map of texts"
    CONFIG = "map of texts, numbers, true/false"
    OBJECT = "fields of its own"
    ANYTHING = "anything"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a manifest."""

    name: str
    shape: Shape
    doc: str
    required: bool = False
    default: str = ""
    choices: tuple[str, ...] = ()
    """Allowed texts; empty means any."""

    least: int | None = None
    """Smallest whole number."""

    fields: "tuple[Field, ...]" = ()
    """For OBJECT."""

    open: bool = False
    """For OBJECT: unknown keys are none of our business."""

    inert: bool = False
    """Accepted, but nothing acts on it; a warning says so."""

    reserved: "dict[str, str]" = field(default_factory=dict)
    """For CONFIG: keys that belong elsewhere, and where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of manifest."""

    title: str
    doc: str
    api_versions: tuple[str, ...] = ()
    kind: str = ""
    """Empty for plain Connect JSON, which has neither apiVersion nor kind."""

    fields: tuple[Field, ...]
    example: str


OURS: Final = "tidegate.dev/v1"
STATES: Final = ("running", "paused", "stopped")
POLICIES: Final = ("heal", "alert", "ignore")

_RESERVED: Final = {
    "name": "metadata.name",
    "connector.class": "spec.class",
    "tasks.max": "spec.tasksMax",
    "connector.plugin.version": "spec.version",
}

_NAME = Field(
    name="name",
    shape=Shape.TEXT,
    required=True,
    doc="The name. For a connector, its name in Connect: no control characters, no `/`, `\\` or `%`.",
)
_LABELS = Field(name="labels", shape=Shape.LABELS, doc="Words to find it by; they do not reach Connect.")
_API_VERSION = Field(name="apiVersion", shape=Shape.TEXT, required=True, doc="Which dialect the manifest is in.")
_KIND = Field(name="kind", shape=Shape.TEXT, required=True, doc="What the manifest describes.")
_CLASS = Field(
    name="class",
    shape=Shape.TEXT,
    required=True,
    doc="The connector's class: Connect class name, alias (`FileStreamSink`) or Python path.",
)
_VERSION = Field(name="version", shape=Shape.TEXT, doc="Version of the plugin; Connect's `connector.plugin.version`.")
_TASKS_MAX = Field(
    name="tasksMax", shape=Shape.WHOLE, least=1, default="1", doc="Most tasks it may run; Connect's `tasks.max`."
)
_STATE = Field(name="state", shape=Shape.TEXT, choices=STATES, default="running", doc="What it should be doing.")
_CONFIG = Field(
    name="config",
    shape=Shape.CONFIG,
    reserved=_RESERVED,
    doc="The connector's configuration, exactly what Connect's REST API would get. Numbers and true/false "
    "become the texts that Connect would hold. `${provider:path:key}` references stay as they are.",
)
_AUTO_RESTART = Field(
    name="autoRestart",
    shape=Shape.OBJECT,
    inert=True,
    doc="Restart what FAILED.",
    fields=(
        Field(name="enabled", shape=Shape.FLAG, default="false", doc="Whether to."),
        Field(name="maxRestarts", shape=Shape.WHOLE, least=0, default="no limit", doc="Give up after so many."),
    ),
)
_DRIFT = Field(
    name="drift",
    shape=Shape.OBJECT,
    doc="What the daemon does when somebody changes the live connector behind git's back.",
    fields=(
        Field(
            name="policy",
            shape=Shape.TEXT,
            choices=POLICIES,
            default="heal",
            doc="`heal`: tell, and put git's value back. `alert`: tell, and leave it until a person runs "
            "`tidegate apply`. `ignore`: neither tell nor touch.",
        ),
        Field(
            name="ignore",
            shape=Shape.TEXTS,
            doc="Keys that are left alone whatever the policy: `config.batch.size`, `spec.state`, "
            "`config.producer.override.*`.",
        ),
    ),
)

CONNECTOR: Final = Kind(
    title="Connector",
    api_versions=(OURS,),
    kind="Connector",
    doc="A connector on a Connect cluster.",
    fields=(
        _API_VERSION,
        _KIND,
        Field(
            name="metadata",
            shape=Shape.OBJECT,
            required=True,
            doc="What it is called.",
            fields=(
                _NAME,
                _LABELS,
                Field(name="annotations", shape=Shape.LABELS, doc="Notes for people and other tools."),
            ),
        ),
        Field(
            name="spec",
            shape=Shape.OBJECT,
            required=True,
            doc="What it should be.",
            fields=(
                Field(
                    name="cluster",
                    shape=Shape.TEXT,
                    default="the only one",
                    doc="Name of the Cluster it runs on; not needed when there is one.",
                ),
                _CLASS,
                _VERSION,
                _TASKS_MAX,
                _STATE,
                _CONFIG,
                _DRIFT,
                _AUTO_RESTART,
            ),
        ),
    ),
    example="""\
apiVersion: tidegate.dev/v1
kind: Connector
metadata: {name: orders-to-lake, labels: {team: orders}}
spec:
  cluster: main
  class: FileStreamSink
  tasksMax: 2
  state: running
  config:
    topics: orders
    file: /data/orders.txt
  drift: {policy: heal, ignore: [config.batch.size]}
""",
)

CLUSTER: Final = Kind(
    title="Cluster",
    api_versions=(OURS,),
    kind="Cluster",
    doc="A Connect cluster: Tidegate's own or Apache Kafka Connect, reached over its REST API.",
    fields=(
        _API_VERSION,
        _KIND,
        Field(
            name="metadata",
            shape=Shape.OBJECT,
            required=True,
            doc="What it is called.",
            fields=(
                _NAME,
                _LABELS,
                Field(name="annotations", shape=Shape.LABELS, doc="Notes for people and other tools."),
            ),
        ),
        Field(
            name="spec",
            shape=Shape.OBJECT,
            doc="Where it is.",
            fields=(
                Field(
                    name="url",
                    shape=Shape.TEXT,
                    default="the running `tidegate up`, else `http://localhost:8083`",
                    doc="URL of Connect's REST API. `--connect-url` goes before it.",
                ),
                Field(name="urls", shape=Shape.TEXTS, doc="Several workers of the cluster, tried in this order."),
                Field(
                    name="kafkaClusterId",
                    shape=Shape.TEXT,
                    doc="Expected id of the Kafka cluster behind it. When another one answers, nothing is touched.",
                ),
                Field(
                    name="journal",
                    shape=Shape.OBJECT,
                    doc="Where to remember what was last applied.",
                    fields=(
                        Field(
                            name="bootstrapServers",
                            shape=Shape.TEXT,
                            default="the running `tidegate up`'s, else a file `.tidegate/journal.json`",
                            doc="Kafka brokers that hold the journal topic.",
                        ),
                        Field(
                            name="topic",
                            shape=Shape.TEXT,
                            default="tidegate-journal",
                            doc="Name of the journal topic; created compacted when missing.",
                        ),
                    ),
                ),
            ),
        ),
    ),
    example="""\
apiVersion: tidegate.dev/v1
kind: Cluster
metadata: {name: main}
spec:
  url: http://connect.example.com:8083
  kafkaClusterId: MkU3OEVBNTcwNTJENDM2Qk
  journal: {bootstrapServers: "kafka.example.com:9092"}
""",
)

STRIMZI_CLUSTER_LABEL: Final = "strimzi.io/cluster"
STRIMZI_PAUSE_ANNOTATION: Final = "strimzi.io/pause-reconciliation"

STRIMZI: Final = Kind(
    title="KafkaConnector (Strimzi)",
    api_versions=("kafka.strimzi.io/v1", "kafka.strimzi.io/v1beta2"),
    kind="KafkaConnector",
    doc="A Strimzi resource, accepted as it stands. The label `strimzi.io/cluster` names the cluster; the "
    'annotation `strimzi.io/pause-reconciliation: "true"` leaves the connector exactly as it is.',
    fields=(
        _API_VERSION,
        _KIND,
        Field(
            name="metadata",
            shape=Shape.OBJECT,
            required=True,
            open=True,
            doc="Kubernetes' own; keys that are not listed are ignored.",
            fields=(
                _NAME,
                Field(name="labels", shape=Shape.LABELS, doc="`strimzi.io/cluster` names the cluster."),
                Field(
                    name="annotations",
                    shape=Shape.LABELS,
                    doc="`strimzi.io/pause-reconciliation` is obeyed; others are ignored.",
                ),
            ),
        ),
        Field(
            name="spec",
            shape=Shape.OBJECT,
            required=True,
            doc="What it should be.",
            fields=(
                _CLASS,
                _VERSION,
                _TASKS_MAX,
                _STATE,
                Field(
                    name="pause",
                    shape=Shape.FLAG,
                    default="false",
                    doc="Older spelling of `state: paused`.",
                ),
                _CONFIG,
                _AUTO_RESTART,
                Field(name="listOffsets", shape=Shape.ANYTHING, inert=True, doc="Where Strimzi lists offsets."),
                Field(name="alterOffsets", shape=Shape.ANYTHING, inert=True, doc="Where Strimzi reads offsets."),
            ),
        ),
        Field(name="status", shape=Shape.ANYTHING, doc="What the operator wrote; ignored."),
    ),
    example="""\
apiVersion: kafka.strimzi.io/v1
kind: KafkaConnector
metadata:
  name: orders-to-lake
  labels: {strimzi.io/cluster: main}
spec:
  class: org.apache.kafka.connect.file.FileStreamSinkConnector
  tasksMax: 2
  config: {topics: orders, file: /data/orders.txt}
""",
)

CREATE_REQUEST: Final = Kind(
    title="Connect JSON, create request",
    doc="The body of `POST /connectors`, or an answer of `GET /connectors/NAME`, accepted as it stands.",
    fields=(
        _NAME,
        Field(
            name="config",
            shape=Shape.CONFIG,
            required=True,
            doc="The connector's configuration; `connector.class` is required, `name` must agree when given.",
        ),
        Field(
            name="initial_state",
            shape=Shape.TEXT,
            choices=("RUNNING", "PAUSED", "STOPPED"),
            default="RUNNING",
            doc="What it should be doing.",
        ),
        Field(name="tasks", shape=Shape.ANYTHING, doc="Part of Connect's answers; ignored."),
        Field(name="type", shape=Shape.TEXT, doc="Part of Connect's answers; ignored."),
    ),
    example='{"name": "orders-to-lake", "config": {"connector.class": "FileStreamSink", "topics": "orders"}}\n',
)

FLAT_CONFIG: Final = Kind(
    title="Connect JSON, flat",
    doc="One configuration as Connect's standalone mode and `PUT /connectors/NAME/config` take it: a map with "
    "`name` and `connector.class`. It is asked to run.",
    fields=(
        _NAME,
        Field(
            name="connector.class",
            shape=Shape.TEXT,
            required=True,
            doc="The connector's class; every other key is configuration.",
        ),
    ),
    example='{"name": "orders-to-lake", "connector.class": "FileStreamSink", "topics": "orders"}\n',
)

KINDS: Final = (CONNECTOR, CLUSTER, STRIMZI)
"""Kinds that say their ``apiVersion`` and ``kind``."""

PLAIN: Final = (CREATE_REQUEST, FLAT_CONFIG)
"""Kinds that are known by their shape."""
