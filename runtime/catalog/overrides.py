"""Which client settings a connector may override: ``connector.client.config.override.policy`` (contract 2.1, 2.5)."""

from collections.abc import Callable, Mapping
from typing import Final

Policy = Callable[[str], str | None]
"""Given a client's setting, says why it may not be overridden, or None."""

_PRINCIPAL: Final = frozenset({"sasl.jaas.config", "sasl.mechanism", "security.protocol"})
_SUFFIX: Final = "ConnectorClientConfigOverridePolicy"


def policy_of(worker: Mapping[str, str]) -> Policy:
    """The policy that a worker's configuration asks for; everything is allowed when it asks for none."""
    given = (worker.get("connector.client.config.override.policy") or "All").strip()
    name = given.rpartition(".")[2].removesuffix(_SUFFIX)
    match name:
        case "None":
            return _allows(name, frozenset())
        case "Principal":
            return _allows(name, _PRINCIPAL)
        case "Allowlist":
            listed = worker.get("connector.client.config.override.allowlist") or ""
            return _allows(name, frozenset(item.strip() for item in listed.split(",") if item.strip()))
        case _:
            return lambda _setting: None


def _allows(name: str, allowed: frozenset[str]) -> Policy:
    def judge(setting: str) -> str | None:
        if setting in allowed:
            return None
        return f"The '{name}' policy does not allow '{setting}' to be overridden in the connector configuration."

    return judge
