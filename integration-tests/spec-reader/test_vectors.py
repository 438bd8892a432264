"""The vectors of the specification: every file, every vector, good and bad."""

from __future__ import annotations

import json
import re
import unittest
from pathlib import Path
from typing import Any, Callable, Optional

import bundle
import canonical
import checkpoint
import decisions
import describe
import ed25519
import founding
import guard
import hashes
import identity
import kinds
import lifecycle
import lineage
import merkle
import messages
import payloads
import rules
import tlog
import verdict
from audit import READERS, Audit
from cbor import Refused, decode, encode
from chain import OLD_KEY, RECOVERY_KEY, Chain, Opening, check_opening, mandatory_sizes, read_opening
from charter import charter_hash, read_charter
from evidence import read_evidence, read_fork_proof
from feed import Descriptor, read_descriptor, read_head, read_header, read_run, read_sealed
from shape import to_bytes

VECTORS = Path(__file__).resolve().parents[2] / "protocol" / "tests" / "vectors"
Vector = dict[str, Any]

DECODERS: dict[str, Callable[[bytes], Any]] = {
    **READERS, "cbor": lambda data: decode(data, 256), "inception": identity.read_inception,
    "card": identity.read_card, "attribution": identity.read_attribution, "charter": read_charter,
    "founding": founding.read_founding, "descriptor": read_descriptor, "header": read_header,
    "sealed": read_sealed, "head": read_head, "run": read_run, "fork_proof": read_fork_proof,
    "evidence": read_evidence, "frame": messages.read_frame, "bundle_payload": bundle.read_bundle_payload,
    "tlog_proof": tlog.read_proof, "bundle_end": bundle.read_bundle_end, "canonical": canonical.read,
    "wording": canonical.read_wording}
IN_PAIRS = ("card", "founding", "charter_candidate", "evidence", "bundle_payload")
IGNORED = {"name", "decoder", "hex", "error", "detail"}


def unhex(written: Any) -> bytes:
    if isinstance(written, dict):
        return bytes.fromhex(written["repeat"]) * int(written["times"])
    return bytes.fromhex(written)


def load(file: str) -> Vector:
    return dict(json.loads((VECTORS / f"{file}.json").read_text()))


def write(decoder: str, found: Any) -> bytes:
    """The bytes of what a decoder made."""
    if decoder == "checkpoint":
        return checkpoint.write_checkpoint(found)
    if decoder == "tlog_proof":
        return tlog.write_proof(found)
    if decoder == "frame":
        return bytes([found.tag]) + encode(found.body)
    if decoder == "canonical":
        return canonical.write(found)
    if decoder == "wording":
        return canonical.write(canonical.read(found.snapshot))
    if decoder in ("note", "bundle_end"):
        return encode([found])
    return to_bytes(found[0] if decoder in IN_PAIRS else found)


def founded() -> Any:
    """The founding file that other vectors refer to."""
    vector = next(v for v in load("charter")["good"] if v["name"] == "a board of six")
    return founding.read_founding(unhex(vector["hex"]))


# Cases: each gives the fields of a vector as this reader finds them, or refuses.

def case_ids(vector: Vector) -> Vector:
    if "tag" in vector:
        return {**vector, "hash": hashes.digest(tag_name(vector), unhex(vector["message"])).hex()}
    prefix = hashes.PREFIXES[vector.get("expected") or prefix_name(vector["text"])]
    identifier = hashes.id_bytes(prefix, vector["text"])
    return {**vector, "id": identifier.hex(), "text": hashes.id_text(prefix, identifier)}


def tag_name(vector: Vector) -> str:
    family, tag, version = vector["tag"].split("/")
    assert (family, version) == ("concordat", "v1")
    return str(tag)


def prefix_name(written: str) -> str:
    return next(name for name, prefix in hashes.PREFIXES.items() if written.startswith(prefix + "-"))


def case_tree(vector: Vector) -> Vector:
    path = list(map(unhex, vector["path"]))
    root = merkle.root_from_path(vector["index"], vector["size"], unhex(vector["leaf"]), path)
    if root is None:
        raise Refused("NoRoot")
    leaves = [merkle.leaf_hash(bytes([place])) for place in range(vector["size"])]
    assert root == merkle.root_of(leaves)
    return {**vector, "root": root.hex(), "leaf": leaves[vector["index"]].hex()}


