"""What an audit has to say: a severity, a code, and the place that it is about.

Source: SPEC, section 15.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from hashes import id_text

PROVEN, UNCHECKED, NOTE = "proven", "unchecked", "note"


@dataclass
class Place:
    """What a finding is about: entries of a feed, or a record of the file."""
    feed: Optional[bytes] = None
    seq: Optional[int] = None
    last_seq: Optional[int] = None
    record: Optional[int] = None
    slug: Optional[str] = None
    epoch: Optional[int] = None

    def compared(self) -> dict[str, Any]:
        """What two readers must agree on."""
        return {"feed": self.feed and id_text("feed", self.feed), "seq": self.seq, "last_seq": self.last_seq,
                "record": self.record}


@dataclass
class Finding:
    severity: str
    code: str
    place: Place
    sentence: str
