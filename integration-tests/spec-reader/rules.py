"""Rules of a charter: reading them, and what they come to on given seats.

A rule stays the list that stands on the wire, `[operator, …]`:

    0 all [R…]   1 any [R…]   2 at least k [R…]   3 majority class
    4 share scope n d of      5 quorum n [[class, n]…]          6 org

Source: SPEC, section 5.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Iterator, Optional

from cbor import Value
from shape import ID, ascending, check, counted, many, name, optional, ranged, row, text, uint

ALL, ANY, AT_LEAST, MAJORITY, SHARE, QUORUM, ORG = range(7)
_LIST = many(lambda part: True)
_SHAPES = [row(uint, _LIST), row(uint, _LIST), row(uint, uint, _LIST), row(uint, text),
           row(uint, optional(text), uint, uint, uint), row(uint, uint, many(row(text, uint))), row(uint, ID)]

Outcome = Optional[bool]  # None is open


def read_rule(rule: Value) -> int:
    """Checks a rule and gives the number of its parts."""
    parts = _read(rule, 1)
    counted(range(parts), 1, 64, "rule parts")
    return parts


def _read(rule: Any, level: int) -> int:
    counted(range(level), 1, 6, "rule levels")
    check(isinstance(rule, list) and bool(rule) and uint(rule[0]), "rule")
    operator = rule[0]
    ranged(operator, ALL, ORG, "rule operator")
    check(_SHAPES[operator](rule), "rule")
    if operator in (ALL, ANY, AT_LEAST):
        parts = rule[-1]
        if operator == AT_LEAST:
            ranged(rule[1], 1, len(parts), "rule atleast")
        counted(parts, 1, 64, "rule list")
        return 1 + sum(_read(part, level + 1) for part in parts)
    if operator == MAJORITY:
        name(rule[1], "rule class")
    elif operator == SHARE:
        _, scope, n, d, of = rule
        for class_name in scope:
            name(class_name, "rule class")
        ranged(d, 1, 1000, "share denominator")
        ranged(n, 1, d, "share numerator")
        ranged(of, 0, 1, "share of")
    elif operator == QUORUM:
        _read_quorum(rule)
    return 1


def _read_quorum(rule: Any) -> None:
    _, least, classes = rule
    ranged(least, 1, 1000, "quorum")
    counted(classes, 0, 64, "quorum classes")
    for class_name, n in classes:
        name(class_name, "rule class")
        ranged(n, 1, 1000, "quorum of a class")
    ascending([class_name for class_name, _ in classes], "quorum classes")


def classes_of(rule: Any) -> list[str]:
    return {MAJORITY: lambda: [rule[1]], SHARE: lambda: list(rule[1]),
            QUORUM: lambda: [c for c, _ in rule[2]]}.get(rule[0], lambda: [])()


def walk(rule: Any) -> Iterator[Any]:
    """The rule and all its parts, each before what is below it."""
    yield rule
    if rule[0] in (ALL, ANY, AT_LEAST):
        for part in rule[-1]:
            yield from walk(part)


@dataclass
class Seats:
    """The seats by organisation: the class, and the answer (None: open)."""
    classes: dict[bytes, str]
    answers: dict[bytes, Optional[str]]

    def completed(self, answer: str) -> "Seats":
        return Seats(self.classes, {org: found or answer for org, found in self.answers.items()})

    def count(self, answers: tuple[str, ...], scope: list[str]) -> int:
        return sum(found in answers and self.classes[org] in (scope or [self.classes[org]])
                   for org, found in self.answers.items())


def trace(rule: Any, seats: Seats, depth: int = 0) -> list[tuple[int, Outcome]]:
    """The outcome of every line: the rule first, then its parts below it."""
    operator = rule[0]
    if operator in (ALL, ANY, AT_LEAST):
        below = [trace(part, seats, depth + 1) for part in rule[-1]]
    elif operator == QUORUM:
        minima: list[tuple[list[str], int]] = [([], rule[1])] + [([c], n) for c, n in rule[2]]
        below = [[(depth + 1, _leaf(_answered(scope, n), seats, "", "abstain"))] for scope, n in minima]
    else:
        return [(depth, _leaf(_LEAVES[operator](rule), seats, "reject", "approve"))]
    least = {ANY: 1, AT_LEAST: rule[1]}.get(operator, len(below))
    outcomes = [lines[0][1] for lines in below]
    return [(depth, _at_least(least, outcomes))] + [line for lines in below for line in lines]


def _at_least(least: int, outcomes: list[Outcome]) -> Outcome:
    true, unsettled = outcomes.count(True), outcomes.count(None)
    return True if true >= least else None if true + unsettled >= least else False


def _leaf(holds: Callable[[Seats], bool], seats: Seats, worst: str, best: str) -> Outcome:
    at_worst, at_best = holds(seats.completed(worst)), holds(seats.completed(best))
    return True if at_worst else None if at_best else False


def _answered(scope: list[str], n: int) -> Callable[[Seats], bool]:
    return lambda seats: seats.count(("approve", "reject", "abstain", "recused"), scope) >= n


def _majority(rule: Any) -> Callable[[Seats], bool]:
    scope = [rule[1]]
    return lambda seats: seats.count(("approve",), scope) > seats.count(("reject",), scope)


def _share(rule: Any) -> Callable[[Seats], bool]:
    _, scope, n, d, of = rule

    def holds(seats: Seats) -> bool:
        base = seats.count(("approve", "reject"), scope) if of == 0 else sum(
            c in (scope or [c]) for c in seats.classes.values())
        return base > 0 and seats.count(("approve",), scope) * d >= n * base
    return holds


def _org(rule: Any) -> Callable[[Seats], bool]:
    return lambda seats: seats.answers.get(rule[1]) == "approve"


_LEAVES = {MAJORITY: _majority, SHARE: _share, ORG: _org}
