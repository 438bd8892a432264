"""What the fields of the vectors say about what was read, for each decoder.

Each function gets what the decoder made and the vector, whose inputs (a key to
verify under, for instance) it uses and hands back with the results.
"""

from __future__ import annotations

import json
from typing import Any, Callable, Optional

import checkpoint
import feed
import payloads
import tlog
from cbor import Value
from charter import STATUS_NAMES, charter_hash
from hashes import digest, id_bytes, id_text
from identity import org_id
from merkle import leaf_hash
from shape import to_bytes

Fields = dict[str, Any]


def entry(identifier: bytes) -> str:
    return id_text("entry", identifier)


def first(items: list[Any]) -> Optional[Any]:
    return items[0] if items else None


def diagnostic(value: Value) -> str:
    if isinstance(value, bytes):
        return f"h'{value.hex()}'"
    if isinstance(value, list):
        return "[" + ", ".join(map(diagnostic, value)) + "]"
    return json.dumps(value)


def inception(found: Any, vector: Fields) -> Fields:
    recovery = digest("recovery", bytes.fromhex(vector["recovery_key"]))
    return {"class": found.class_name, "legal_name": found.legal_name, "codes": found.codes,
            "recovery_digest": recovery.hex() if recovery == found.recovery_digest else "another",
            "recovery_key": vector["recovery_key"], "nonce": found.nonce.hex(),
            "org": id_text("org", org_id(to_bytes(found)))}


def card(found: Any, _: Fields) -> Fields:
    inner = found[1]
    return {"org": id_text("org", inner.org), "epoch": inner.epoch, "number": inner.number,
            "feed_key": inner.feed_key[1].hex(), "witness_key": inner.witness_key[1].hex(),
            "node_key": id_text("node", inner.node_key), "addresses": inner.addresses,
            "not_before": inner.not_before}


def attribution(found: Any, _: Fields) -> Fields:
    return {**vars(found), "actor_ref": found.actor_ref.hex()}


def charter(found: Any, _: Fields) -> Fields:
    identifier = charter_hash(to_bytes(found))
    members = [{"org": id_text("org", m.org), "slug": m.slug, "class": m.class_name,
                "status": STATUS_NAMES[m.status], "feed_key": m.feed_key[1].hex(),
                "witness_key": m.witness_key[1].hex()} for m in found.members]
    return {"hash": id_text("charter", identifier), "title": found.title, "version": found.version,
            "board": id_text("board", identifier), "members": members}


def candidate(found: Any, _: Fields) -> Fields:
    identifier = charter_hash(found[0].charter_bytes)
    return {"acceptances": len(found[0].acceptances), "board": id_text("board", identifier),
            "hash": id_text("charter", identifier), "version": found[1].version}


def vote(found: Any, _: Fields) -> Fields:
    charters = [f"charter-{choice.hex()[:8]}" for choice in found.choice]
    ids = [f"entry-{identifier.hex()[:8]}" for identifier in found.ids]
    listed = f"[{', '.join(ids)}]"
    said = {"MoveOn": f"confirmed: Some(({', '.join(charters + ids)}))" if ids else "confirmed: None",
            "Approve": f"charter: {first(charters)}, opened_by: {listed}", "RejectAll": f"opened_by: {listed}",
            "Confirm": f"charter: {first(charters)}, approvals: {listed}"}[found.says()]
    return {"version": found.version, "ballot": found.ballot, "says": f"{found.says()} {{ {said} }}"}


def descriptor(found: Any, _: Fields) -> Fields:
    return {"board": id_text("board", found.board), "org": id_text("org", found.org), "epoch": found.epoch,
            "key": found.key.hex(), "feed": id_text("feed", found.feed_id())}


def header(found: Any, _: Fields) -> Fields:
    encoded = to_bytes(found)
    artefact = first(found.artefact)
    a_hash = first(found.a_hash)
    return {"a_hash": a_hash and a_hash.hex(), "artefact": artefact and id_text("artefact", artefact),
            "charter": id_text("charter", found.charter), "feed": id_text("feed", found.feed),
            "id": entry(feed.entry_id(encoded)), "kind": found.kind, "kind_name": feed.KINDS.get(found.kind),
            "leaf": leaf_hash(encoded).hex(), "p_hash": found.p_hash.hex(), "p_len": found.p_len,
            "prev": found.prev.hex(), "refs": list(map(entry, found.refs)), "seq": found.seq,
            "t_ms": found.t_ms}


def sealed(found: Any, _: Fields) -> Fields:
    p_hash, _, a_hash = found.hashes()
    beside = first(found.salted_attribution)
    return {"p_hash": p_hash.hex(), "a_hash": a_hash[0].hex() if a_hash else None,
            "payload": found.payload.hex(), "attribution": beside and beside[1].hex(),
            "salt": found.salted_payload[0].hex()}


def head(found: Any, vector: Fields) -> Fields:
    inner = found.head
    return {"feed": id_text("feed", inner.feed), "size": inner.size, "id": entry(inner.last),
            "root": inner.root.hex(), "key": vector["key"],
            "verifies": found.verifies(bytes.fromhex(vector["key"]))}


