"""Charters: their form, and whether they make sense.

Source: SPEC, sections 5.1 and 5.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator

import rules
from cbor import Refused, malformed
from hashes import digest
from shape import (ID, KEY, KIB, SEQ_MAX, TIME_MAX, anything, ascending, counted, filled, fixed, key, many,
                   name, optional, ranged, read, row, text, uint, version_one)

ACTIVE, OBSERVER, SUSPENDED, REMOVED = range(4)
STATUS_NAMES = ["active", "observer", "suspended", "removed"]
LIST_MAX = 1000

_WHO = optional(row(many(text), many(ID)))
_MEMBER = row(ID, text, many(row(uint, text)), many(row(text, text)), text, uint, KEY, KEY, ID,
              optional(row(uint, uint, ID)))
_CHARTER = row(uint, uint, ID, fixed(16), text, optional(ID), uint, many(_MEMBER), many(text),
               many(row(text, many(ID))), many(row(text, text, ID)),
               many(row(text, ID, uint, optional(uint), uint)), many(row(text, uint, _WHO, _WHO)),
               many(row(text, anything)), anything, anything, anything, many(ID), many(ID),
               many(row(ID, ID, uint)), uint, many(row(text, uint)))


@dataclass
class Member:
    org: bytes
    slug: str
    names: list[Any]
    codes: list[list[str]]
    class_name: str
    status: int
    feed_key: list[Any]
    witness_key: list[Any]
    recovery_digest: bytes
    cutoff: list[Any]


@dataclass
class Charter:
    format_version: int
    version: int
    prev: bytes
    nonce: bytes
    title: str
    replaces_board: list[bytes]
    rules_version: int
    members: list[Member]
    classes: list[str]
    localities: list[Any]
    sites: list[Any]
    leads: list[Any]
    kinds: list[Any]
    rules: list[Any]
    amend: Any
    admit: Any
    suspend: Any
    secretariat: list[bytes]
    closers: list[bytes]
    succession: list[Any]
    silence_days: int
    retention: list[Any]

    def member(self, org: bytes) -> Member | None:
        return next((member for member in self.members if member.org == org), None)

    def seats(self) -> dict[bytes, str]:
        return {m.org: m.class_name for m in self.members if m.status in (ACTIVE, SUSPENDED)}

    def all_rules(self) -> Iterator[tuple[str, Any]]:
        yield from self.rules
        yield from [("amend", self.amend), ("admit", self.admit), ("suspend", self.suspend)]


def read_charter(data: bytes) -> Charter:
    found = Charter(*read(data, 512 * KIB, "charter", _CHARTER))
    found.members = [Member(*member) for member in found.members]  # type: ignore[misc]
    version_one(found.format_version, "charter")
    for member in found.members:
        _check_member(member)
    _check_items(found)
    name(found.title, "charter title")
    for class_name in found.classes:
        name(class_name, "charter class")
    ranged(found.version, 0, SEQ_MAX, "charter version")
    ranged(found.silence_days, 0, 3650, "silence days")
    _check_lists(found)
    return found


def charter_hash(charter: bytes) -> bytes:
    return digest("charter", charter)


def _check_member(member: Member) -> None:
    filled(member.slug, 32, "member slug")
    if not set(member.slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-"):
        raise malformed("Shape", "member slug")
    counted(member.codes, 0, 32, "member codes")
    ascending(member.codes, "member codes")
    for scheme, code in member.codes:
        name(scheme, "member code scheme")
        name(code, "member code")
    name(member.class_name, "member class")
    counted(member.names, 1, 32, "member names")
    ascending([since for since, _ in member.names], "member names")
    for since, called in member.names:
        ranged(since, 0, TIME_MAX, "member name from")
        name(called, "member name")
    ranged(member.status, ACTIVE, REMOVED, "member status")
    key(member.feed_key, "member feed key")
    key(member.witness_key, "member witness key")
    for epoch, seq, _ in member.cutoff:
        ranged(epoch, 0, SEQ_MAX, "member cutoff epoch")
        ranged(seq, 0, SEQ_MAX, "member cutoff seq")


def _check_items(charter: Charter) -> None:
    for locality, orgs in charter.localities:
        name(locality, "locality name")
        counted(orgs, 0, LIST_MAX, "locality organisations")
        ascending(orgs, "locality organisations")
    for code, site, _ in charter.sites:
        name(code, "site code")
        name(site, "site name")
    for service, _, since, until, _ in charter.leads:
        name(service, "lead service")
        ranged(since, 0, TIME_MAX, "lead from")
        for time in until:
            ranged(time, 0, TIME_MAX, "lead to")
    for kind, _, creates, edits in charter.kinds:
        name(kind, "artefact kind")
        _check_who(creates)
        _check_who(edits)
    for called, rule in charter.rules:
        name(called, "rule name")
        rules.read_rule(rule)
    for rule in (charter.amend, charter.admit, charter.suspend):
        rules.read_rule(rule)
    for _, _, at in charter.succession:
        ranged(at, 0, TIME_MAX, "succession date")
    for class_name, _ in charter.retention:
        name(class_name, "retention class")


def _check_who(who: list[Any]) -> None:
    for classes, orgs in who:
        counted(classes, 0, LIST_MAX, "who classes")
        ascending(classes, "who classes")
        counted(orgs, 0, LIST_MAX, "who organisations")
        ascending(orgs, "who organisations")
        for class_name in classes:
            name(class_name, "who class")


def _check_lists(charter: Charter) -> None:
    lists: list[tuple[str, list[Any], int]] = [
        ("members", [m.org for m in charter.members], 1), ("classes", charter.classes, 1),
        ("localities", charter.localities, 1), ("sites", charter.sites, 1), ("leads", charter.leads, 3),
        ("kinds", charter.kinds, 1), ("rules", charter.rules, 1), ("secretariat", charter.secretariat, 0),
        ("closers", charter.closers, 0), ("succession", charter.succession, 2),
        ("retention", charter.retention, 1)]
    for called, items, _ in lists:
        counted(items, int(called == "members"), LIST_MAX, "charter " + called)
    for called, items, width in lists:
        if width:
            heads = [item[:width] if isinstance(item, list) else item for item in items]
            ascending(heads, "charter " + called)


def check_sense(charter: Charter) -> None:
    """Refuses a charter that can be read and should not be signed: the first fault counts."""
    for fault, why in _faults(charter):
        raise Refused("Unsound." + fault, why)


Fault = tuple[str, str]


def _faults(charter: Charter) -> Iterator[Fault]:
    yield from _member_faults(charter)
    yield from _list_faults(charter)
    yield from _kind_faults(charter)
    yield from _rule_faults(charter)


def _member_faults(charter: Charter) -> Iterator[Fault]:
    orgs: set[bytes] = set()
    slugs: set[str] = set()
    for member in charter.members:
        if member.org in orgs:
            yield "OrgTwice", member.slug
        if member.slug in slugs:
            yield "SlugTwice", member.slug
        if member.class_name not in charter.classes:
            yield "MemberClass", member.slug
        if member.status in (SUSPENDED, REMOVED) and not member.cutoff:
            yield "NoCutoff", member.slug
        orgs.add(member.org)
        slugs.add(member.slug)
    if all(member.status != ACTIVE for member in charter.members):
        yield "NoActiveMember", charter.title
    keys = [found for m in charter.members for found in (
        digest("recovery", m.feed_key[1]), digest("recovery", m.witness_key[1]), m.recovery_digest)]
    if len(set(keys)) < len(keys):
        yield "KeyTwice", charter.title


def _list_faults(charter: Charter) -> Iterator[Fault]:
    for called, orgs in (("secretariat", charter.secretariat), ("closers", charter.closers)):
        if len(set(orgs)) < len(orgs):
            yield "ListedTwice", called
    named = [org for _, orgs in charter.localities for org in orgs]
    yield from _strangers(charter, named + [org for _, _, org in charter.sites])
    for service, org, since, until, _ in charter.leads:
        yield from _strangers(charter, [org])
        if until and until[0] <= since:
            yield "LeadEndsEarly", service
    yield from _strangers(charter, charter.secretariat + charter.closers)
    for closed, successor, _ in charter.succession:
        yield from _strangers(charter, [closed, successor])
        if closed == successor:
            yield "OwnSuccessor", closed.hex()


def _strangers(charter: Charter, orgs: list[bytes]) -> Iterator[Fault]:
    for org in orgs:
        if charter.member(org) is None:
            yield "NotAMember", org.hex()


def _kind_faults(charter: Charter) -> Iterator[Fault]:
    for kind, schema_version, creates, edits in charter.kinds:
        if schema_version == 0:
            yield "NoSchemaVersion", kind
        for who in (creates, edits):
            for classes, orgs in who:
                if not set(classes) <= set(charter.classes):
                    yield "KindClass", kind
                yield from _strangers(charter, orgs)
                if not any(m.status == ACTIVE and (m.class_name in classes or m.org in orgs)
                           for m in charter.members):
                    yield "NobodyWrites", kind


def _rule_faults(charter: Charter) -> Iterator[Fault]:
    seats = charter.seats()
    willing = rules.Seats(seats, {org: "approve" for org in seats})
    special = ("amend", "admit", "suspend")
    for called, _ in charter.rules:
        if called in special:
            yield "RuleNameTaken", called
    for called, rule in charter.all_rules():
        for part in rules.walk(rule):
            if not set(rules.classes_of(part)) <= set(charter.classes):
                yield "RuleClass", called
            if part[0] == rules.ORG and part[1] not in seats:
                yield "RuleOrg", called
        if rules.trace(rule, willing)[0][1] is not True:
            yield "NeverHolds", called
    for called, rule in list(charter.all_rules())[-3:]:
        for part in rules.walk(rule):
            fit = part[0] in (rules.ALL, rules.ANY, rules.ORG) or part[0] == rules.SHARE and part[4] == 1
            if not fit:
                yield "UnfitPart", called
        if not _is_exclusive(rule):
            yield "NotExclusive", called


def _is_exclusive(rule: Any) -> bool:
    """Whether, outside every `any`, there is an org or a share above one half."""
    if rule[0] == rules.ALL:
        return any(map(_is_exclusive, rule[1]))
    return rule[0] == rules.ORG or rule[0] == rules.SHARE and bool(2 * rule[2] > rule[3])
