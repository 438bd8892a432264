"""Ed25519 verification in plain Python, by the strict rule.

Accepted is a signature (R, s) over a message under key A only if
- A and R are canonical encodings of points, and neither is of small order;
- s < L;
- [s]B = R + [k]A, without multiplication by the cofactor.

Points are (X, Y, Z, T) in extended coordinates (x = X/Z, y = Y/Z, xy = T/Z).
Each fixed point has a table of its multiples by 0..15 * 16^i, so that a
multiplication is 64 additions; the tables of the last keys are kept.

Source: RFC 8032; Chalkias et al., "Taming the many EdDSAs" (2020).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Optional

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]
NEUTRAL: Point = (0, 1, 1, 0)


def add(p: Point, q: Point) -> Point:
    """The complete addition law: also right for doubling and the neutral point."""
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * D * p[3] * q[3] % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def negate(p: Point) -> Point:
    return (P - p[0], p[1], p[2], P - p[3])


def encode_point(p: Point) -> bytes:
    inverse = pow(p[2], P - 2, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode_point(encoded: bytes) -> Optional[Point]:
    """The point of 32 bytes; None if they are no canonical encoding of one."""
    if len(encoded) != 32:
        return None
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * SQRT_M1 % P
    if v * x * x % P != u or (x == 0 and sign == 1):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def is_small_order(p: Point) -> bool:
    for _ in range(3):
        p = add(p, p)
    return p[0] == 0 and p[1] == p[2]


def _table(p: Point) -> list[list[Point]]:
    rows = []
    for _ in range(64):
        row = [NEUTRAL]
        for _ in range(15):
            row.append(add(row[-1], p))
        rows.append(row)
        p = add(row[-1], p)
    return rows


def multiply(table: list[list[Point]], scalar: int) -> Point:
    result = NEUTRAL
    for row in table:
        if scalar & 15:
            result = add(result, row[scalar & 15])
        scalar >>= 4
    return result


_BASE_POINT = decode_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
assert _BASE_POINT is not None
BASE = _table(_BASE_POINT)


@lru_cache(maxsize=64)
def _key_table(key: bytes) -> Optional[list[list[Point]]]:
    point = decode_point(key)
    if point is None or is_small_order(point):
        return None
    return _table(negate(point))


def key_fault(key: bytes) -> Optional[str]:
    """Why these bytes are not admitted as a key: "not canonical" or "weak"."""
    point = decode_point(key)
    if point is None:
        return "not canonical"
    return "weak" if is_small_order(point) else None


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    if len(signature) != 64:
        return False
    table = _key_table(key)
    point_r = decode_point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if table is None or point_r is None or is_small_order(point_r) or s >= L:
        return False
    digest = hashlib.sha512(signature[:32] + key + message).digest()
    k = int.from_bytes(digest, "little") % L
    found = add(multiply(BASE, s), multiply(table, k))
    return encode_point(found) == signature[:32]
