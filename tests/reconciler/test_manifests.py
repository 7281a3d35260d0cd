"""Every mistake in a manifest is found, at once, at its place, with the name that was meant."""

import asyncio
from pathlib import Path

import pytest

from reconciler.adapters.directory import BIGGEST, Directory
from reconciler.manifests import read
from reconciler.model import Policy, Ref
from runtime.contract import ConnectorName, TargetState
from tests.reconciler.world import desired, sink

HEAD = "apiVersion: tidegate.dev/v1\nkind: Connector\nmetadata: {name: a}\n"
SPEC = HEAD + "spec:\n  class: FileStreamSink\n"
CLUSTER = "apiVersion: tidegate.dev/v1\nkind: Cluster\nmetadata: {name: %s}\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param(
            "a: [1\nb: 2\n",
            "f.yaml:2:2: not YAML: expected ',' or ']', but got ':' while parsing a flow sequence",
            id="syntax",
        ),
        pytest.param(
            "apiVersion: x\n\tkind: y\n", "f.yaml:2:1: a tab where YAML wants blanks (indent with blanks)", id="tab"
        ),
        pytest.param("a: b: c\n", "f.yaml:1:5: a second ': ' on one line (quote values that hold ': ')", id="colon"),
        pytest.param("- 1\n", "f.yaml:1:1: a manifest must be a mapping, is a list", id="list"),
        pytest.param(
            "metadata: {name: a}\n",
            "f.yaml:1:1: neither a manifest (apiVersion, kind) nor a Connect configuration (name, config)",
            id="neither",
        ),
        pytest.param(
            "apiversion: tidegate.dev/v1\nknd: Connector\n",
            "f.yaml:1:1: neither a manifest (apiVersion, kind) nor a Connect configuration (name, config)"
            " (did you mean apiVersion?)",
            id="misspelt apiVersion",
        ),
        pytest.param("kind: Connector\n", "f.yaml:1:1: apiVersion is missing", id="no apiVersion"),
        pytest.param(
            HEAD.replace("Connector", "Conector") + "spec: {}\n",
            'f.yaml:2:7: unknown kind "Conector" of tidegate.dev/v1 (did you mean Connector?)',
            id="unknown kind",
        ),
        pytest.param(
            HEAD.replace("/v1", "/v2"),
            'f.yaml:1:13: unknown apiVersion "tidegate.dev/v2" (did you mean tidegate.dev/v1?)',
            id="unknown apiVersion",
        ),
        pytest.param(SPEC + "  class: Other\n", 'f.yaml:6:3: duplicate key "class", first at 5:3', id="duplicate key"),
        pytest.param(
            SPEC + "  taskMax: 2\n", 'f.yaml:6:3: unknown key "taskMax" in spec (did you mean tasksMax?)', id="key"
        ),
        pytest.param(
            SPEC + "  zebra: 2\n",
            'f.yaml:6:3: unknown key "zebra" in spec '
            "(known: cluster, class, version, tasksMax, state, config, drift, autoRestart)",
            id="key without a near one",
        ),
        pytest.param(HEAD + "spec: {}\n", "f.yaml:4:1: spec.class is missing", id="missing"),
        pytest.param(HEAD, "f.yaml:1:1: spec is missing", id="missing spec"),
        pytest.param(
            SPEC + "  tasksMax: two\n",
            'f.yaml:6:13: spec.tasksMax must be a whole number, is the text "two"',
            id="type",
        ),
        pytest.param(
            SPEC + "  tasksMax: '2'\n",
            'f.yaml:6:13: spec.tasksMax must be a whole number, is the text "2" (remove the quotes)',
            id="quoted number",
        ),
        pytest.param(SPEC + "  tasksMax: 0\n", "f.yaml:6:13: spec.tasksMax must be at least 1, is 0", id="too small"),
        pytest.param(
            HEAD.replace("name: a", "name: 17") + "spec: {class: X}\n",
            "f.yaml:3:18: metadata.name must be text, is the number 17 (quote it)",
            id="name is a number",
        ),
        pytest.param(
            SPEC + "  state: runing\n",
            'f.yaml:6:10: spec.state must be one of running, paused, stopped, is "runing" (did you mean running?)',
            id="choice",
        ),
        pytest.param(
            SPEC + "  config: [a]\n",
            "f.yaml:6:11: spec.config must be a map of texts, numbers, true/false, is a list",
            id="config is a list",
        ),
        pytest.param(
            SPEC + "  config:\n    topics: [a, b]\n",
            'f.yaml:7:13: spec.config: "topics" must be text, is a list (write lists as text: a,b,c)',
            id="list in config",
        ),
        pytest.param(
            SPEC + "  config:\n    a: {b: c}\n",
            'f.yaml:7:8: spec.config: "a" must be text, is a mapping (write nested keys with dots: "a.b: c")',
            id="mapping in config",
        ),
        pytest.param(
            SPEC + "  config:\n    topics:\n    file: x\n",
            'f.yaml:7:5: spec.config: "topics" has no value (remove the key, or write "" for empty text)',
            id="null in config",
        ),
        pytest.param(
            SPEC + "  config: {tasks.max: 2}\n",
            'f.yaml:6:12: "tasks.max" does not belong in spec.config (say it in spec.tasksMax)',
            id="reserved key",
        ),
        pytest.param(
            SPEC + "  drift: {ignore: [batch.size]}\n",
            'f.yaml:6:20: spec.drift.ignore: no such path "batch.size" '
            "(config.batch.size, or one of spec.class, spec.tasksMax, spec.version, spec.state)",
            id="ignore path",
        ),
        pytest.param(
            SPEC + "  drift: {policy: alarm}\n",
            'f.yaml:6:19: spec.drift.policy must be one of heal, alert, ignore, is "alarm" '
            "(one of heal, alert, ignore)",
            id="policy",
        ),
        pytest.param(
            SPEC + "  autoRestart: {enabled: yes}\n",
            'f.yaml:6:26: spec.autoRestart.enabled must be true or false, is the text "yes" '
            "(true or false, without quotes)",
            id="yes is text in YAML 1.2",
        ),
        pytest.param(
            HEAD.replace("name: a", 'name: "a\\u0007"') + "spec: {class: X}\n",
            "f.yaml:3:18: the name holds control characters (U+0007), which Connect forbids",
            id="control character",
        ),
        pytest.param(
            HEAD.replace("name: a", "name: a/b") + "spec: {class: X}\n",
            'f.yaml:3:18: the name "a/b" holds / (Connect\'s REST API could create it, but never reach it)',
            id="slash",
        ),
        pytest.param(
            HEAD.replace("name: a", 'name: " "') + "spec: {class: X}\n",
            "f.yaml:3:18: metadata.name must not be empty",
            id="empty name",
        ),
        pytest.param("x: *nope\n", "f.yaml:1:4: not YAML: found undefined alias 'nope'", id="undefined alias"),
        pytest.param("x: &a [*a]\nkind: X\n", "f.yaml:1:4: the alias &a contains itself", id="endless alias"),
        pytest.param("a: !foo b\n", "f.yaml:1:4: unknown tag !foo (remove it, or quote the value)", id="tag"),
        pytest.param("a: \x01\n", "f.yaml:1:4: the character U+0001 is not allowed in YAML", id="control"),
        pytest.param(
            b"a: b\nname: \xff\n",
            "f.yaml:2:7: not UTF-8: byte 0xFF starts no character (save the file as UTF-8)",
            id="not UTF-8",
        ),
        pytest.param("[" * 3000, "f.yaml:1:1: nested deeper than 50 levels (is this a manifest?)", id="deep"),
        pytest.param(
            CLUSTER % "m" + "spec: {url: connect:8083}\n",
            "f.yaml:4:13: the URL of Connect's REST API must begin with http:// or https://",
            id="url",
        ),
        pytest.param(
            '{"name": "a", "config": {"topics": "x"}}',
            "f.yaml:1:15: connector.class is missing",
            id="plain JSON without class",
        ),
        pytest.param(
            '{"name": "a", "config": {"connector.class": "X", "name": "b"}}',
            'f.yaml:1:58: config.name is "b", but name is "a"',
            id="plain JSON with two names",
        ),
        pytest.param(
            '{"name": "a", "connector.class": "X", "tasks.max": "many"}',
            'f.yaml:1:52: tasks.max must be a whole number of at least 1, is "many"',
            id="flat JSON",
        ),
        pytest.param(
            "apiVersion: kafka.strimzi.io/v1\nkind: KafkaConnector\nmetadata: {name: a}\n"
            "spec: {class: X, pause: true, state: running}\n",
            "f.yaml:4:18: spec.pause contradicts spec.state: running (remove spec.pause)",
            id="Strimzi's two states",
        ),
    ],
)
def test_each_mistake_has_its_place(text: str | bytes, complaint: str) -> None:
    """A mistake is told with file, line, column, and what was meant; the file gives no connector."""
    state = desired({"f.yaml": text})
    assert complaint in [str(problem) for problem in state.problems]
    assert {} == dict(state.connectors)


