"""Records made up for demonstrations and trials: orders, users or page views, as many and as fast as wanted."""

from collections.abc import Callable, Mapping
from time import monotonic, time_ns
from typing import Any, Final, NamedTuple

from runtime.plugins.version import VERSION
from runtime.sdk import (
    BOOLEAN,
    FLOAT64,
    INT32,
    INT64,
    OPTIONAL_STRING,
    STRING,
    Computed,
    ConfigDef,
    ConnectError,
    Constant,
    ExactlyOnceSupport,
    Importance,
    Key,
    RecordBatch,
    Schema,
    SourceConnector,
    SourcePartition,
    SourceTask,
    Task,
    Type,
    at_least,
    non_empty,
    one_of,
    struct,
)

_MOST_AT_ONCE: Final = 1_000
_LONGEST_NAP: Final = 1.0
_START_OF_TIME: Final = 1_700_000_000_000
_MASK: Final = 2**64 - 1


def _scattered(number: int) -> int:
    """A number that looks random and is always the same for *number* (the finaliser of splitmix64)."""
    number = (number * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) & _MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31)


_ITEMS: Final = ("anchor", "buoy", "compass", "dinghy", "fender", "gangway", "halyard", "lantern", "oar", "sextant")
_CITIES: Final = ("Aarhus", "Bergen", "Cork", "Den Helder", "Esbjerg", "Faro", "Gdynia", "Hamburg", "Izola", "Jaffa")
_PAGES: Final = ("/", "/search", "/item", "/cart", "/checkout", "/help")


def _order(index: int, luck: int) -> dict[str, Any]:
    return {
        "order_id": index,
        "ordered_at": _START_OF_TIME + index * 1_000,
        "item": _ITEMS[luck % 10],
        "quantity": 1 + (luck >> 8) % 9,
        "price": round(0.5 + (luck >> 16) % 20_000 / 100, 2),
        "city": _CITIES[(luck >> 32) % 10],
        "express": (luck >> 40) % 8 == 0,
    }


def _user(index: int, luck: int) -> dict[str, Any]:
    return {
        "user_id": f"user-{luck % 1000:03d}",
        "registered_at": _START_OF_TIME + (luck >> 8) % 10_000_000_000,
        "city": _CITIES[(luck >> 32) % 10],
        "email": None if (luck >> 40) % 4 == 0 else f"user-{luck % 1000:03d}@example.org",
    }


def _view(index: int, luck: int) -> dict[str, Any]:
    return {
        "viewed_at": _START_OF_TIME + index * 20,
        "user_id": f"user-{luck % 1000:03d}",
        "page": _PAGES[(luck >> 16) % 6],
        "milliseconds": (luck >> 32) % 30_000,
    }


class _Quickstart(NamedTuple):
    """One kind of made-up records."""

    schema: Schema
    key: str
    make: Callable[[int, int], dict[str, Any]]


_QUICKSTARTS: Final = {
    "orders": _Quickstart(
        struct(
            {
                "order_id": INT64,
                "ordered_at": INT64,
                "item": STRING,
                "quantity": INT32,
                "price": FLOAT64,
                "city": STRING,
                "express": BOOLEAN,
            },
            name="tidegate.datagen.Order",
        ),
        "order_id",
        _order,
    ),
    "users": _Quickstart(
        struct(
            {"user_id": STRING, "registered_at": INT64, "city": STRING, "email": OPTIONAL_STRING},
            name="tidegate.datagen.User",
        ),
        "user_id",
        _user,
    ),
    "pageviews": _Quickstart(
        struct(
            {"viewed_at": INT64, "user_id": STRING, "page": STRING, "milliseconds": INT32},
            name="tidegate.datagen.PageView",
        ),
        "user_id",
        _view,
    ),
}