def case_signatures(vector: Vector) -> Vector:
    key, signature = unhex(vector["key"]), unhex(vector["signature"])
    if "key_admitted" in vector:
        assert vector["key_admitted"] == (ed25519.key_fault(key) is None), vector["name"]
    message = vector["note"].encode() if "note" in vector else \
        hashes.tagged(tag_name(vector), unhex(vector["message"]))
    if b"\x00" in message and "note" in vector or not ed25519.verify(key, message, signature):
        raise Refused("BadSignature")
    return vector


def case_rules(vector: Vector) -> Vector:
    charter = founded()[1]
    named = {member.slug: member.org for member in charter.members}
    seats = charter.seats()
    given = {named[slug]: answer for slug, answer in vector["answers"].items()}
    answers = {org: given.get(org, "absent" if vector["closed"] else None) for org in seats}
    rule = decode(unhex(vector["rule"]), 4096)
    rules.read_rule(rule)
    words: dict[rules.Outcome, str] = {True: "true", False: "false", None: "open"}
    lines = [[depth, words[outcome]] for depth, outcome in rules.trace(rule, rules.Seats(seats, answers))]
    return {**vector, "outcome": lines[0][1], "trace": lines}


def case_settlement(vector: Vector) -> Vector:
    settled = payloads.settled_size(vector["size"], vector["others"], vector["covered"])
    return {**vector, "settled": settled}


def case_lineage(vector: Vector) -> Vector:
    feeds = [known_feed(*row) for row in vector["feeds"]]
    if "room_for" in vector:
        lineage.expect_room(known_feed(*vector["room_for"]), feeds)
        return vector
    found = [[extent.end[0], extent.end[1][0]] if extent.end else extent.state.replace("stands", "open")
             for extent in lineage.extents(feeds)]
    return {**vector, "extents": found}


def known_feed(number: int, epoch: int, by: Any, end: Optional[list[int]]) -> lineage.Known:
    """A feed whose key is its number; nothing of it is signed."""
    here = Descriptor(bytes(32), bytes(32), epoch, 1, bytes([number]) * 32)
    if by == "charter":
        return lineage.Known(here)
    is_twice = isinstance(by, list)
    by = by[1] if is_twice else by
    warrant = [RECOVERY_KEY, [1, bytes(32)], []] if by == "recovery" else [OLD_KEY, [1, bytes([by]) * 32], []]
    ends = [[end[0], bytes([end[1]]) * 32]] if end else []
    return lineage.Known(here, Opening(here, ends, [warrant]), is_twice)


def case_mandatory(vector: Vector) -> Vector:
    return {**vector, "mandatory": mandatory_sizes((n, bool(g)) for n, g in vector["headers"])}


def case_run(vector: Vector) -> Vector:
    descriptor = read_descriptor(unhex(vector["descriptor"]))
    chain = Chain(descriptor.feed_id(), descriptor.key)
    for before in vector["after"]:
        chain = chain.extended(read_run(unhex(before)))[0]
    chain, entries, mandatory = chain.extended(read_run(unhex(vector["hex"])))
    return {**vector, "ids": [entry.id.hex() for entry in entries], "mandatory": mandatory,
            "root": chain.frontier.root().hex(), "size": chain.size}


def case_open_feed(vector: Vector) -> Vector:
    candidate, charter = founded()
    before = read_descriptor(unhex(vector["before"])) if vector["before"] else None
    board = hashes.digest("charter", candidate.charter_bytes)
    opening = read_opening(unhex(vector["hex"]))
    check_opening(opening, hashes.id_bytes("feed", vector["feed"]), board, charter, before)
    return vector


def case_timing(vector: Vector) -> Vector:
    in_time, shut = decisions.bounds(vector["others"], vector["covered"], vector["own_closing"])
    return {**vector, "in_time": in_time, "shut": shut}


