"""Says whether a value is what a rule of a CDDL file (RFC 8610) asks for, as far as `docs/contract.cddl` goes.

The file is parsed by cddlparser, which refuses what is not CDDL. No checker on PyPI can be used: one matches optional
places at an array's end and nulls wrongly, the other knows only an older cbor2.
"""

from collections.abc import Callable, Iterator
from typing import Any

import cddlparser
from cddlparser import ast

_PRELUDE: dict[str, Callable[[Any], bool]] = {
    "any": lambda _: True,
    "null": lambda value: value is None,
    "bool": lambda value: isinstance(value, bool),
    "tstr": lambda value: isinstance(value, str),
    "float": lambda value: isinstance(value, float),
    "int": lambda value: type(value) is int,
    "uint": lambda value: type(value) is int and value >= 0,
}


class Grammar:
    """The rules of a CDDL text."""

    def __init__(self, text: str) -> None:
        # The parser takes a rule for a group's entry where it could be one.
        self._rules = {
            rule.name.name: rule.type.type if isinstance(rule.type, ast.GroupEntry) else rule.type
            for rule in cddlparser.parse(text).rules
        }

    def allows(self, name: str, value: object) -> bool:
        """Say whether a value, decoded from CBOR or JSON, is what the rule asks for."""
        return self._named(name, value)

    def _named(self, name: str, value: object) -> bool:
        if name in self._rules:
            return self._type(self._rules[name], value)
        return _PRELUDE[name](value)

    def _type(self, wanted: Any, value: object) -> bool:
        return any(self._one(one, value) for one in wanted.types)

    def _one(self, wanted: Any, value: Any) -> bool:
        if isinstance(wanted, ast.Typename):
            return self._named(wanted.name, value)
        if isinstance(wanted, ast.Value):
            return type(value) is int and value == int(wanted.value)
        if isinstance(wanted, ast.Range):
            return type(value) is int and int(wanted.min.value) <= value <= int(wanted.max.value)
        if isinstance(wanted, ast.Array):
            return isinstance(value, list) and len(value) in self._ends(self._entries(wanted), value, 0)
        assert isinstance(wanted, ast.Map), wanted
        return isinstance(value, dict) and self._map(self._entries(wanted), value)

    def _entries(self, group: Any) -> list[Any]:
        """Give the entries of a group, those of groups that it names included."""
        (choice,) = group.groupChoices
        return [one for entry in choice.groupEntries for one in self._inlined(entry)]

    def _inlined(self, entry: Any) -> Iterator[Any]:
        named = entry.type.types[0]
        rule = self._rules.get(named.name) if isinstance(named, ast.Typename) and entry.key is None else None
        if rule is not None and type(rule.types[0]) is ast.Group:
            yield from self._entries(rule.types[0])
        else:
            yield entry

    def _ends(self, entries: list[Any], values: list[Any], start: int) -> set[int]:
        """Give where in an array the entries may end when they begin at `start`."""
        ends = {start}
        for entry in entries:
            low, high = _times(entry)
            ends = {end for begin in ends for end in self._repeated(entry.type, values, begin, (low, high))}
        return ends

    def _repeated(self, wanted: Any, values: list[Any], begin: int, times: tuple[float, float]) -> Iterator[int]:
        count = 0
        while count <= times[1]:
            if count >= times[0]:
                yield begin + count
            if begin + count == len(values) or not self._type(wanted, values[begin + count]):
                return
            count += 1

    def _map(self, entries: list[Any], value: dict[Any, Any]) -> bool:
        keyed = {entry.key.type.name: entry for entry in entries if entry.key.hasColon}
        others = [entry for entry in entries if not entry.key.hasColon]
        return all(
            self._type(entry.type, value[key]) if key in value else _times(entry)[0] == 0
            for key, entry in keyed.items()
        ) and all(
            any(self._one(entry.key.type, key) and self._type(entry.type, value[key]) for entry in others)
            for key in value.keys() - keyed.keys()
        )


def _times(entry: Any) -> tuple[float, float]:
    return (1, 1) if entry.occurrence is None else (entry.occurrence.n, entry.occurrence.m)
