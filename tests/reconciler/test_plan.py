"""What a plan says, what it may do, and what it never shows."""

import json

import pytest
from rich.text import Text

from reconciler.model import ClusterSpec
from reconciler.model.errors import WrongCluster
from reconciler.plan import Create, Delete, Heal, Permissions, Plan, Update, document, render
from runtime.contract import ConnectorName
from tests.reconciler.world import World, desired, sink
from tests.worlds.fake_connect import SINK, Connector

NAME = ConnectorName("orders")


def text_of(*parts: object) -> str:
    rendered: Text = render(Plan(tuple(parts)))  # type: ignore[arg-type]
    return rendered.plain


def test_plan_text() -> None:
    """The whole look of a plan: pending, drifted, create, health, and the last line."""
    world = World()
    world.apply(desired({"base/orders.yaml": sink("orders-to-lake", extra="tasksMax: 2", **{"x.y": 1})}))
    world.apply(desired({"base/orders.yaml": sink("orders-to-lake", extra="tasksMax: 2", **{"x.y": 1}), "p": ""}))
    world.connect.connectors["payments"] = Connector({"connector.class": SINK})
    world.connect.connectors["orders-to-lake"].config["topics"] = "orders,debug"
    wish = {
        "base/orders.yaml": sink("orders-to-lake", extra="tasksMax: 2", **{"x.y": 2}),
        "users.yaml": "{name: users-cdc, config: {connector.class: FileStreamSource, topic: u, tasks.max: 1}}",
    }
    world.connect.connectors["orders-to-lake"].failed = "java.lang.Boom: password=hunter2\n\tat x.y"
    plan = world.scene(desired(wish)).plan
    assert (
        """\
main  kafka cluster MkU3OEVBNTcwNTJENDM2Qk, 2 connectors, revision 4f2c91d

  ~ orders-to-lake            2 tasks restart, offsets kept
      config.topics           "orders,debug" -> orders        drifted   base/orders.yaml:8
      config.x.y              1 -> 2                          pending   base/orders.yaml:10
  + users-cdc                 FileStreamSource, 1 task, starts running
  ! orders-to-lake            connector FAILED: java.lang.Boom: password=*** (health, not a change)
  ! orders-to-lake            task 0 FAILED: java.lang.Boom: password=*** (health, not a change)
  ! orders-to-lake            task 1 FAILED: java.lang.Boom: password=*** (health, not a change)

"""
        f"1 to create, 1 to update, 0 to delete, 0 unchanged; 1 key drifted. Fingerprint {plan.fingerprint}\n"
    ) == text_of(plan)


def test_nothing_to_do() -> None:
    """An equal world is said in one line."""
    world = World()
    world.apply(desired({"f.yaml": sink()}))
    plan = world.scene(desired({"f.yaml": sink()})).plan
    assert () == plan.steps
    assert "  nothing to do\n" in text_of(plan)


def test_secrets_never_appear() -> None:
    """Neither by name nor by definition is a secret shown: in text, JSON, fingerprint input or repr."""
    world = World()
    world.apply(desired({"f.yaml": sink(**{"db.password": "old-secret", "login.pass": "old-login"})}))
    moved = desired(
        {
            "f.yaml": sink(
                **{
                    "db.password": "new-secret",
                    "login.pass": "new-login",
                    "api.token": "${env:TOKEN}",
                    "url": "jdbc://u:urlsecret@h/db",
                }
            ),
            "g.yaml": sink("other", **{"db.password": "third-secret", "login.pass": "third-login"}),
        }
    )
    plan = world.scene(moved).plan
    shown = text_of(plan) + json.dumps(document(Plan((plan,)))) + repr(plan) + "".join(map(str, plan.steps))
    for secret in ("old-secret", "new-secret", "old-login", "new-login", "third-secret", "third-login"):
        assert secret not in shown
    assert "urlsecret" not in text_of(plan) + json.dumps(document(Plan((plan,))))
    assert "config.db.password      (secret changed)" in text_of(plan)
    assert "(absent) -> ${env:TOKEN}" in text_of(plan)


def test_fingerprint_stands_for_exactly_these_steps() -> None:
    """The same world gives the same fingerprint in another look; another value, secret or live side another."""
    world = World()
    world.apply(desired({"f.yaml": sink(password="one")}))
    wish = desired({"f.yaml": sink(password="two")})
    first = world.scene(wish).plan.fingerprint
    assert first == world.scene(wish).plan.fingerprint
    assert first != world.scene(desired({"f.yaml": sink(password="three")})).plan.fingerprint
    world.connect.connectors["orders"].config["topics"] = "moved"
    assert first != world.scene(wish).plan.fingerprint


def test_trap_2_mixed_change_does_both() -> None:
    """Config and state moved together: both steps, the pause before the update."""
    world = World()
    world.apply(desired({"f.yaml": sink()}))
    world.apply(desired({"f.yaml": sink(extra="state: paused", topics="other")}))
    live = world.connect.connectors["orders"]
    assert ("other", "PAUSED") == (live.config["topics"], live.target)
    assert ["POST", "PUT", "PUT"] == [what.split()[0] for what in world.connect.asked if not what.startswith("GET")]