def case_poll(vector: Vector) -> Vector:
    named = {member.slug: member.org for member in founded()[1].members}
    slugs = {org: slug for slug, org in named.items()}
    first = vector["first_charter"]
    board = next(v for v in load("charter")["good"] if v["name"] == "a small board")
    charters = [read_charter(unhex(written)) for written in [first or board["hex"], *vector["later_charters"]]]

    def by(fields: Vector) -> decisions.Written:
        branch = fields["branch"] and hashes.id_bytes("entry", fields["branch"])
        return decisions.Written(
            hashes.id_bytes("entry", fields["entry"]), named[fields["org"]], fields["epoch"], fields["seq"],
            hashes.id_bytes("charter", fields["charter"]), fields["settled"], fields["standing"], branch)

    found = decisions.poll(decisions.Papers(
        [(charter_hash(to_bytes(charter)), charter) for charter in charters],
        [named[slug] for slug in vector["audience"]], by(vector["proposal"]["by"]),
        payloads.read_proposal(unhex(vector["proposal"]["says"])),
        [decisions.SignedOff(by(one["by"]), payloads.read_signoff(unhex(one["says"])), one["in_time"])
         for one in vector["sign_offs"]],
        [decisions.Closed(by(one["by"]), payloads.read_close(unhex(one["says"])),
                          {hashes.id_bytes("entry", entry) for entry in one["unread"]})
         for one in vector["closings"]],
        {named[slug] for slug in vector["shut"]},
        {hashes.id_bytes("entry", entry) for entry in vector["contested"]}))
    return {**vector, "result": found.result, "why": found.why, "rule": decisions.OUTCOMES[found.rule],
            "quorum": decisions.OUTCOMES[found.quorum],
            "seats": {slugs[org]: answer or "open" for org, answer in found.seats.items()},
            "fates": {hashes.id_text("entry", entry): fate for entry, fate in found.fates.items()},
            "trace": found.trace, "spare": found.spare, "codes": sorted(found.codes),
            "remaining": list(found.remaining) if found.remaining else None}


def case_verdict(vector: Vector) -> Vector:
    told = {known["name"]: known for known in load("verdict")["good"]}
    history = verdict.History()
    for name in vector["after"]:
        history.admit(history.judge(unhex(told[name]["change"]), unhex(vector["feed"])))
    found = history.judge(unhex(vector["change"]), unhex(vector["feed"]))
    if found.outcome == "waiting":
        return {**vector, "outcome": "waiting", "missing": [missing.hex() for missing in found.missing]}
    place = {"seq": found.change.seq, "max_op": found.change.max_op()} if vector["after"] else {}
    return {**vector, "outcome": "good", "hash": found.change.hash.hex(), **place}


def case_skeleton(vector: Vector) -> Vector:
    kind = kinds.kind_of(vector["kind"], vector["version"])
    raw = kinds.skeleton(kind, vector["kind"], vector["version"])
    found = verdict.History().judge(raw, bytes(16))
    return {**vector, "change": raw.hex(), "hash": found.change.hash.hex()}


def case_event(vector: Vector) -> Vector:
    said = payloads.read_event(unhex(vector["payload"]))
    kind = kinds.kind_of(vector["kind"], vector["version"])
    kinds.read_statement(kind, said.name, said.values, vector["remark"])
    return vector


def case_guard(vector: Vector) -> Vector:
    return {**vector, "holds": guard.holds_number(vector["text"])}


def case_lifecycle(vector: Vector) -> Vector:
    classes = ["council", "trust", "ccg", "trust", "ccg", "council"]
    authors = [lifecycle.Author(bytes([number] * 32), classes[number], number != 5, number == 0, number < 2,
                                ["bolton", "bury"] if number == 0 else []) for number in range(6)]

    def event(written: Optional[str]) -> Optional[tuple[str, list[Any]]]:
        said = payloads.read_event(unhex(written)) if written else None
        return (said.name, said.values) if said else None

    def entry(written: str) -> bytes:
        return hashes.id_bytes("entry", written)

    def text(identifier: bytes) -> str:
        return hashes.id_text("entry", identifier)

    facts = [lifecycle.Fact(entry(one["entry"]), authors[one["by"]], 0, one["seq"], list(map(entry, one["refs"])),
                            event(one["event"])) for one in vector["facts"]]
    results = {entry(proposal): carried for proposal, carried in vector["results"].items()}
    kind = kinds.kind_of(vector["kind"], vector["version"])
    found = lifecycle.Lifecycle(kind, authors[0].org, facts, results)
    lines = [[hashes.id_text("org", key[0]), key[1], line.quantity, line.confirmed, found.unanswered(key),
              found.left(key), max(0, line.confirmed - line.quantity),
              max(0, found.unanswered(key) - found.left(key))] for key, line in sorted(found.lines.items())]
    rows = [[key[0], hashes.id_text("org", key[2]), text(fact.entry)] for key, fact in found.rows.items()]
    why = {one: vector["without_effect"].get(one, "?") for one in map(text, found.without_effect)}
    return {**vector, "state": found.state(), "tips": [text(tip.entry) for _, tip in found.tips()],
            "holds": sorted(text(hold.entry) for hold in found.open_holds()), "without_effect": why,
            "lines": lines, "rows": vector["rows"] if sorted(rows) == sorted(vector["rows"]) else rows,
            "shown": [[at, found.shown(at)] for at, _ in vector["shown"]]}


def case_frame(vector: Vector) -> Vector:
    items = decode(unhex(vector["items"]), 1 << 20)
    digest = messages.have_digest(hashes.id_bytes("board", vector["board"]), items)
    return {**vector, "digest": digest.hex()}


