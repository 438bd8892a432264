"""RFC 6962 trees: leaf hashes, roots, frontiers and inclusion paths.

A frontier is the list of the roots of the full subtrees of a tree, the largest
first: one for each bit of the size that is set.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Optional


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


@dataclass
class Frontier:
    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def push(self, leaf: bytes) -> None:
        size = self.size
        while size & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            size >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self.peaks:
            return sha256(b"").digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def copy(self) -> "Frontier":
        return Frontier(self.size, list(self.peaks))


def root_of(leaves: list[bytes]) -> bytes:
    frontier = Frontier()
    for leaf in leaves:
        frontier.push(leaf)
    return frontier.root()


def root_from_path(index: int, size: int, leaf: bytes, path: list[bytes]) -> Optional[bytes]:
    """The root that the path leads to; None if the path has not the length it must have."""
    if not 0 <= index < size:
        return None
    rest = list(path)
    node, last, found = index, size - 1, leaf
    while last > 0:
        if node & 1 or node < last:
            if not rest:
                return None
            sibling = rest.pop(0)
            found = node_hash(sibling, found) if node & 1 else node_hash(found, sibling)
        node, last = node >> 1, last >> 1
    return None if rest else found
