"""C2SP proofs that an entry is in a feed, and the policies of feeds.

    python3 tlog.py FILE.tlog-proof…       what each proves by itself, without a policy

Source: SPEC, section 11.
"""

from __future__ import annotations

import re
import sys
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from cbor import Refused, malformed, within
from charter import Charter
from checkpoint import (
    FEED_TYPE, WITNESS_TYPE, Checkpoint, Origin, base64_of, key_id, read_checkpoint, verify_checkpoint,
    write_checkpoint)
from hashes import digest, id_text
from merkle import leaf_hash, root_from_path
from shape import KIB, SEQ_MAX, counted, short

FIRST_LINE = "c2sp.org/tlog-proof@v1"
GROUP = "majority-of-the-others"


@dataclass
class Proof:
    extra: Optional[bytes]
    index: int
    path: list[bytes]
    checkpoint: Checkpoint


def read_proof(data: bytes) -> Proof:
    """A proof by form; nothing is verified."""
    with within("BadTlogProof"):
        short(data, 32 * KIB, "tlog-proof")
    try:
        written = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("BadTlogProof.Characters") from None
    if written.partition("\n")[0] != FIRST_LINE:
        raise Refused("BadTlogProof.FirstLine")
    head, blank, note = written.partition("\n\n")
    if not blank:
        raise Refused("BadTlogProof.NoBlankLine")
    lines = head.split("\n")[1:]
    extra = lines.pop(0) if lines and lines[0].startswith("extra ") else None
    index = lines.pop(0) if lines else ""
    data_beside = None if extra is None else base64_of(extra[6:], 0)
    if extra is not None and (data_beside is None or not 1 <= len(data_beside) <= 4 * KIB):
        raise Refused("BadTlogProof.Extra")
    number = re.fullmatch(r"index (0|[1-9][0-9]{0,19})", index, re.ASCII)
    if number is None or int(number[1]) > SEQ_MAX:
        raise Refused("BadTlogProof.Index")
    with within("BadTlogProof"):
        counted(lines, 0, 63, "tlog-proof path")
    path = []
    for place, line in enumerate(lines, 1):
        found = base64_of(line, 32)
        if found is None:
            raise Refused("BadTlogProof.Hash", f"hash {place}")
        path.append(found)
    try:
        checkpoint = read_checkpoint(note.encode())
    except Refused as refused:
        raise _of_the_note(refused) from refused
    return Proof(data_beside, int(number[1]), path, checkpoint)


def _of_the_note(refused: Refused) -> Refused:
    return Refused(refused.code.replace("BadNote", "BadTlogProof.Note", 1), refused.why)


def write_proof(proof: Proof) -> bytes:
    lines = [FIRST_LINE]
    if proof.extra is not None:
        lines.append(f"extra {b64encode(proof.extra).decode()}")
    lines.append(f"index {proof.index}")
    lines += [b64encode(part).decode() for part in proof.path]
    return ("\n".join(lines) + "\n\n").encode() + write_checkpoint(proof.checkpoint)


def verify_proof(proof: Proof, header: bytes, origin: Origin, feed_key: bytes,
                 witnesses: dict[bytes, bytes]) -> int:
    """Verifies that the entry is in the feed; gives the number of cosignatures by known witnesses."""
    try:
        cosignatures = verify_checkpoint(proof.checkpoint, origin, feed_key, witnesses)
    except Refused as refused:
        raise _of_the_note(refused) from refused
    climb(proof, header)
    return cosignatures


def climb(proof: Proof, header: bytes) -> None:
    """Follows the path from the entry to the root of the checkpoint."""
    size = proof.checkpoint.size
    if proof.index >= size:
        raise Refused("BadTlogProof.Beyond", f"entry {proof.index} of {size}")
    root = root_from_path(proof.index, size, leaf_hash(header), proof.path)
    if root is None:
        raise Refused("BadTlogProof.PathLength", f"{len(proof.path)}")
    if root != proof.checkpoint.root:
        raise Refused("BadTlogProof.OtherRoot")


def vkey(name: str, kind: int, key: bytes) -> str:
    return f"{name}+{key_id(name, kind, key).hex()}+{b64encode(bytes([kind]) + key).decode()}"


def policy(charter: Charter, origin: Origin, feed_key: bytes) -> tuple[int, str]:
    """How many of the other voting members must cosign a checkpoint of a feed, and the file that says so."""
    seats = charter.seats()
    others = [member for member in charter.members if member.org in seats and member.org != origin.org]
    least = len(others) // 2 + 1 if others else 0
    lines = [f"log {vkey(str(origin), FEED_TYPE, feed_key)}", ""]
    names = []
    for member in others:
        name = "concordat/witness/" + id_text("org", member.org)
        lines += [f"# {member.slug}", f"witness {name} {vkey(name, WITNESS_TYPE, member.witness_key[1])}"]
        names.append(name)
    if len(names) > 1:
        lines += ["", f"group {GROUP} {least} {' '.join(names)}"]
    lines.append(f"quorum {'none' if not names else names[0] if len(names) == 1 else GROUP}")
    return least, "\n".join(lines) + "\n"


def main(files: list[str]) -> int:
    """Tells what each file proves without anybody's key: which entry is under which checkpoint."""
    status = 0
    for file in files:
        try:
            proof = read_proof(Path(file).read_bytes())
            if proof.extra is None:
                raise malformed("Shape", "no extra data, so no header to prove")
            climb(proof, proof.extra)
        except Refused as refused:
            print(f"{file}: {refused}")
            status = 2
            continue
        entry = id_text("entry", digest("entry", proof.extra))
        print(f"{file}: {entry} is entry {proof.index} of {proof.checkpoint.size} of {proof.checkpoint.origin}")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
