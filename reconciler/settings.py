"""What a user may say from outside, and how it becomes addresses; composes nothing else."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.model import ClusterSpec
from reconciler.model.errors import SettingsRefused
from runtime.contract import Problem
from runtime.foundation.secret import Secret

STATE_FOLDER: Final = ".tidegate"
"""Below the folder of manifests; what is in it is never read as a manifest."""

DEFAULT_URL: Final = "http://localhost:8083"
"""Where Connect listens when nobody says otherwise."""

DEFAULT_TOPIC: Final = "tidegate-journal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that `plan`, `apply`, `watch` and `validate` can be told."""

    folder: Path
    """Where the manifests are."""

    connect_url: str | None = None
    """REST URL. With one cluster it goes before its manifest's; with several it is for those that name none."""

    journal_bootstrap_servers: str | None = None
    """Kafka brokers that hold the journal topic; goes before what manifests say."""

    journal_topic: str | None = None
    """The journal topic's name; None means a manifest's, or ``tidegate-journal``."""

    journal_file: Path | None = None
    """A file instead of the topic."""

    webhook_url: Secret | None = None
    """Where news of drift is posted as JSON. A secret, because whoever knows it can write there."""

    period: float = 30.0
    """Seconds between full looks. Longer means that drift goes unnoticed for longer; below 1 only burns CPU."""

    prune: bool = False
    """Delete what we created or adopted and git no longer names. Off, because a lost file must not cost data."""

    allow_mass_delete: bool = False
    """Let a plan pass that deletes more than the breaker lets through."""

    known_plugins: frozenset[str] | None = None
    """Names and aliases of connector classes, where they are known without asking a cluster."""

    def problems(self) -> Iterator[Problem]:
        """What is wrong with these settings."""
        if self.journal_file is not None and self.journal_bootstrap_servers is not None:
            yield Problem("--journal-file", "contradicts --journal-bootstrap-servers", "say one of them")
        if self.period < 1:
            yield Problem("--period", f"must be at least 1 second, got {self.period}")
        if self.connect_url is not None and not self.connect_url.startswith(("http://", "https://")):
            yield Problem("--connect-url", f'must begin with http:// or https://, got "{self.connect_url}"')


@dataclass(frozen=True, slots=True)
class TopicPlace:
    """A journal in Kafka."""

    bootstrap_servers: str
    topic: str


@dataclass(frozen=True, slots=True)
class FilePlace:
    """A journal in a file."""

    path: Path


@dataclass(frozen=True, slots=True)
class Address:
    """Where a cluster and its journal are."""

    urls: tuple[str, ...]
    journal: TopicPlace | FilePlace


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """What a running ``tidegate up`` says about itself, so that other shells find the same cluster and journal."""

    connect_url: str
    bootstrap_servers: str
    journal_topic: str = DEFAULT_TOPIC
    pid: int

    @staticmethod
    def path(folder: Path) -> Path:
        """Where it is written down for a folder of manifests."""
        return folder / STATE_FOLDER / "up.json"

    def announce(self, folder: Path) -> None:
        """Write it down. Raises OSError."""
        path = self.path(folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_text(
            json.dumps(
                {
                    "format": 1,
                    "pid": self.pid,
                    "connectUrl": self.connect_url,
                    "bootstrapServers": self.bootstrap_servers,
                    "journalTopic": self.journal_topic,
                },
                indent=1,
            ),
            encoding="utf-8",
        )
        fresh.replace(path)

    @classmethod
    def withdraw(cls, folder: Path) -> None:
        """It is about to stop."""
        cls.path(folder).unlink(missing_ok=True)

    @classmethod
    def find(cls, folder: Path) -> "Up | None":
        """The one that is running for *folder*; None when there is none, or when it died without a word."""
        try:
            value = json.loads(cls.path(folder).read_text(encoding="utf-8"))
            up = cls(
                connect_url=str(value["connectUrl"]),
                bootstrap_servers=str(value["bootstrapServers"]),
                journal_topic=str(value["journalTopic"]),
                pid=int(value["pid"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return up if _alive(up.pid) else None


def address(spec: ClusterSpec, settings: Settings, *, only: bool, up: Up | None) -> Address:
    """
    Where *spec* and its journal are.

    For the URL: ``--connect-url`` (for the *only* cluster, or one that names none), the manifest, the running
    ``tidegate up``, Connect's default port. For the journal: options, the manifest, ``up`` when the cluster is
    its own, a file below the folder. Raises SettingsRefused when several clusters would be the same by default.
    """
    its_own = not spec.urls and settings.connect_url is None and up is not None
    if settings.connect_url is not None and (only or not spec.urls):
        urls: tuple[str, ...] = (settings.connect_url,)
    elif spec.urls:
        urls = spec.urls
    elif up is not None:
        urls = (up.connect_url,)
    elif only:
        urls = (DEFAULT_URL,)
    else:
        raise SettingsRefused(f'cluster "{spec.name}" has no URL: give its manifest a spec.url, or say --connect-url')
    return Address(urls, _journal(spec, settings, up if its_own or _is_up(urls, up) else None))


def _is_up(urls: tuple[str, ...], up: Up | None) -> bool:
    return up is not None and urls[0].rstrip("/") == up.connect_url.rstrip("/")


def _journal(spec: ClusterSpec, settings: Settings, up: Up | None) -> TopicPlace | FilePlace:
    if settings.journal_file is not None:
        return FilePlace(settings.journal_file)
    topic = settings.journal_topic or spec.journal_topic
    servers = settings.journal_bootstrap_servers or spec.journal_bootstrap_servers
    if servers:
        return TopicPlace(servers, topic or DEFAULT_TOPIC)
    if up is not None:
        return TopicPlace(up.bootstrap_servers, topic or up.journal_topic)
    return FilePlace(settings.folder / STATE_FOLDER / "journal.json")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
