"""The GitOps commands of the front door: `plan`, `apply`, `watch`, `validate`."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:  # importing the reconciler takes longer than --help may
    from reconciler.cli import Voice
    from reconciler.settings import Settings
    from runtime.foundation.secret import Secret

_PANEL: Final = "GitOps"


class Output(StrEnum):
    """What to print on standard output."""

    TEXT = "text"
    JSON = "json"


Folder = Annotated[Path, typer.Argument(metavar="[DIR]", help="Folder of manifests.", show_default="here")]
ConnectUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        envvar="TIDEGATE_CONNECT_URL",
        help="Connect's REST API. Default: the Cluster manifest's, else a running `tidegate up`, "
        "else http://localhost:8083.",
    ),
]
JournalServers = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT,…",
        envvar="TIDEGATE_JOURNAL_BOOTSTRAP_SERVERS",
        help="Kafka that holds the journal topic. Default: the Cluster manifest's, else a running `tidegate up`'s, "
        "else a file DIR/.tidegate/journal.json.",
    ),
]
JournalTopic = Annotated[str | None, typer.Option(metavar="NAME", help="Its name. Default: tidegate-journal.")]
JournalFile = Annotated[Path | None, typer.Option(metavar="FILE", help="A file instead of the journal topic.")]
Prune = Annotated[
    bool, typer.Option("--prune", help="Delete connectors that we created or adopted and git no longer names.")
]
MassDelete = Annotated[
    bool, typer.Option("--allow-mass-delete", help="Let a plan pass that deletes more than half of what is ours.")
]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="Text for people or JSON for programs.")]
Color = Annotated[
    bool | None,
    typer.Option("--color/--no-color", help="Default: on a terminal, unless NO_COLOR is set.", show_default=False),
]


def plan(
    folder: Folder = Path(),
    connect_url: ConnectUrl = None,
    journal_bootstrap_servers: JournalServers = None,
    journal_topic: JournalTopic = None,
    journal_file: JournalFile = None,
    prune: Prune = False,
    allow_mass_delete: MassDelete = False,
    output: OutputOption = Output.TEXT,
    color: Color = None,
) -> None:
    """
    Show what `apply` would change.

    Exits 0 when there is nothing to do, 2 when there are changes, 1 on errors.

    Examples:

        tidegate plan desired-state/

        tidegate plan desired-state/ --connect-url http://connect:8083 -o json | jq .summary
    """
    from reconciler import cli

    settings = _settings(
        folder,
        connect_url,
        journal_bootstrap_servers,
        journal_topic,
        journal_file,
        prune=prune,
        allow_mass_delete=allow_mass_delete,
    )
    raise typer.Exit(cli.plan(settings, _voice(output, color)))


def apply(
    folder: Folder = Path(),
    connect_url: ConnectUrl = None,
    journal_bootstrap_servers: JournalServers = None,
    journal_topic: JournalTopic = None,
    journal_file: JournalFile = None,
    prune: Prune = False,
    allow_mass_delete: MassDelete = False,
    approved: Annotated[
        str | None,
        typer.Option(metavar="FINGERPRINT", help="Apply only if the plan still has this fingerprint."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask. Nobody is asked without a terminal.")] = False,
    output: OutputOption = Output.TEXT,
    color: Color = None,
) -> None:
    """
    Make the clusters as the manifests want them.

    Shows the plan first. Nothing is applied while a manifest is broken or a cluster cannot be read.

    Examples:

        tidegate apply desired-state/

        tidegate apply desired-state/ --approved 3f9c1a2b77de
    """
    from reconciler import cli

    settings = _settings(
        folder,
        connect_url,
        journal_bootstrap_servers,
        journal_topic,
        journal_file,
        prune=prune,
        allow_mass_delete=allow_mass_delete,
    )
    asks = not yes and approved is None and sys.stdin.isatty() and sys.stderr.isatty()
    code = cli.apply(settings, _voice(output, color), approved=approved, confirm=_confirm if asks else None)
    raise typer.Exit(code)


def watch(
    folder: Folder = Path(),
    connect_url: ConnectUrl = None,
    journal_bootstrap_servers: JournalServers = None,
    journal_topic: JournalTopic = None,
    journal_file: JournalFile = None,
    prune: Prune = False,
    allow_mass_delete: MassDelete = False,
    webhook: Annotated[
        str | None,
        typer.Option(
            metavar="URL", envvar="TIDEGATE_WEBHOOK_URL", help="Post news of drift here as JSON.", show_envvar=True
        ),
    ] = None,
    period: Annotated[float, typer.Option(metavar="SECONDS", min=1, help="Between full looks.")] = 30.0,
) -> None:
    """
    Keep the clusters as the manifests want them, and tell about drift.

    Changed files are applied a quarter of a second after the last write; live changes are found by a full
    look every --period. Ctrl-C stops; a second one insists.

    Examples:

        tidegate watch desired-state/

        tidegate watch desired-state/ --connect-url http://connect:8083 --webhook https://chat.example.com/hook
    """
    from reconciler import cli
    from runtime.foundation.secret import Secret

    settings = _settings(
        folder,
        connect_url,
        journal_bootstrap_servers,
        journal_topic,
        journal_file,
        prune=prune,
        allow_mass_delete=allow_mass_delete,
        webhook_url=None if webhook is None else Secret(webhook),
        period=period,
    )
    raise typer.Exit(cli.watch(settings))


def validate(
    folder: Folder = Path(),
    connect_url: ConnectUrl = None,
    output: OutputOption = Output.TEXT,
    color: Color = None,
) -> None:
    """
    Check the manifests; every mistake is listed with its file, line and column.

    Needs no cluster. With --connect-url, or while `tidegate up` runs, connector classes are checked as well.

    Examples:

        tidegate validate desired-state/

        tidegate validate desired-state/ -o json
    """
    from reconciler import cli

    raise typer.Exit(cli.validate(_settings(folder, connect_url), _voice(output, color)))


def register(app: typer.Typer) -> None:
    """Add the commands to the front door."""
    for command in (plan, apply, watch, validate):
        app.command(rich_help_panel=_PANEL)(command)


def _settings(
    folder: Path,
    connect_url: str | None,
    journal_bootstrap_servers: str | None = None,
    journal_topic: str | None = None,
    journal_file: Path | None = None,
    *,
    prune: bool = False,
    allow_mass_delete: bool = False,
    webhook_url: "Secret | None" = None,
    period: float = 30.0,
) -> "Settings":
    from reconciler.settings import Settings

    return Settings(
        folder=folder,
        connect_url=connect_url,
        journal_bootstrap_servers=journal_bootstrap_servers,
        journal_topic=journal_topic,
        journal_file=journal_file,
        prune=prune,
        allow_mass_delete=allow_mass_delete,
        webhook_url=webhook_url,
        period=period,
    )


def _voice(output: Output, color: bool | None) -> "Voice":
    from reconciler.cli import Voice

    return Voice(output.value, color)


def _confirm() -> bool:
    sys.stderr.write("Apply this plan? Only yes is taken for yes: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() == "yes"
