"""The examples of released versions; they stay for ever, and `docs/contract.md` says what they mean."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
NOW_MS = 1_772_370_000_000  # 2026-03-01T13:00:00Z, an hour after most examples


def load(name: str) -> Any:
    """Read the examples of one file, e.g. `v1/acks`."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def payload_of(example: dict[str, Any]) -> bytes:
    """Give an example's bytes."""
    return bytes.fromhex(example["cbor"]) if "cbor" in example else example["json"].encode()


def named(examples: list[dict[str, Any]]) -> dict[str, Any]:
    """Arguments for `parametrize`."""
    return {"argvalues": examples, "ids": [example["name"] for example in examples]}
