"""Whether a text holds a patient's number.

Source: SPEC, section 16.7.
"""

from __future__ import annotations

import re

DIGIT = "0-9\uff10-\uff19"
GAP = "[ \t\xa0\xad\u2000-\u200b\u202f\u205f\u3000\ufeff\u2010-\u2015\u2212\ufe58\ufe63\uff0d-]"
RUN = re.compile(f"[{DIGIT}]+(?:{GAP}{{1,3}}[{DIGIT}]+)*")
AMOUNT = re.compile(f"[£€$][{DIGIT}]+")
SHAPES = ([10], [3, 3, 4], [3, 7], [6, 4])


def holds_number(text: str) -> bool:
    """An amount parts a run, as any other letter does."""
    parts = AMOUNT.sub("£", text)
    return any(_holds(groups) for run in RUN.findall(parts) for groups in _without_days(_groups(run)))


def _groups(run: str) -> list[str]:
    return [str.translate(group, {0xff10 + digit: str(digit) for digit in range(10)})
            for group in re.findall(f"[{DIGIT}]+", run)]


def _without_days(groups: list[str]) -> list[list[str]]:
    for at in range(len(groups) - 2):
        if _is_day(*groups[at:at + 3]):
            return [groups[:at], *_without_days(groups[at + 3:])]
    return [groups]


def _is_day(first: str, month: str, last: str) -> bool:
    year, day = (first, last) if len(first) == 4 else (last, first)
    return ([len(year), len(month), len(day)] == [4, 2, 2] and 1900 <= int(year) <= 2199
            and 1 <= int(month) <= 12 and 1 <= int(day) <= 31)


def _holds(groups: list[str]) -> bool:
    for shape in SHAPES:
        for at in range(len(groups) - len(shape) + 1):
            some = groups[at:at + len(shape)]
            if [len(group) for group in some] == shape and _is_number("".join(some)):
                return True
    return _is_number("".join(groups))


def _is_number(digits: str) -> bool:
    if len(digits) != 10:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1)))
    return (11 - total % 11) % 11 == int(digits[9])
