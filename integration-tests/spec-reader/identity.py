"""Who: inception records, node cards, attributions.

Source: SPEC, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cbor import Refused, within
from hashes import digest, signed
from shape import (ID, KEY, KIB, NAME, SIGNATURE, TIME_MAX, ascending, blob, counted, fixed, key, many,
                   ranged, read, row, short, text, uint, version_one)


@dataclass
class Inception:
    version: int
    class_name: str
    legal_name: str
    codes: list[list[str]]
    recovery_digest: bytes
    nonce: bytes


def read_inception(data: bytes) -> Inception:
    shape = row(uint, text, text, many(row(text, text)), ID, fixed(16))
    found = Inception(*read(data, 4 * KIB, "inception", shape))
    version_one(found.version, "inception")
    short(found.class_name, NAME, "inception class")
    short(found.legal_name, NAME, "legal name")
    counted(found.codes, 0, 32, "organisation codes")
    ascending(found.codes, "organisation codes")
    return found


def org_id(inception: bytes) -> bytes:
    return digest("org", inception)


@dataclass
class Card:
    version: int
    org: bytes
    epoch: int
    number: int
    feed_key: list[Any]
    witness_key: list[Any]
    node_key: bytes
    addresses: list[str]
    not_before: int


@dataclass
class SignedCard:
    card_bytes: bytes
    signature: list[Any]


def read_card(data: bytes) -> tuple[SignedCard, Card]:
    with within("BadCard"):
        outer = SignedCard(*read(data, 4 * KIB, "signed card", row(blob, SIGNATURE)))
        shape = row(uint, ID, uint, uint, KEY, KEY, ID, many(text), uint)
        card = Card(*read(outer.card_bytes, 4 * KIB, "card", shape))
        version_one(card.version, "card")
        counted(card.addresses, 0, 16, "card addresses")
        for address in card.addresses:
            short(address, 128, "card address")
        ranged(card.not_before, 0, TIME_MAX, "card not_before")
        keys = [key(card.feed_key, "card feed key"), key(card.witness_key, "card witness key"),
                key([1, card.node_key], "card node key")]
    if len(set(keys)) != 3:
        raise Refused("BadCard.SharedKey")
    if not signed("card", keys[0], outer.card_bytes, outer.signature):
        raise Refused("BadCard.Signature.BadSignature")
    return outer, card


@dataclass
class Attribution:
    actor_ref: bytes
    role: str
    capacity: str
    how_authenticated: str


def read_attribution(data: bytes) -> Attribution:
    found = Attribution(*read(data, KIB, "attribution", row(fixed(16), text, text, text)))
    for field in (found.role, found.capacity, found.how_authenticated):
        short(field, NAME, "attribution text")
    return found