def test_alias_bomb_is_refused_quickly() -> None:
    """Aliases that multiply are counted, not expanded."""
    rows = [f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]" for i in range(12)]
    state = desired({"bomb.yaml": "a: &a [x,x,x,x,x,x,x,x,x]\n" + "\n".join(rows)})
    assert ["more than 50000 values once aliases are expanded"] == [problem.what for problem in state.problems]


def test_all_mistakes_come_at_once() -> None:
    """Mistakes of several files and documents are told together, in order of place."""
    state = desired(
        {
            "a.yaml": HEAD + "spec: {classs: X}\n---\n" + HEAD.replace("name: a", "name: b") + "spec: {class: 3}\n",
            "b.yaml": "a: [\n",
            "c.yaml": sink("good"),
        }
    )
    assert [
        "a.yaml:4:1: spec.class is missing",
        'a.yaml:4:8: unknown key "classs" in spec (did you mean class?)',
        "a.yaml:9:15: spec.class must be text, is the number 3 (quote it)",
        "b.yaml:2:1: not YAML: expected the node content, but found '<stream end>' while parsing a flow node",
    ] == [str(problem) for problem in state.problems]
    assert [Ref("main", ConnectorName("good"))] == list(state.connectors)
    assert {"a", "b"} == state.withheld


