"""
The command line.

Every command imports what it needs when it runs, so that ``tidegate --help`` is quick. Data go to standard output, talk
to standard error.
"""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from tidegate import __version__

Output = Annotated[Literal["text", "json"], typer.Option("--output", "-o", help="How to print data.")]

app = typer.Typer(
    name="tidegate",
    help="Kafka Connect for people who live in git and Python.",
    epilog="Start here: [bold]tidegate up desired-state/[/bold]   then, elsewhere: "
    "[bold]tidegate plan desired-state/[/bold]",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


@app.command(epilog="Example: tidegate up desired-state/ --port 8083")
def up(
    directory: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Manifests to keep live; none: only the worker.")
    ] = None,
    bootstrap_servers: Annotated[
        str | None, typer.Option(help="Kafka to use; without it an embedded broker is started.")
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the REST API, on loopback; 0 picks a free one.")] = 8083,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where the embedded broker keeps its data. [default: .tidegate]")
    ] = None,
    group_id: Annotated[str, typer.Option(help="Name of the worker's group and stem of its topics.")] = "tidegate",
    plugin_path: Annotated[list[Path] | None, typer.Option(help="Folder with plugins; may be repeated.")] = None,
    prune: Annotated[bool, typer.Option(help="Delete connectors of ours whose manifests are gone.")] = False,
    webhook: Annotated[
        str | None,
        typer.Option(envvar="TIDEGATE_WEBHOOK_URL", metavar="URL", help="Post news of drift here as JSON."),
    ] = None,
    period: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="Between full looks at the live side.")] = 30,
    log_level: Annotated[str, typer.Option(help="DEBUG, INFO, WARNING or ERROR.")] = "INFO",
) -> None:
    """Run everything here: broker, worker, reconciler. One Ctrl-C drains, two insist."""
    from tidegate import up as composition

    raise typer.Exit(
        composition.main(
            composition.Options(
                directory=directory,
                bootstrap_servers=bootstrap_servers,
                port=port,
                data_dir=data_dir or Path(".tidegate"),
                group_id=group_id,
                plugin_path=tuple(plugin_path or ()),
                prune=prune,
                webhook=webhook,
                period=period,
                log_level=log_level.upper(),
            )
        )
    )


@app.command(epilog="Example: tidegate worker connect-distributed.properties")
def worker(
    properties: Annotated[Path, typer.Argument(help="The worker file that Apache Kafka Connect reads.")],
    connectors: Annotated[
        list[Path] | None, typer.Argument(metavar="[CONNECTOR]...", help="Standalone only: connectors to create.")
    ] = None,
) -> None:
    """Run a worker: distributed when the file names a group.id, standalone when it names an offsets file."""
    from tidegate import worker as command

    raise typer.Exit(command.main(properties, connectors or []))


@app.command(epilog="Example: tidegate status -o json")
def status(
    name: Annotated[str | None, typer.Argument(metavar="[CONNECTOR]", help="Only this one, in full.")] = None,
    connect_url: Annotated[
        str | None, typer.Option(help="REST API to ask. [default: the running tidegate up, or http://localhost:8083]")
    ] = None,
    output: Output = "text",
) -> None:
    """Show connectors and tasks, and why those that failed did."""
    from tidegate import status as command

    raise typer.Exit(command.main(name, connect_url, output))


@app.command(epilog="Example: tidegate plugins --plugin-path ./plugins")
def plugins(
    plugin_path: Annotated[list[Path] | None, typer.Option(help="Folder with plugins; may be repeated.")] = None,
    output: Output = "text",
) -> None:
    """List the plugins that can run here."""
    from tidegate import plugins as command

    raise typer.Exit(command.main(plugin_path or [], output))


@app.command()
def version(output: Output = "text") -> None:
    """Print the version."""
    if output == "json":
        typer.echo(f'{{"version": "{__version__}"}}')
    else:
        typer.echo(f"tidegate {__version__}")


def main() -> None:
    """Run the command line. A usage error ends with 64 (EX_USAGE), for 2 means "changes" to ``plan``."""
    from importlib.util import find_spec

    if find_spec("tidegate.gitops") is not None:
        from tidegate import gitops

        gitops.register(app)
    command = typer.main.get_command(app)
    try:
        result = command.main(standalone_mode=False)
    except typer.Abort:
        sys.exit(130)
    except Exception as err:
        show, code = getattr(err, "show", None), getattr(err, "exit_code", None)
        if show is None or code is None:
            raise
        show()
        sys.exit(64 if code == 2 else code)
    sys.exit(result if isinstance(result, int) else 0)