class DatagenSource(SourceConnector):
    """Makes up records; the same seed always makes the same ones."""

    version = VERSION
    config_def = ConfigDef(
        Key("topic", Type.STRING, validator=non_empty, importance=Importance.HIGH, doc="The topic to write to."),
        Key(
            "quickstart",
            Type.STRING,
            default="orders",
            validator=one_of(*_QUICKSTARTS),
            importance=Importance.HIGH,
            doc="What kind of records to make: orders, users or pageviews.",
        ),
        Key(
            "rate",
            Type.DOUBLE,
            default=10.0,
            validator=at_least(0),
            importance=Importance.MEDIUM,
            doc="Records per second and task; 0 for as fast as they are taken.",
        ),
        Key(
            "iterations",
            Type.LONG,
            default=-1,
            validator=at_least(-1),
            importance=Importance.MEDIUM,
            doc="Records per task, after which it rests; -1 for no end.",
        ),
        Key(
            "seed",
            Type.LONG,
            default=0,
            importance=Importance.LOW,
            doc="Where chance starts; other seeds, other records.",
        ),
    )

    def start(self, config: Mapping[str, str]) -> None:
        """Take the configuration."""
        self.config_def.parse(config)
        self._config = dict(config)

    def task_class(self) -> type[Task]:
        """The task that makes records."""
        return DatagenTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        """As many as wanted, each with a series of its own."""
        return [{**self._config, "task.id": str(index)} for index in range(max_tasks)]

    def exactly_once_support(self, config: Mapping[str, str]) -> ExactlyOnceSupport | None:
        """A series goes on behind the last record that was committed."""
        return ExactlyOnceSupport.SUPPORTED

    def alter_offsets(self, config: Mapping[str, str], offsets: Any) -> bool:
        """Check that each offset is a number of records."""
        for _, offset in offsets:
            if offset is not None and (not isinstance(offset.get("made"), int) or offset["made"] < 0):
                raise ConnectError("An offset must be null or have the key 'made', a number of records from 0 up")
        return True


class DatagenTask(SourceTask):
    """Makes one series of records."""

    version = VERSION

    def start(self, config: Mapping[str, str]) -> None:
        """Find out how many were made before."""
        parsed = DatagenSource.config_def.parse(config)
        self._kind = _QUICKSTARTS[parsed["quickstart"]]
        self._topic = Constant(str(parsed["topic"]))
        self._rate = float(parsed["rate"])
        self._limit: int | None = parsed["iterations"] if parsed["iterations"] >= 0 else None
        task = int(config.get("task.id", "0"))
        self._seed = int(parsed["seed"]) * 1_000_003 + task * 7_919
        partition: SourcePartition = {"quickstart": parsed["quickstart"], "task": task}
        self._partition: Constant[SourcePartition | None] = Constant(partition)
        (offset,) = self.context.offsets.offsets([partition])
        self._made = int(offset["made"]) if offset is not None else 0
        self._began = monotonic() - self._made / self._rate if self._rate else 0.0

    def poll(self) -> RecordBatch | None:
        """What is due by now; waits for it when nothing is."""
        count = self._due()
        if count < 1:
            return None
        first, kind, seed = self._made, self._kind, self._seed
        values = [kind.make(index, _scattered(seed + index)) for index in range(first, first + count)]
        self._made += count
        return RecordBatch(
            count=count,
            topic=self._topic,
            key_schema=Constant(STRING),
            key=[str(value[kind.key]) for value in values],
            value_schema=Constant(kind.schema),
            value=values,
            timestamp=Constant(time_ns() // 1_000_000),
            source_partition=self._partition,
            source_offset=Computed(count, lambda index: {"made": first + index + 1}),
        )

    def _due(self) -> int:
        left = _MOST_AT_ONCE if self._limit is None else min(_MOST_AT_ONCE, self._limit - self._made)
        if left < 1:
            self.context.stopping.nap(_LONGEST_NAP)
            return 0
        if not self._rate:
            return left
        now = monotonic() - self._began
        due = int(now * self._rate) - self._made
        if due < 1:
            self.context.stopping.nap(min(_LONGEST_NAP, (self._made + 1) / self._rate - now))
        return min(left, due)
