"""
The client settings that ``producer.override.*`` and its sisters may name: those of Apache Kafka's Java clients 4.3.1.

They are what connector configurations are written for, whoever runs them; what each means to our own client is a
matter of the Kafka room. One line per setting: name, type, default, importance, and which clients have it, of
producer, consumer and admin.
"""

from enum import Enum
from functools import cache
from typing import Final

from runtime.contract import Importance, Type
from runtime.sdk import REQUIRED, Key
from runtime.sdk.config import parse_value


class Client(Enum):
    """The clients whose settings a connector may override."""

    PRODUCER = "producer"
    CONSUMER = "consumer"
    ADMIN = "admin"


@cache
def keys_of(client: Client) -> dict[str, Key]:
    """The settings of *client*, by name."""
    found: dict[str, Key] = {}
    for line in _TABLE.strip().splitlines():
        name, kind, default, importance, clients = line.split("|")
        if client.value[0] in clients:
            found[name] = Key(name, Type[kind], _default(name, Type[kind], default), importance=Importance[importance])
    return found


def _default(name: str, kind: Type, text: str) -> object:
    match text:
        case "<required>":
            return REQUIRED
        case "<null>":
            return None
        case _:
            return parse_value(name, kind, text)


_TABLE: Final = """
acks|STRING|all|LOW|p
allow.auto.create.topics|BOOLEAN|true|MEDIUM|c
auto.commit.interval.ms|INT|5000|LOW|c
auto.offset.reset|STRING|latest|MEDIUM|c
batch.size|INT|16384|MEDIUM|p
bootstrap.controllers|LIST||HIGH|a
bootstrap.servers|LIST||HIGH|a
bootstrap.servers|LIST|<required>|HIGH|pc
buffer.memory|LONG|33554432|HIGH|p
check.crcs|BOOLEAN|true|LOW|c
client.dns.lookup|STRING|use_all_dns_ips|MEDIUM|pca
client.id|STRING||LOW|c
client.id|STRING||MEDIUM|pa
client.rack|STRING||LOW|c
compression.gzip.level|INT|-1|MEDIUM|p
compression.lz4.level|INT|9|MEDIUM|p
compression.type|STRING|none|HIGH|p
compression.zstd.level|INT|3|MEDIUM|p
config.providers|LIST||LOW|pca
connections.max.idle.ms|LONG|300000|MEDIUM|a
connections.max.idle.ms|LONG|540000|MEDIUM|pc
default.api.timeout.ms|INT|60000|MEDIUM|ca
delivery.timeout.ms|INT|120000|MEDIUM|p
enable.auto.commit|BOOLEAN|true|MEDIUM|c
enable.idempotence|BOOLEAN|true|LOW|p
enable.metrics.push|BOOLEAN|false|LOW|a
enable.metrics.push|BOOLEAN|true|LOW|pc
exclude.internal.topics|BOOLEAN|true|MEDIUM|c
fetch.max.bytes|INT|52428800|MEDIUM|c
fetch.max.wait.ms|INT|500|LOW|c
fetch.min.bytes|INT|1|HIGH|c
group.id|STRING|<null>|HIGH|c
group.instance.id|STRING|<null>|MEDIUM|c
group.protocol|STRING|classic|HIGH|c
group.remote.assignor|STRING|<null>|MEDIUM|c
heartbeat.interval.ms|INT|3000|HIGH|c
interceptor.classes|LIST||LOW|pc
isolation.level|STRING|read_uncommitted|MEDIUM|c
key.deserializer|CLASS|<required>|HIGH|c
key.serializer|CLASS|<required>|HIGH|p
linger.ms|LONG|5|MEDIUM|p
max.block.ms|LONG|60000|MEDIUM|p
max.in.flight.requests.per.connection|INT|5|LOW|p
max.partition.fetch.bytes|INT|1048576|HIGH|c
max.poll.interval.ms|INT|300000|MEDIUM|c
max.poll.records|INT|500|MEDIUM|c
max.request.size|INT|1048576|MEDIUM|p
metadata.max.age.ms|LONG|300000|LOW|pca
metadata.max.idle.ms|LONG|300000|LOW|p
metadata.recovery.rebootstrap.trigger.ms|LONG|300000|LOW|pca
metadata.recovery.strategy|STRING|rebootstrap|LOW|pca
metric.reporters|LIST|org.apache.kafka.common.metrics.JmxReporter|LOW|pca
metrics.num.samples|INT|2|LOW|pca
metrics.recording.level|STRING|INFO|LOW|pca
metrics.sample.window.ms|LONG|30000|LOW|pca
partition.assignment.strategy|LIST|org.apache.kafka.clients.consumer.RangeAssignor,org.apache.kafka.clients.consumer.CooperativeStickyAssignor|MEDIUM|c
partitioner.adaptive.partitioning.enable|BOOLEAN|true|LOW|p
partitioner.availability.timeout.ms|LONG|0|LOW|p
partitioner.class|CLASS|<null>|MEDIUM|p
partitioner.ignore.keys|BOOLEAN|false|MEDIUM|p
receive.buffer.bytes|INT|32768|MEDIUM|p
receive.buffer.bytes|INT|65536|MEDIUM|ca
reconnect.backoff.max.ms|LONG|1000|LOW|pca
reconnect.backoff.ms|LONG|50|LOW|pca
request.timeout.ms|INT|30000|MEDIUM|pca
retries|INT|2147483647|HIGH|p
retries|INT|2147483647|LOW|a
retry.backoff.max.ms|LONG|1000|LOW|pca
retry.backoff.ms|LONG|100|LOW|pca
sasl.client.callback.handler.class|CLASS|<null>|MEDIUM|pca
sasl.jaas.config|PASSWORD|<null>|MEDIUM|pca
sasl.kerberos.kinit.cmd|STRING|/usr/bin/kinit|LOW|pca
sasl.kerberos.min.time.before.relogin|LONG|60000|LOW|pca
sasl.kerberos.service.name|STRING|<null>|MEDIUM|pca
sasl.kerberos.ticket.renew.jitter|DOUBLE|0.05|LOW|pca
sasl.kerberos.ticket.renew.window.factor|DOUBLE|0.8|LOW|pca
sasl.login.callback.handler.class|CLASS|<null>|MEDIUM|pca
sasl.login.class|CLASS|<null>|MEDIUM|pca
sasl.login.connect.timeout.ms|INT|<null>|LOW|pca
sasl.login.read.timeout.ms|INT|<null>|LOW|pca
sasl.login.refresh.buffer.seconds|SHORT|300|LOW|pca
sasl.login.refresh.min.period.seconds|SHORT|60|LOW|pca
sasl.login.refresh.window.factor|DOUBLE|0.8|LOW|pca
sasl.login.refresh.window.jitter|DOUBLE|0.05|LOW|pca
sasl.login.retry.backoff.max.ms|LONG|10000|LOW|pca
sasl.login.retry.backoff.ms|LONG|100|LOW|pca
sasl.mechanism|STRING|GSSAPI|MEDIUM|pca
sasl.oauthbearer.assertion.algorithm|STRING|RS256|MEDIUM|pca
sasl.oauthbearer.assertion.claim.aud|STRING|<null>|MEDIUM|pca
sasl.oauthbearer.assertion.claim.exp.seconds|INT|300|LOW|pca
sasl.oauthbearer.assertion.claim.iss|STRING|<null>|MEDIUM|pca
sasl.oauthbearer.assertion.claim.jti.include|BOOLEAN|false|MEDIUM|pca
sasl.oauthbearer.assertion.claim.nbf.seconds|INT|60|LOW|pca
sasl.oauthbearer.assertion.claim.sub|STRING|<null>|MEDIUM|pca
sasl.oauthbearer.assertion.file|STRING|<null>|MEDIUM|pca
sasl.oauthbearer.assertion.private.key.file|STRING|<null>|MEDIUM|pca
sasl.oauthbearer.assertion.private.key.passphrase|PASSWORD|<null>|MEDIUM|pca
sasl.oauthbearer.assertion.template.file|STRING|<null>|MEDIUM|pca
sasl.oauthbearer.client.credentials.client.id|STRING|<null>|MEDIUM|pca
sasl.oauthbearer.client.credentials.client.secret|PASSWORD|<null>|MEDIUM|pca
sasl.oauthbearer.clock.skew.seconds|INT|30|LOW|pca
sasl.oauthbearer.expected.audience|LIST||HIGH|pca
sasl.oauthbearer.expected.issuer|STRING|<null>|HIGH|pca
sasl.oauthbearer.header.urlencode|BOOLEAN|false|LOW|pca
sasl.oauthbearer.jwks.endpoint.refresh.ms|LONG|3600000|LOW|pca
sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms|LONG|10000|LOW|pca
sasl.oauthbearer.jwks.endpoint.retry.backoff.ms|LONG|100|LOW|pca
sasl.oauthbearer.jwks.endpoint.url|STRING|<null>|MEDIUM|pca
sasl.oauthbearer.jwt.retriever.class|CLASS|org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever|MEDIUM|pca
sasl.oauthbearer.jwt.validator.class|CLASS|org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator|MEDIUM|pca
sasl.oauthbearer.scope|STRING|<null>|MEDIUM|pca
sasl.oauthbearer.scope.claim.name|STRING|scope|LOW|pca
sasl.oauthbearer.sub.claim.name|STRING|sub|LOW|pca
sasl.oauthbearer.token.endpoint.url|STRING|<null>|MEDIUM|pca
security.protocol|STRING|PLAINTEXT|MEDIUM|pca
security.providers|STRING|<null>|LOW|pca
send.buffer.bytes|INT|131072|MEDIUM|pca
session.timeout.ms|INT|45000|HIGH|c
share.acknowledgement.mode|STRING|implicit|MEDIUM|c
share.acquire.mode|STRING|BATCH_OPTIMIZED|MEDIUM|c
socket.connection.setup.timeout.max.ms|LONG|30000|MEDIUM|pca
socket.connection.setup.timeout.ms|LONG|10000|MEDIUM|pca
ssl.cipher.suites|LIST||LOW|pca
ssl.enabled.protocols|LIST|TLSv1.2,TLSv1.3|MEDIUM|pca
ssl.endpoint.identification.algorithm|STRING|https|LOW|pca
ssl.engine.factory.class|CLASS|<null>|LOW|pca
ssl.key.password|PASSWORD|<null>|HIGH|pca
ssl.keymanager.algorithm|STRING|SunX509|LOW|pca
ssl.keystore.certificate.chain|PASSWORD|<null>|HIGH|pca
ssl.keystore.key|PASSWORD|<null>|HIGH|pca
ssl.keystore.location|STRING|<null>|HIGH|pca
ssl.keystore.password|PASSWORD|<null>|HIGH|pca
ssl.keystore.type|STRING|JKS|MEDIUM|pca
ssl.protocol|STRING|TLSv1.3|MEDIUM|pca
ssl.provider|STRING|<null>|MEDIUM|pca
ssl.secure.random.implementation|STRING|<null>|LOW|pca
ssl.trustmanager.algorithm|STRING|PKIX|LOW|pca
ssl.truststore.certificates|PASSWORD|<null>|HIGH|pca
ssl.truststore.location|STRING|<null>|HIGH|pca
ssl.truststore.password|PASSWORD|<null>|HIGH|pca
ssl.truststore.type|STRING|JKS|MEDIUM|pca
transaction.timeout.ms|INT|60000|LOW|p
transaction.two.phase.commit.enable|BOOLEAN|false|LOW|p
transactional.id|STRING|<null>|LOW|p
value.deserializer|CLASS|<required>|HIGH|c
value.serializer|CLASS|<required>|HIGH|p
"""
