"""Canonical JSON (RFC 8785 without fractions, exponents and null), and frozen wording.

A value is a str, int, bool, list or dict. Reading takes the one text of a
value and no other: `write(read(b)) == b`.

Source: SPEC, sections 19.1 and 19.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from cbor import Refused
from hashes import digest

SNAPSHOT_MAX = 256 * 1024
DEPTH_MAX = 16
INTEGER_MAX = 2**53 - 1
_SHORT = {'"': '"', "\\": "\\", "b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}
_ESCAPE = {meant: "\\" + short for short, meant in _SHORT.items()}
_INTEGER = re.compile(r"-?[0-9]+")


def write(value: Any) -> bytes:
    return _written(value).encode("utf-8")


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + "".join(map(_letter, value)) + '"'
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    names = sorted(value, key=_utf16)
    return "{" + ",".join(f"{_written(name)}:{_written(value[name])}" for name in names) + "}"


def _letter(letter: str) -> str:
    return _ESCAPE.get(letter) or (f"\\u{ord(letter):04x}" if letter < " " else letter)


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-be")


def read(data: bytes) -> Any:
    if len(data) > SNAPSHOT_MAX:
        raise Refused("BadJson.TooLong")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("BadJson.NotUtf8") from None
    reader = _Reader(text)
    value = reader.value(1)
    if reader.at != len(text):
        raise Refused("BadJson.Trailing")
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def value(self, depth: int) -> Any:
        if depth > DEPTH_MAX:
            raise Refused("BadJson.TooDeep")
        first = self.peek()
        if first == '"':
            return self.string()
        if first in "-0123456789":
            return self.integer()
        if first in "tf":
            self.word("true" if first == "t" else "false")
            return first == "t"
        if first == "[":
            return self.items(depth)
        if first == "{":
            return self.named(depth)
        raise Refused("BadJson.NotCanonical")

    def items(self, depth: int) -> list[Any]:
        found: list[Any] = []
        self.word("[")
        if self.takes("]"):
            return found
        while True:
            found.append(self.value(depth + 1))
            if self.takes("]"):
                return found
            self.word(",")

    def named(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self.word("{")
        if self.takes("}"):
            return found
        last = None
        while True:
            name = self.string()
            if last is not None and _utf16(last) >= _utf16(name):
                raise Refused("BadJson.NotAscending")
            last = name
            self.word(":")
            found[name] = self.value(depth + 1)
            if self.takes("}"):
                return found
            self.word(",")

    def integer(self) -> int:
        match = _INTEGER.match(self.text, self.at)
        if match is None or not re.fullmatch(r"0|-?[1-9][0-9]*", match[0]):
            raise Refused("BadJson.NotCanonical")
        self.at = match.end()
        if len(match[0]) > 17 or abs(int(match[0])) > INTEGER_MAX:
            raise Refused("BadJson.TooLarge")
        return int(match[0])

    def string(self) -> str:
        self.word('"')
        found = []
        while True:
            letter = self.next()
            if letter == '"':
                return "".join(found)
            if letter == "\\":
                found.append(self.escaped())
            elif letter < " ":
                raise Refused("BadJson.NotCanonical")
            else:
                found.append(letter)

    def escaped(self) -> str:
        letter = self.next()
        if letter in _SHORT:
            return _SHORT[letter]
        digits = self.text[self.at:self.at + 4]
        if letter != "u" or not re.fullmatch(r"00[01][0-9a-f]", digits) or chr(int(digits, 16)) in _ESCAPE:
            raise Refused("BadJson.NotCanonical")
        self.at += 4
        return chr(int(digits, 16))

    def peek(self) -> str:
        if self.at >= len(self.text):
            raise Refused("BadJson.CutShort")
        return self.text[self.at]

    def next(self) -> str:
        letter = self.peek()
        self.at += 1
        return letter

    def takes(self, letter: str) -> bool:
        found = self.peek() == letter
        self.at += found
        return found

    def word(self, word: str) -> None:
        self.peek()
        if not self.text.startswith(word, self.at):
            raise Refused("BadJson.NotCanonical")
        self.at += len(word)


@dataclass
class Wording:
    kind: str
    schema: int
    renderer: int
    snapshot: bytes

    def digest(self) -> bytes:
        return digest("wording", self.renderer.to_bytes(4, "big") + self.snapshot)


def read_wording(data: bytes) -> Wording:
    try:
        whole = read(data)
    except Refused as refused:
        raise Refused("BadWording.Json." + refused.code.split(".")[1]) from refused
    if not isinstance(whole, dict) or set(whole) != {"fields", "kind", "renderer", "schema"}:
        raise Refused("BadWording.Shape")
    kind, versions = whole["kind"], (whole["renderer"], whole["schema"])
    good = isinstance(whole["fields"], dict) and isinstance(kind, str) and 1 <= len(kind.encode()) <= 256
    if not good or not all(type(version) is int and 1 <= version < 2**32 for version in versions):
        raise Refused("BadWording.Shape")
    return Wording(kind, whole["schema"], whole["renderer"], data)