def test_duplicate_names_name_both_places() -> None:
    """Two files with one connector: both are told of, and neither is acted on."""
    state = desired({"a.yaml": sink("x"), "b.yaml": "# note\n" + sink("x"), "c.yaml": sink("y")})
    assert [
        'a.yaml:3:18: duplicate connector "x", again at b.yaml:4:18',
        'b.yaml:4:18: duplicate connector "x", first at a.yaml:3:18',
    ] == [str(problem) for problem in state.problems]
    assert ["y"] == [ref.name for ref in state.connectors]
    assert {"x"} == state.withheld


def test_unknown_class_is_told_with_the_near_one() -> None:
    """Where installed classes are known, another one is a mistake."""
    state = desired(
        {"f.yaml": sink().replace("FileStreamSink", "FileStremSink")}, plugins=frozenset({"FileStreamSink", "X"})
    )
    assert ['f.yaml:5:10: unknown connector class "FileStremSink" (did you mean FileStreamSink?)'] == [
        str(problem) for problem in state.problems
    ]


def test_unknown_cluster() -> None:
    """A connector names a cluster that no manifest declares."""
    state = desired({"c.yaml": CLUSTER % "main", "f.yaml": sink(extra="cluster: mian")})
    assert ['f.yaml:6:12: unknown cluster "mian" (did you mean main?)'] == [str(p) for p in state.problems]


def test_a_broken_cluster_manifest_withholds_its_connectors() -> None:
    """While a Cluster is broken, its connectors are neither changed nor complained about."""
    state = desired({"c.yaml": CLUSTER % "main" + "spec: {urll: x}\n", "f.yaml": sink("orders", extra="cluster: main")})
    assert ['c.yaml:4:8: unknown key "urll" in spec (did you mean url?)'] == [str(p) for p in state.problems]
    assert {} == dict(state.connectors)
    assert {"orders"} == state.withheld


def test_several_clusters_must_be_named() -> None:
    """With two clusters, a connector says which."""
    state = desired({"a.yaml": CLUSTER % "one", "b.yaml": CLUSTER % "two", "f.yaml": sink()})
    assert ["f.yaml:1:1: which cluster? there are several: one, two"] == [str(p) for p in state.problems]


def test_config_values_are_what_rest_would_hold() -> None:
    """Numbers, true and false become the texts that Connect would hold."""
    state = desired(
        {
            "f.yaml": SPEC
            + "  config:\n    a: 1000\n    b: True\n    c: 1.50\n    d: 0x10\n    e: no\n    f: 2026-11-23\n"
            + '    g: ""\n    h: ${file:/run/secrets:pw}\n    i: 007\n'
        }
    )
    config = state.connectors[Ref("main", ConnectorName("a"))].config
    assert {
        "name": "a",
        "connector.class": "FileStreamSink",
        "a": "1000",
        "b": "true",
        "c": "1.50",
        "d": "16",
        "e": "no",
        "f": "2026-11-23",
        "g": "",
        "h": "${file:/run/secrets:pw}",
        "i": "7",
    } == config
    assert () == state.problems


def test_merge_keys_and_anchors() -> None:
    """Shared parts by anchor; what a mapping says itself wins."""
    state = desired({"f.yaml": SPEC + "  config:\n    <<: &shared {topics: a, file: b}\n    file: c\n"})
    config = state.connectors[Ref("main", ConnectorName("a"))].config
    assert ("a", "c") == (config["topics"], config["file"])