def test_trap_1_unknown_is_not_absent() -> None:
    """A connector that exists and cannot be read is neither created nor deleted, and the plan is not complete."""
    world = World()
    wish = desired({"f.yaml": sink()})
    world.apply(wish)
    world.connect.unreadable.add("orders")
    plan = world.scene(wish).plan
    assert () == plan.steps
    assert not Plan((plan,)).complete
    assert "  ? orders                    GET /connectors/orders" in text_of(plan)
    gone = world.scene(desired({"x.yaml": sink("x")}), Permissions(prune=True)).plan
    assert [Create] == [type(step) for step in gone.steps]


def test_a_connector_without_status_is_not_absent() -> None:
    """Connect leaves out what has no status yet; asking for it by name shows that it is there."""
    world = World()
    wish = desired({"f.yaml": sink()})
    world.apply(wish)
    world.connect.no_status.add("orders")
    assert () == world.scene(wish).plan.steps


def test_prune_is_opt_in_and_only_for_ours() -> None:
    """What git dropped is deleted only when asked, and what others made never."""
    world = World()
    world.connect.connectors["theirs"] = Connector({"connector.class": SINK})
    world.apply(desired({"f.yaml": sink("a"), "g.yaml": sink("b")}))
    rest = desired({"f.yaml": sink("a")})
    kept = world.scene(rest).plan
    assert () == kept.steps
    assert "  ! b                         no longer in git, kept: prune is off" in text_of(kept)
    pruned = world.scene(rest, Permissions(prune=True)).plan
    assert ["main/b"] == [str(step.ref) for step in pruned.steps if isinstance(step, Delete)]
    world.apply(rest, Permissions(prune=True))
    assert {"theirs", "a"} == set(world.connect.connectors)


def test_deletions_come_last() -> None:
    """Creates and updates first."""
    world = World()
    world.apply(desired({"f.yaml": sink("a"), "g.yaml": sink("b")}))
    plan = world.scene(desired({"f.yaml": sink("a", topics="n"), "z.yaml": sink("z")}), Permissions(prune=True)).plan
    assert [Update, Create, Delete] == [type(step) for step in plan.steps]


def test_prune_is_frozen_while_a_manifest_is_broken() -> None:
    """A file that cannot be read may be the one that names it."""
    world = World()
    world.apply(desired({"f.yaml": sink("a"), "g.yaml": sink("b")}))
    broken = desired({"f.yaml": sink("a"), "g.yaml": "["})
    plan = world.scene(broken, Permissions(prune=True)).plan
    assert () == plan.steps
    assert "kept: nothing is deleted while a manifest is broken" in text_of(plan)


def test_breaker() -> None:
    """More than three and more than half at once, or everything: refused until it is said to be meant."""
    world = World()
    names = "abcdefg"
    world.apply(desired({f"{name}.yaml": sink(name) for name in names}))
    few = desired({f"{name}.yaml": sink(name) for name in "abc"})
    stopped = world.scene(few, Permissions(prune=True)).plan
    assert () == stopped.steps
    assert not Plan((stopped,)).complete
    assert "4 of 7 connectors would go at once; if that is meant, say --allow-mass-delete" in text_of(stopped)
    assert 4 == len(world.scene(few, Permissions(prune=True, mass_delete=True)).plan.steps)
    most = desired({f"{name}.yaml": sink(name) for name in "abcd"})
    assert 3 == len(world.scene(most, Permissions(prune=True)).plan.steps)
    nothing = world.scene(desired({}), Permissions(prune=True)).plan
    assert () == nothing.steps
    assert "git names no connector of this cluster at all" in text_of(nothing)


def test_adoption_is_shown() -> None:
    """A connector that exists already is adopted in the open, with what changes on it."""
    world = World()
    world.connect.connectors["orders"] = Connector({"name": "orders", "connector.class": SINK, "topics": "old"})
    plan = world.scene(desired({"f.yaml": sink()})).plan
    text = text_of(plan)
    assert "  = orders" in text or "  ~ orders" in text
    assert "exists already and becomes ours; 1 task restarts, offsets kept" in text
    assert "old -> orders" in text
    assert "config.connector.class" not in text
    world.apply(desired({"f.yaml": sink()}))
    assert () == world.scene(desired({"f.yaml": sink()})).plan.steps


def test_policies() -> None:
    """The daemon leaves alerted drift, a person's plan heals it, ignored keys are left by both."""
    world = World()
    extra = "drift: {policy: alert, ignore: [config.file]}"
    wish = desired({"f.yaml": sink(extra=extra)})
    world.apply(wish)
    world.connect.connectors["orders"].config |= {"topics": "moved", "file": "/elsewhere"}
    daemon = world.scene(wish, Permissions(heal=Heal.BY_POLICY)).plan
    assert () == daemon.steps
    assert ["config.topics"] == [change.path for moved in daemon.moved for change in moved.changes]
    assert "left as it is: drift.policy: alert" in text_of(daemon)
    (step,) = world.scene(wish).plan.steps
    assert isinstance(step, Update)
    assert ["config.topics"] == [change.path for change in step.changes]
    world.apply(wish)
    live = world.connect.connectors["orders"].config
    assert ("orders", "/elsewhere") == (live["topics"], live["file"])


