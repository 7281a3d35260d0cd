"""
Builds the object graph: the one place where adapters meet the brain.

:func:`run` is the daemon, for `tidegate watch` and for `tidegate up`, which embeds it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from reconciler.adapters.connect_rest import ConnectRest
from reconciler.adapters.directory import Directory
from reconciler.adapters.journal_file import FileJournal
from reconciler.adapters.journal_topic import TopicJournal
from reconciler.adapters.webhook import Everybody, LogNotifier, Webhook
from reconciler.loop import Access, OpenAccess, Watch
from reconciler.model import ClusterSpec
from reconciler.model.errors import SettingsRefused
from reconciler.observe import PluginBook
from reconciler.plan import Heal, Permissions
from reconciler.ports import Journal, Notifier
from reconciler.settings import FilePlace, Settings, TopicPlace, Up, address
from runtime.foundation.clock import SystemClock
from runtime.foundation.secret import scrub
from runtime.foundation.stopping import Stopping


async def run(settings: Settings, stopping: Stopping) -> None:
    """
    Keep the clusters as the manifests in ``settings.folder`` want them, until asked to stop.

    Says what it does in the log. Trouble with a cluster, a journal or the folder is said once and retried.
    Raises SettingsRefused when the settings cannot be used.
    """
    refuse_bad(settings)
    notifiers: list[Notifier] = [LogNotifier()]
    ending = Stopping()
    async with AsyncExitStack() as stack:
        if settings.webhook_url is not None:
            webhook = Webhook(settings.webhook_url.reveal())
            notifiers.append(webhook)
            group = await stack.enter_async_context(asyncio.TaskGroup())
            stack.callback(ending.set)  # after the watch: the last news still go out
            group.create_task(webhook.run(ending), name="webhook")
        directory = await stack.enter_async_context(Directory(settings.folder))
        watch = Watch(
            directory,
            opener(settings),
            notifier=Everybody(notifiers),
            permissions=permissions(settings, Heal.BY_POLICY),
            period=settings.period,
            plugins=settings.known_plugins,
        )
        await watch.run(stopping)


def refuse_bad(settings: Settings) -> None:
    """Raises SettingsRefused, with every problem in its text."""
    if problems := list(settings.problems()):
        raise SettingsRefused("; ".join(map(str, problems)))


def permissions(settings: Settings, heal: Heal) -> Permissions:
    """What plans may do, as *settings* say."""
    return Permissions(heal=heal, prune=settings.prune, mass_delete=settings.allow_mass_delete)


def opener(settings: Settings) -> OpenAccess:
    """How to connect to the clusters that manifests name, as *settings* and a running ``tidegate up`` say."""
    taken: dict[str, str] = {}

    @asynccontextmanager
    async def open_access(spec: ClusterSpec, *, only: bool) -> AsyncIterator[Access]:
        place = address(spec, settings, only=only, up=Up.find(settings.folder))
        if (other := taken.setdefault(place.urls[0], spec.name)) != spec.name:
            raise SettingsRefused(
                f'clusters "{other}" and "{spec.name}" would both be at {scrub(place.urls[0])}: give each a spec.url'
            )
        clock = SystemClock()
        try:
            async with ConnectRest(place.urls) as cluster, _journal(place.journal) as journal:
                yield Access(spec, cluster, journal, PluginBook(cluster, clock), clock)
        finally:
            taken.pop(place.urls[0], None)

    return open_access


@asynccontextmanager
async def _journal(place: TopicPlace | FilePlace) -> AsyncIterator[Journal]:
    if isinstance(place, FilePlace):
        yield FileJournal(place.path)
        return
    journal = TopicJournal(place.bootstrap_servers, place.topic)
    try:
        yield journal
    finally:
        await journal.close()