def test_strimzi_is_accepted_as_it_stands() -> None:
    """What kubectl prints is a manifest: foreign metadata and status are no mistakes."""
    state = desired(
        {
            "s.yaml": """\
                apiVersion: kafka.strimzi.io/v1beta2
                kind: KafkaConnector
                metadata:
                  name: a
                  namespace: kafka
                  resourceVersion: "12"
                  labels: {strimzi.io/cluster: main}
                  annotations: {strimzi.io/pause-reconciliation: "true"}
                spec:
                  class: org.apache.kafka.connect.file.FileStreamSinkConnector
                  tasksMax: 3
                  pause: true
                  autoRestart: {enabled: true}
                  config: {topics: x}
                status: {conditions: []}
                """
        }
    )
    spec = state.connectors[Ref("main", ConnectorName("a"))]
    assert () == state.problems
    assert (TargetState.PAUSED, 3, True, True) == (spec.state, spec.tasks_max, spec.held, spec.auto_restart.enabled)
    assert ["s.yaml:13:3: spec.autoRestart is accepted, but nothing acts on it yet"] == [
        str(warning) for warning in state.warnings
    ]


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "a", "config": {"connector.class": "X", "topics": "t", "tasks.max": 2}, "initial_state": "PAUSED"}',
        '{\n\t"name": "a",\n\t"config": {"connector.class": "X", "topics": "t", "tasks.max": "2"},\n'
        '\t"initial_state": "PAUSED", "tasks": [{"connector": "a", "task": 0}], "type": "sink"\n}',
    ],
)
def test_plain_json_is_accepted_as_it_stands(text: str) -> None:
    """The body of POST /connectors and the answer of GET, tabs included."""
    state = desired({"c.json": text})
    spec = state.connectors[Ref("main", ConnectorName("a"))]
    assert () == state.problems
    assert TargetState.PAUSED is spec.state
    assert {"name": "a", "connector.class": "X", "topics": "t", "tasks.max": "2"} == spec.config


def test_flat_json_is_accepted() -> None:
    """What standalone mode and PUT take; astral characters survive their JSON escapes."""
    state = desired({"c.json": '{"name": "a", "connector.class": "X", "note": "\\ud83d\\ude00 \\/"}'})
    assert "\U0001f600 /" == state.connectors[Ref("main", ConnectorName("a"))].config["note"]


def test_drift_rule() -> None:
    """Ignore rules speak of paths, with wildcards and in both spellings."""
    extra = "drift: {policy: alert, ignore: [config.producer.override.*, spec.config.batch.size, config.tasks.max]}"
    rule = desired({"f.yaml": sink(extra=extra)}).connectors[Ref("main", ConnectorName("orders"))].drift
    assert [Policy.IGNORE, Policy.IGNORE, Policy.IGNORE, Policy.ALERT] == [
        rule.for_path(path)
        for path in ("config.producer.override.linger.ms", "config.batch.size", "spec.tasksMax", "config.file")
    ]


def test_files_that_are_no_manifests_are_complained_about(tmp_path: Path) -> None:
    """Links that leave the folder and huge files are refused; hidden and foreign files are not looked at."""
    folder = tmp_path / "manifests"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "x.yaml").write_text("[")
    (folder / "notes.txt").write_text("[")
    (folder / "good.yaml").write_text(sink())
    (folder / "inside.yml").symlink_to("good2.txt")
    (folder / "good2.txt").write_text(sink("linked"))
    (tmp_path / "secret.yaml").write_text("password: x")
    (folder / "leak.yaml").symlink_to(tmp_path / "secret.yaml")
    (folder / "out").symlink_to(tmp_path)
    (folder / "huge.yaml").write_bytes(b"#" * (BIGGEST + 1))
    state = read(asyncio.run(Directory(folder).read()))
    assert [
        "huge.yaml:1:1: 2,097,153 bytes is too big for a manifest (at most 2,097,152)",
        "leak.yaml:1:1: a link that leaves the folder is refused",
        "out:1:1: a link that leaves the folder is refused",
    ] == [str(problem) for problem in state.problems]
    assert ["linked", "orders"] == sorted(ref.name for ref in state.connectors)


def test_complaints_never_quote_config_values() -> None:
    """A secret in the wrong shape is not repeated."""
    state = desired({"f.yaml": SPEC + "  config:\n    password: [hunter2]\n    x: {token: hunter2}\n"})
    assert "hunter2" not in "".join(map(str, state.problems))
