"""The grammar of the messages says yes to every golden example, and no to what is refused for its shape."""

import json
from pathlib import Path
from typing import Any

import cbor2
import pytest

from tests.contract.cddl import Grammar
from tests.contract.golden import load, named, payload_of

TEXT = (Path(__file__).parents[2] / "docs" / "contract.cddl").read_text(encoding="utf-8")
GRAMMAR = Grammar(TEXT)
READINGS = load("v1/readings")
FLAGS = load("v1/flags")
SHAPE = {"oversize", "version", "schema", "range"}
REFUSED = [example for example in load("v1/refused") if example["reason"] in SHAPE]


def value_of(example: dict[str, Any]) -> Any:
    return cbor2.loads(payload_of(example)) if "cbor" in example else json.loads(payload_of(example))


@pytest.mark.parametrize("example", **named(READINGS["cbor"]))
def test_grammar_allows_readings(example: dict[str, Any]) -> None:
    assert GRAMMAR.allows("readings", value_of(example))


@pytest.mark.parametrize("example", **named(READINGS["json"] + FLAGS["json"]))
def test_grammar_allows_readings_in_json(example: dict[str, Any]) -> None:
    assert GRAMMAR.allows("readings-json", value_of(example))


@pytest.mark.parametrize("example", **named(load("v1/acks")))
def test_grammar_allows_acknowledgements(example: dict[str, Any]) -> None:
    assert GRAMMAR.allows("ack", value_of(example))


@pytest.mark.parametrize("example", **named(load("v1/config")))
def test_grammar_allows_configurations(example: dict[str, Any]) -> None:
    assert GRAMMAR.allows("configuration", value_of(example))


@pytest.mark.parametrize("example", **named(load("v1/status")))
def test_grammar_allows_status(example: dict[str, Any]) -> None:
    assert GRAMMAR.allows("status", value_of(example))


@pytest.mark.parametrize("example", **named(REFUSED))
def test_grammar_refuses_what_has_the_wrong_shape(example: dict[str, Any]) -> None:
    rules = ["status"] if example["topic"].endswith("/status") else ["readings", "readings-json"]

    assert [rule for rule in rules if GRAMMAR.allows(rule, value_of(example))] == []


@pytest.mark.parametrize(
    ("rule", "value", "allowed"),
    [
        ("t = [a: uint, b: int / null, * any]", [1, None], True),
        ("t = [a: uint, b: int / null, * any]", [1, -1, "x", []], True),
        ("t = [a: uint, b: int / null, * any]", [1], False),
        ("t = [a: uint, b: int / null, * any]", [-1, 1], False),
        ("t = [1*2 0..5]", [0, 5], True),
        ("t = [1*2 0..5]", [], False),
        ("t = [1*2 0..5]", [1, 1, 1], False),
        ("t = [1*2 0..5]", [6], False),
        ("t = [1*2 0..5]", [True], False),
        ("t = {g, * tstr => any}\ng = (a: 1, ? b: float)", {"a": 1, "c": None}, True),
        ("t = {g, * tstr => any}\ng = (a: 1, ? b: float)", {"a": 1, "b": 1}, False),
        ("t = {g, * tstr => any}\ng = (a: 1, ? b: float)", {"b": 1.5}, False),
        ("t = {g, * tstr => any}\ng = (a: 1, ? b: float)", {"a": 1, 7: 1}, False),
        ("t = {a: bool}", {"a": True, "b": True}, False),
        ("t = {a: bool}", [True], False),
    ],
)
def test_checker_goes_by_rfc_8610(rule: str, value: object, allowed: bool) -> None:
    assert Grammar(rule).allows("t", value) is allowed
