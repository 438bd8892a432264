"""Whether a text holds a patient's number.

Source: SPEC, section 16.7.
"""

from __future__ import annotations

import re

DIGIT = "0-9\uff10-\uff19"
# Spaces, then dashes.
GAP = ("[\t \xa0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000"
       "\\-\u02d7\u058a\u05be\u1400\u1806\u2010-\u2015\u2043\u2053\u207b\u208b\u2212\u2796\u2e17\u2e1a"
       "\u2e3a\u2e3b\u2e40\u2e5d\u301c\u3030\u30a0\ufe31\ufe32\ufe58\ufe63\uff0d\U00010d6e\U00010ead]")
LINE_END = "[\n-\r\x85\u2028\u2029\ufffc]"
INVISIBLE = re.compile(
    "[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]")
BETWEEN = f"{GAP}{{0,3}}(?:{LINE_END}{GAP}{{0,3}})*"
RUN = re.compile(f"[£€$]?[{DIGIT}]+(?:{BETWEEN}[{DIGIT}]+)*")
GROUP = re.compile(f"([£€$]?)([{DIGIT}]+)({BETWEEN})")
OFFICIAL = [3, 3, 4]
SHAPES = ([10], OFFICIAL, [3, 7], [6, 4])

# The digits of a group, and whether its line ends behind it.
Group = tuple[str, bool]


def holds_number(text: str) -> bool:
    return any(_run_holds(run) for run in RUN.findall(INVISIBLE.sub("", text)))


def _run_holds(run: str) -> bool:
    groups = [(_ascii(digits), bool(re.search(LINE_END, after)))
              for _, digits, after in GROUP.findall(run)]
    is_amount = run[0] in "£€$"
    for number, part in enumerate(_without_days(groups)):
        if is_amount and number == 0 and part and part[0] is groups[0]:
            if _stands_at(part, 0, OFFICIAL):
                return True
            part = part[1:]
        if _holds(part):
            return True
    return False


def _ascii(digits: str) -> str:
    return digits.translate({0xff10 + digit: str(digit) for digit in range(10)})


def _without_days(groups: list[Group]) -> list[list[Group]]:
    for at in range(len(groups) - 2):
        if _is_day(*(digits for digits, _ in groups[at:at + 3])):
            return [groups[:at], *_without_days(groups[at + 3:])]
    return [groups]


def _is_day(first: str, month: str, last: str) -> bool:
    year, day = (first, last) if len(first) == 4 else (last, first)
    return ([len(year), len(month), len(day)] == [4, 2, 2] and 1900 <= int(year) <= 2199
            and 1 <= int(month) <= 12 and 1 <= int(day) <= 31)


def _holds(groups: list[Group]) -> bool:
    if any(_stands_at(groups, at, shape) for shape in SHAPES for at in range(len(groups))):
        return True
    line = ""
    for at, (digits, ends_line) in enumerate(groups):
        line += digits
        if ends_line or at == len(groups) - 1:
            if _is_number(line):
                return True
            line = ""
    return False


def _stands_at(groups: list[Group], at: int, shape: list[int]) -> bool:
    """On one line, or alone on the lines that it is on."""
    end = at + len(shape)
    some = groups[at:end]
    if [len(digits) for digits, _ in some] != shape:
        return False
    is_on_one_line = not any(ends_line for _, ends_line in some[:-1])
    is_alone = (at == 0 or groups[at - 1][1]) and (end == len(groups) or some[-1][1])
    return (is_on_one_line or is_alone) and _is_number("".join(digits for digits, _ in some))


def _is_number(digits: str) -> bool:
    if len(digits) != 10:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1)))
    return (11 - total % 11) % 11 == int(digits[9])