def run(found: Any, _: Fields) -> Fields:
    return {"feed": id_text("feed", found.feed), "from": found.start, "before": found.before.hex(),
            "entries": len(found.entries), "heads": [h.head.size for h in found.heads]}


def open_feed(found: Any, _: Fields) -> Fields:
    roles = ["old", "new", "recovery"]
    return {"descriptor": descriptor(found.descriptor, {}),
            "end": [found.end[0][0], entry(found.end[0][1])] if found.end else None,
            "warrants": [{"role": roles[role], "key": key[1].hex(), "signature": signature[1].hex()}
                         for role, key, signature in found.warrants]}


def ack(found: Any, _: Fields) -> Fields:
    return {"items": [{**vars(item), "feed": id_text("feed", item.feed), "id": entry(item.id),
                       "complete_through": item.complete_through()} for item in found]}


def fork_proof(found: Any, _: Fields) -> Fields:
    return {"descriptor": descriptor(found.descriptor, {}), "index": found.index,
            "feed": id_text("feed", found.descriptor.feed_id())}


def evidence(found: Any, _: Fields) -> Fields:
    return {"type": found[0].type, "index": found[1].index}


def open_artefact(found: Any, vector: Fields) -> Fields:
    board, org = id_bytes("board", vector["on_board"]), id_bytes("org", vector["by_org"])
    return {"nonce": found.nonce.hex(), "artefact_kind": found.artefact_kind,
            "schema_version": found.schema_version, "audience": [id_text("org", o) for o in found.audience],
            "on_board": vector["on_board"], "by_org": vector["by_org"],
            "artefact": id_text("artefact", payloads.artefact_id(board, org, found.nonce))}


def proposal(found: Any, _: Fields) -> Fields:
    replaces = first(found.replaces)
    return {"closes_at": found.closes_at, "rule": found.rule, "replaces": replaces and entry(replaces)}


def read_note(found: Any, vector: Fields) -> Fields:
    feed_key, witness_key = bytes.fromhex(vector["feed_key"]), bytes.fromhex(vector["witness_key"])
    origin = checkpoint.read_origin(vector["origin"])
    witness = id_bytes("org", vector["witness"])
    assert origin is not None
    given = {name: vector[name] for name in ("feed_key", "witness_key", "witness")}
    return {**given, "origin": str(found.origin), "size": found.size, "root": found.root.hex(),
            "text": checkpoint.write_checkpoint(found).decode(),
            "cosignatures": checkpoint.verify_checkpoint(found, origin, feed_key, {witness: witness_key})}


def tlog_proof(found: Any, vector: Fields) -> Fields:
    """A proof of the entry whose header is the extra data."""
    feed_key, witness_key = bytes.fromhex(vector["feed_key"]), bytes.fromhex(vector["witness_key"])
    origin, header = checkpoint.read_origin(vector["origin"]), found.extra or b""
    assert origin is not None
    witnesses = {id_bytes("org", vector["witness"]): witness_key}
    given = {name: vector[name] for name in ("feed_key", "witness_key", "witness")}
    return {**given, "origin": str(found.checkpoint.origin), "index": found.index, "extra": header.hex(),
            "size": found.checkpoint.size, "text": tlog.write_proof(found).decode(),
            "cosignatures": tlog.verify_proof(found, header, origin, feed_key, witnesses)}


def cosign(found: Any, vector: Fields) -> Fields:
    item = found[0]
    holds = item.verifies(bytes.fromhex(vector["witness_key"]))
    return {"origin": item.origin, "size": item.size, "root": item.root.hex(), "time_s": item.time_s,
            "signature": item.signature[1].hex() if holds else "does not verify",
            "witness_key": vector["witness_key"]}


DESCRIBE: dict[str, Callable[[Any, Fields], Fields]] = {
    "cbor": lambda found, _: {"diagnostic": diagnostic(found)},
    "inception": inception, "card": card, "attribution": attribution, "charter": charter,
    "founding": candidate, "charter_candidate": candidate, "charter_vote": vote, "descriptor": descriptor,
    "header": header, "sealed": sealed, "head": head, "run": run, "open_feed": open_feed, "ack": ack,
    "fork_proof": fork_proof, "evidence": evidence, "open": open_artefact, "proposal": proposal,
    "audience": lambda found, _: {"reason": found.reason},
    "change": lambda found, _: {"changes": [change.hex() for change in found]},
    "event": lambda found, _: {"event": found.name}, "remark": lambda found, _: {"remark": found.name},
    "canonical": lambda found, _: {"value": found},
    "wording": lambda found, _: {"kind": found.kind, "schema": found.schema, "renderer": found.renderer,
                                 "digest": found.digest().hex()},
    "signoff": lambda found, _: {"answer": payloads.ANSWERS[found.answer]},
    "close": lambda found, _: {"counted": len(found.counted)},
    "redact": lambda found, _: {"part": found.part, "ground": found.ground},
    "blob": lambda found, _: {"length": found.length}, "note": lambda found, _: {"text": found},
    "checkpoint": read_note, "cosign": cosign, "tlog_proof": tlog_proof,
    "frame": lambda found, _: {"message": found.name, "lane": found.lane()},
    "bundle_payload": lambda found, _: {"feed": id_text("feed", found[0].feed), "seq": found[0].seq},
    "bundle_end": lambda found, _: {"count": found},
}
