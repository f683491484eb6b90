"""Which process of a cluster this is, as the environment variable TF_CONFIG says. Imports no TensorFlow."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from squeezenet_mcu.common.errors import UserError

VARIABLE = "TF_CONFIG"
_KINDS = ("chief", "worker")  # in this order, as TensorFlow numbers replicas
_WANT = (
    'want {"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}, perhaps with '
    'one more "host:port" as the cluster\'s "chief"'
)


@dataclass(frozen=True)
class Task:
    """`cluster`: the addresses of each kind; `kind` and `index`: this one."""

    cluster: dict[str, tuple[str, ...]]
    kind: str
    index: int

    @property
    def workers(self) -> int:
        """How many processes train, the chief among them."""
        return sum(map(len, self.cluster.values()))

    @property
    def number(self) -> int:
        """This one's, counted through all kinds; 0 is the chief: the one so called, else worker 0."""
        return self.number_of(self.kind, self.index)

    def number_of(self, kind: str, index: int) -> int:
        """The number of the task `index` of `kind`."""
        return index + (len(self.cluster.get("chief", ())) if kind == "worker" else 0)

    def name(self, number: int) -> str:
        """What to call task `number`: "worker 1 (10.0.0.2:2222)"."""
        named = [
            f"{kind if kind == 'chief' else f'{kind} {index}'} ({address})"
            for kind in _KINDS
            for index, address in enumerate(self.cluster.get(kind, ()))
        ]
        return named[number]

    def __str__(self) -> str:
        return self.name(self.number)


def config_of(addresses: list[str], index: int) -> str:
    """The TF_CONFIG of worker `index` of those at `addresses` ("host:port")."""
    return json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}})


def from_environment(environment: Mapping[str, str] = os.environ) -> Task | None:
    """The task that TF_CONFIG names; None where it is not set or empty. UserError where it is wrong."""
    text = environment.get(VARIABLE, "")
    if not text.strip():
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{VARIABLE}: not JSON ({error}); {_WANT}") from error
    cluster, task = _part(value, "cluster"), _part(value, "task")
    for kind, addresses in cluster.items():
        if kind not in _KINDS:
            raise UserError(f'{VARIABLE}: cluster has "{kind}"; want only {" and ".join(_KINDS)}')
        if not isinstance(addresses, list) or not addresses or not all(map(_is_address, addresses)):
            raise UserError(f'{VARIABLE}: cluster {kind} = {json.dumps(addresses)}; want ["host:port", ...]')
    if len(cluster.get("chief", [1])) != 1:
        raise UserError(f"{VARIABLE}: {len(cluster['chief'])} chiefs; want one, the others as workers")
    known = {kind: tuple(cluster[kind]) for kind in _KINDS if kind in cluster}
    everyone = [address for addresses in known.values() for address in addresses]
    if len(set(everyone)) != len(everyone):
        raise UserError(f"{VARIABLE}: an address is there twice: {', '.join(everyone)}; want one a process")
    role, index = task.get("type"), task.get("index")
    if not isinstance(role, str) or role not in known:
        raise UserError(f"{VARIABLE}: task type = {json.dumps(role)}; want {' or '.join(known)}")
    if isinstance(index, str) and index.isascii() and index.isdecimal():
        index = int(index)  # shells make it a string
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(known[role]):
        raise UserError(
            f"{VARIABLE}: task index = {json.dumps(index)}; want 0 to {len(known[role]) - 1}, a {role}'s"
        )
    return Task(known, role, index)


def _part(value: Any, key: str) -> dict[str, Any]:
    part = value.get(key) if isinstance(value, dict) else None
    if not isinstance(part, dict) or not part:
        raise UserError(f'{VARIABLE}: "{key}" is missing or no table; {_WANT}')
    return part


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\S+:\d{1,5}", value) is not None
