"""Verifies an exported bundle, from the specification alone.

    python3 concordat_reader.py verify BUNDLE [--json]

Exit status: 0 if everything holds, 1 if misbehaviour is proven, 2 if something
could not be checked.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Iterator

from audit import Audit, Feed
from hashes import id_text


def feed_line(feed: Feed) -> dict[str, Any]:
    chain = feed.first.chain
    return {"type": "feed", "feed": id_text("feed", chain.feed), "board": id_text("board", feed.board),
            "org": id_text("org", feed.member.org), "slug": feed.member.slug, "epoch": feed.descriptor.epoch,
            "size": chain.size, "last": id_text("entry", chain.last), "root": chain.frontier.root().hex(),
            "settled": feed.settled, "branches": len(feed.branches), "fork": feed.fork}


def report(audit: Audit) -> Iterator[dict[str, Any]]:
    for feed in audit.feeds.values():
        if feed.size:
            yield feed_line(feed)
    for finding in audit.findings:
        place = finding.place
        yield {"type": "finding", "severity": finding.severity, "code": finding.code, **place.compared(),
               "slug": place.slug, "epoch": place.epoch, "sentence": finding.sentence}
    yield {"type": "summary", "entries": audit.entries(), "settled": audit.settled(),
           "exit_status": audit.exit_status()}


def sentence(line: dict[str, Any]) -> str:
    if line["type"] == "feed":
        return (f"{line['slug']}, epoch {line['epoch']}: {line['size']} entries, {line['settled']} settled\n"
                f"  last {line['last']}\n  root {line['root']}")
    if line["type"] == "finding":
        return f"{line['severity']}: {line['code']}: {line['sentence']}"
    closing = ["everything holds", "misbehaviour is proven", "not everything could be checked"]
    return f"{closing[line['exit_status']]}: {line['entries']} entries, {line['settled']} settled"


def main() -> int:
    parser = argparse.ArgumentParser(description="verify an exported bundle")
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify")
    verify.add_argument("bundle", type=Path)
    verify.add_argument("--json", action="store_true", help="one JSON object a line")
    arguments = parser.parse_args()
    audit = Audit(arguments.bundle.read_bytes())
    for line in report(audit):
        print(json.dumps(line) if arguments.json else sentence(line))
    return audit.exit_status()


if __name__ == "__main__":
    sys.exit(main())
