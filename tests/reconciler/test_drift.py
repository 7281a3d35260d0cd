"""Drift is told once when it begins, when it changes, and when it ends; never without news."""

from reconciler.model import Ending, Resolved
from reconciler.plan import Heal, Permissions
from tests.reconciler.world import World, desired, sink

DAEMON = Permissions(heal=Heal.BY_POLICY)
ALERT = desired({"f.yaml": sink(extra="drift: {policy: alert}")})


def alerted() -> World:
    """A world with one alerted connector, drifted on one key, told of once."""
    world = World()
    world.apply(ALERT)
    world.connect.connectors["orders"].config["topics"] = "moved"
    world.daemon_pass(ALERT, DAEMON)
    return world


def endings(world: World) -> list[Ending]:
    return [news.ending for news in world.ears.heard if isinstance(news, Resolved)]


def test_healed_drift_is_told_twice() -> None:
    """It begins and it is healed, in one pass; the next pass has no news."""
    world = World()
    wish = desired({"f.yaml": sink()})
    world.apply(wish)
    world.connect.connectors["orders"].config["topics"] = "moved"
    world.daemon_pass(wish, DAEMON)
    assert ["Opened config.topics", "Resolved config.topics"] == world.ears.words()
    assert [Ending.HEALED] == endings(world)
    assert "orders" == world.connect.connectors["orders"].config["topics"]
    key = world.ears.heard[0].incident.keys[0]
    assert ("orders", "moved", "orders", "f.yaml:7:5") == (key.was, key.live, key.wanted, key.origin)
    world.daemon_pass(wish, DAEMON)
    assert 2 == len(world.ears.heard)


def test_alerted_drift_is_left_and_told_once() -> None:
    """Told once, however often we look, and a new daemon does not repeat it either."""
    world = alerted()
    world.daemon_pass(ALERT, DAEMON)
    world.daemon_pass(ALERT, DAEMON)
    assert ["Opened config.topics"] == world.ears.words()
    assert "moved" == world.connect.connectors["orders"].config["topics"]


def test_more_keys_are_news() -> None:
    """The incident grows; it stays the same incident."""
    world = alerted()
    world.connect.connectors["orders"].config["file"] = "/moved"
    world.daemon_pass(ALERT, DAEMON)
    assert ["Opened config.topics", "Changed config.file config.topics"] == world.ears.words()
    assert 1 == len({news.incident.id for news in world.ears.heard})


def test_reverted() -> None:
    """Somebody puts it back live."""
    world = alerted()
    world.connect.connectors["orders"].config["topics"] = "orders"
    world.daemon_pass(ALERT, DAEMON)
    assert [Ending.REVERTED] == endings(world)


def test_git_followed() -> None:
    """A commit asks for what is live."""
    world = alerted()
    world.daemon_pass(desired({"f.yaml": sink(extra="drift: {policy: alert}", topics="moved")}), DAEMON)
    assert [Ending.FOLLOWED] == endings(world)


def test_silenced() -> None:
    """A commit says to ignore it."""
    world = alerted()
    world.daemon_pass(desired({"f.yaml": sink(extra="drift: {policy: alert, ignore: [config.topics]}")}), DAEMON)
    assert [Ending.SILENCED] == endings(world)
    assert "moved" == world.connect.connectors["orders"].config["topics"]


def test_a_person_applies() -> None:
    """`tidegate apply` heals alerted drift; the daemon then says that it is over."""
    world = alerted()
    world.apply(ALERT)
    world.daemon_pass(ALERT, DAEMON)
    assert [Ending.REVERTED] == endings(world)


def test_ignored_drift_is_not_told() -> None:
    """policy: ignore neither tells nor touches, but what git moves is applied."""
    world = World()
    wish = desired({"f.yaml": sink(extra="drift: {policy: ignore}")})
    world.apply(wish)
    world.connect.connectors["orders"].config["topics"] = "moved"
    world.daemon_pass(wish, DAEMON)
    assert [] == world.ears.heard
    world.daemon_pass(desired({"f.yaml": sink(extra="drift: {policy: ignore}", file="/new")}), DAEMON)
    live = world.connect.connectors["orders"].config
    assert ("moved", "/new") == (live["topics"], live["file"])


def test_pending_changes_are_not_drift() -> None:
    """A merged commit is applied without an alert."""
    world = World()
    world.apply(desired({"f.yaml": sink()}))
    world.daemon_pass(desired({"f.yaml": sink(topics="new")}), DAEMON)
    assert [] == world.ears.heard
    assert "new" == world.connect.connectors["orders"].config["topics"]


def test_an_unreadable_connector_changes_no_incident() -> None:
    """Unknown is neither drift nor its end."""
    world = alerted()
    world.connect.unreadable.add("orders")
    world.daemon_pass(ALERT, DAEMON)
    assert ["Opened config.topics"] == world.ears.words()


def test_secrets_in_alerts_are_masked() -> None:
    """That a secret moved is told; what it is, is not."""
    world = World()
    wish = desired({"f.yaml": sink(**{"db.password": "git-secret"})})
    world.apply(wish)
    world.connect.connectors["orders"].config["db.password"] = "live-secret"
    world.daemon_pass(wish, DAEMON)
    told = repr(world.ears.heard)
    assert "git-secret" not in told
    assert "live-secret" not in told
    assert ("***", "***", True) == (
        world.ears.heard[0].incident.keys[0].was,
        world.ears.heard[0].incident.keys[0].live,
        world.ears.heard[0].incident.keys[0].secret,
    )
