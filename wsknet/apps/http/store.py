"""What clients have put there, in memory and within bounds."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from hashlib import sha256

from wsknet.apps.http.contents import Octets
from wsknet.apps.http.messages import Refusal
from wsknet.apps.http.representations import Representation


@dataclass(frozen=True)
class Bounds:
    resource: int = 16 << 20
    """Octets of one resource; more is answered with 413."""
    total: int = 64 << 20
    """Octets of all, those included that are replaced but still on their way to somebody, and those that are still
    coming in; more is answered with 507."""
    resources: int = 1024
    """How many there may be; more is answered with 507."""


class _Memory(bytearray):
    """Counts as used until nobody refers to it any more, not even a buffer that is lent to the stack."""


class Store:
    """By path with query: what was put there last."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.used = 0
        self._resources: dict[str, Representation] = {}

    def __len__(self) -> int:
        return len(self._resources)

    def get(self, path: str) -> Representation | None:
        return self._resources.get(path)

    def remove(self, path: str) -> bool:
        return self._resources.pop(path, None) is not None

    def check_room(self, path: str, length: int) -> None:
        """Raises the `Refusal` if a resource of `length` octets cannot be kept."""
        bounds = self.bounds
        if length > bounds.resource:
            raise Refusal(413, f"a resource has at most {bounds.resource} octets")
        if self.used + length > bounds.total or (len(self) >= bounds.resources and path not in self._resources):
            raise Refusal(507, f"there is room for {bounds.resources} resources of {bounds.total} octets together")

    def put(self, path: str, filling: Filling, media_type: str) -> Representation:
        self.check_room(path, 0)
        memory = filling.memory
        made = Representation(Octets(memory), media_type, f'"{filling.digest.hexdigest()[:32]}"')
        self._resources[path] = made
        return made


class Filling:
    """Content that comes in: it counts from the first octet on, and no more once it is dropped."""

    def __init__(self, store: Store, path: str) -> None:
        self._store = store
        self._path = path
        self.memory = _Memory()
        self.digest = sha256()
        self._charged = [0]
        weakref.finalize(self.memory, _give_back, store, self._charged).atexit = False

    def write(self, data: memoryview) -> None:
        store = self._store
        if len(self.memory) + len(data) > store.bounds.resource:
            store.check_room(self._path, len(self.memory) + len(data))
        store.check_room(self._path, len(data))
        self.memory += data
        self.digest.update(data)
        self._charged[0] += len(data)
        store.used += len(data)


def _give_back(store: Store, charged: list[int]) -> None:
    store.used -= charged[0]
