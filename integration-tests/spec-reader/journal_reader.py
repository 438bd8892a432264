#!/usr/bin/env python3
"""Checks an exported journal, written from docs/journal.md alone.

    journal_reader.py FILE.jsonl

Exit code 0: the chain is whole. 1: it is not; the first line that is wrong is named.
"""

import hashlib
import json
import sys

DOMAIN = b"concordat/journal/v1\0"


def text(value):
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


def entry_hash(entry):
    data = bytes.fromhex(entry["previous"])
    data += entry["number"].to_bytes(8, "big") + entry["time_ms"].to_bytes(8, "big")
    for name in ("event", "outcome", "code"):
        data += text(entry[name])
    fields = sorted(entry["fields"].items(), key=lambda field: field[0].encode())
    data += bytes([len(fields)])
    for name, value in fields:
        data += text(name) + text(value)
    return hashlib.sha256(DOMAIN + data).hexdigest()


def fault(entry, before):
    if entry_hash(entry) != entry["hash"]:
        return "its hash is not that of what it says"
    if before is None:
        return None if entry["number"] > 1 or set(entry["previous"]) == {"0"} else "it is not the first"
    if entry["number"] != before["number"] + 1:
        return "numbers do not follow one another"
    if entry["previous"] != before["hash"]:
        return "it does not follow the entry before"
    return None


def main(path):
    before = None
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            wrong = fault(entry, before)
            if wrong:
                print(f"entry {entry['number']}: {wrong}", file=sys.stderr)
                return 1
            before = entry
    print(before["hash"] if before else "empty")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