def test_an_update_keeps_what_is_left_alone() -> None:
    """A pending key is put together with the live values of drifted keys that policy leaves."""
    world = World()
    extra = "drift: {policy: alert}"
    world.apply(desired({"f.yaml": sink(extra=extra)}))
    world.connect.connectors["orders"].config |= {"topics": "moved", "added": "live"}
    wish = desired({"f.yaml": sink(extra=extra, file="/new")})
    world.apply(wish, Permissions(heal=Heal.BY_POLICY))
    live = world.connect.connectors["orders"].config
    assert ("moved", "live", "/new") == (live["topics"], live["added"], live["file"])
    after = world.scene(wish, Permissions(heal=Heal.BY_POLICY)).plan
    assert {"config.added", "config.topics"} == {change.path for moved in after.moved for change in moved.changes}


def test_unknown_class_is_a_problem_of_its_manifest() -> None:
    """The cluster decides what is installed; the others' plan stands."""
    world = World()
    scene = world.scene(desired({"a.yaml": sink("a").replace("FileStreamSink", "FileStremSink"), "b.yaml": sink("b")}))
    assert ['a.yaml:5:10: unknown connector class "FileStremSink" (did you mean FileStreamSink?)'] == [
        str(problem) for problem in scene.desired.problems
    ]
    assert ["main/b"] == [str(step.ref) for step in scene.plan.steps]


def test_held_connectors_are_left_alone() -> None:
    """Strimzi's pause-reconciliation is obeyed."""
    world = World()
    world.apply(desired({"f.yaml": sink()}))
    strimzi = """\
        apiVersion: kafka.strimzi.io/v1
        kind: KafkaConnector
        metadata: {name: orders, annotations: {strimzi.io/pause-reconciliation: "true"}}
        spec: {class: FileStreamSink, config: {topics: other}}
        """
    plan = world.scene(desired({"f.yaml": strimzi}), Permissions(prune=True)).plan
    assert () == plan.steps
    assert "left alone, as its manifest asks" in text_of(plan)


def test_json_and_text_agree() -> None:
    """Both are printed from the same steps."""
    world = World()
    world.apply(desired({"f.yaml": sink("a"), "g.yaml": sink("b")}))
    world.connect.connectors["a"].config["topics"] = "moved"
    plan = Plan((world.scene(desired({"f.yaml": sink("a"), "n.yaml": sink("n")}), Permissions(prune=True)).plan,))
    found = json.loads(json.dumps(document(plan)))
    assert "1.0" == found["format_version"]
    assert plan.fingerprint == found["fingerprint"]
    steps = found["clusters"][0]["steps"]
    assert [("a", ["update"]), ("n", ["create"]), ("b", ["delete"])] == [(s["connector"], s["actions"]) for s in steps]
    assert {
        "path": "config.topics",
        "standing": "drifted",
        "before": "moved",
        "after": "orders",
        "secret": False,
        "origin": "f.yaml:7:5",
    } == steps[0]["changes"][0]
    assert ["config.topics"] == [change["path"] for change in found["clusters"][0]["drift"][0]["changes"]]


def test_one_live_read_per_look() -> None:
    """In an equal world a look costs the identity and one list, whatever the number of connectors."""
    world = World()
    wish = desired({f"{name}.yaml": sink(name) for name in "abcdefgh"})
    world.apply(wish)
    world.connect.asked.clear()
    world.scene(wish)
    assert {"GET /": 1, "GET /connectors": 1} == dict(world.connect.asked)


def test_wrong_cluster_is_left_alone() -> None:
    """The Kafka cluster id is compared before anything else is asked."""
    world = World()
    world.spec = ClusterSpec(name="main", kafka_cluster_id="another")
    with pytest.raises(WrongCluster, match="MkU3OEVBNTcwNTJENDM2Qk"):
        world.apply(desired({"f.yaml": sink()}))
    assert {"GET /": 1} == dict(world.connect.asked)


def test_deleted_behind_gits_back_is_drift() -> None:
    """A connector of ours that is gone is created again, and called drifted; under alert it is only told."""
    world = World()
    wish = desired({"f.yaml": sink()})
    world.apply(wish)
    del world.connect.connectors["orders"]
    (step,) = world.scene(wish, Permissions(heal=Heal.BY_POLICY)).plan.steps
    assert isinstance(step, Create)
    assert "starts running, deleted behind git's back" in text_of(world.scene(wish).plan)
    alert = desired({"f.yaml": sink(extra="drift: {policy: alert}")})
    assert () == world.scene(alert, Permissions(heal=Heal.BY_POLICY)).plan.steps


def test_state_is_compared_by_wish() -> None:
    """Somebody paused it live; git says running."""
    world = World()
    wish = desired({"f.yaml": sink()})
    world.apply(wish)
    world.connect.connectors["orders"].target = "PAUSED"
    world.clock.pass_by(60)
    assert "spec.state              paused -> running               drifted" in text_of(world.scene(wish).plan)