def case_tlog_proof(vector: Vector) -> Vector:
    """The policy of a member's first feed."""
    candidate, charter = founded()
    member = next(member for member in charter.members if member.slug == vector["policy_of"])
    origin = checkpoint.Origin(charter_hash(candidate.charter_bytes), member.org, 0)
    threshold, text = tlog.policy(charter, origin, member.feed_key[1])
    return {**vector, "threshold": threshold, "text": text}


def case_bundle(vector: Vector) -> Vector:
    """Severities, codes and places must agree; how often, in which order and words is not specified."""
    audit = Audit(unhex(vector["hex"]))
    found = {(f.severity, f.code, *f.place.compared().values()) for f in audit.findings}
    told = {(severity, code, *(place[name] for name in ("feed", "seq", "last_seq", "record")))
            for severity, code, place, _ in vector["findings"]}
    return {**vector, "entries": audit.entries(), "settled": audit.settled(),
            "exit_status": audit.exit_status(), "findings": vector["findings"] if found == told else list(found)}


CASES: dict[str, Callable[[Vector], Vector]] = {
    name[5:]: case for name, case in globals().copy().items() if name.startswith("case_")}


class Vectors(unittest.TestCase):
    def test_every_vector_reads_as_it_says_or_is_refused_as_it_says(self) -> None:
        files = sorted(path.stem for path in VECTORS.glob("*.json"))
        self.assertGreater(len(files), 20)
        total = 0
        for file in files:
            vectors = load(file)
            self.assertEqual(set(vectors), {"format", "about", "good", "bad"})
            self.assertEqual(vectors["format"], file)
            for good in (True, False):
                for vector in vectors["good" if good else "bad"]:
                    with self.subTest(file=file, vector=vector["name"]):
                        self._check(file, vector, good)
            counts = len(vectors["good"]), len(vectors["bad"])
            total += sum(counts)
            print(f"{file}: {counts[0]} good, {counts[1]} bad")
        print(f"{total} vectors in {len(files)} files")

    def test_every_block_of_bytes_in_the_specification_is_a_vector(self) -> None:
        vectors = {v["hex"] for path in VECTORS.glob("*.json") for v in load(path.stem)["good"] if "hex" in v}
        text = VECTORS.parents[1].joinpath("SPEC.md").read_text()
        blocks = re.findall(r"```hex\n(.*?)```", text, re.S)
        self.assertGreater(len(blocks), 30)
        for block in blocks:
            lines = ["".join(re.findall(r"^[0-9a-f]*", line)) for line in block.splitlines()]
            self.assertIn("".join(lines), vectors, block[:200])

    def _check(self, file: str, vector: Vector, good: bool) -> None:
        decoder = vector.get("decoder")
        if decoder is None:
            self.assertIn(file, CASES, "no handler for the cases of this file")
        else:
            self.assertIn(decoder, DECODERS, "no handler for this decoder")
        if good or "exit_status" in vector:
            self._read(file, vector)
            return
        with self.assertRaises(Refused) as caught:
            self._read(file, vector)
        self.assertEqual(caught.exception.code, vector["error"], str(caught.exception))

    def _read(self, file: str, vector: Vector) -> None:
        decoder = vector.get("decoder")
        if decoder is None:
            self.assertEqual(CASES[file](vector), vector)
            return
        data = unhex(vector["hex"])
        found = DECODERS[decoder](data)
        if decoder in ("checkpoint", "tlog_proof") and "error" in vector:
            good = load(file)["good"][0]
            describe.DESCRIBE[decoder](found, {**good, **vector})
            return
        if "error" not in vector:
            self.assertEqual(write(decoder, found), data, "written again, it is other bytes")
        described = describe.DESCRIBE[decoder](found, vector)
        for field in set(vector) - IGNORED:
            self.assertIn(field, described, "a field of the vector that nothing compares")
            self.assertEqual(described[field], vector[field], field)

    def test_sealed_vectors_fit_the_header_of_their_name(self) -> None:
        vectors = load("header")["good"]
        headers = {v["name"]: read_header(unhex(v["hex"])) for v in vectors if v["decoder"] == "header"}
        for vector in vectors:
            if vector["decoder"] == "sealed":
                sealed = read_sealed(unhex(vector["hex"]))
                self.assertTrue(sealed.fits(headers[vector["name"]]))
                others = [header for name, header in headers.items() if name != vector["name"]]
                self.assertFalse(all(map(sealed.fits, others)))


if __name__ == "__main__":
    unittest.main()
