"""Imports between the folders point one way; what joins them otherwise is data."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("firmware", "ingest", "dashboard", "simulator", "tests")
# What a folder may import of another: names that the imported module has to start with.
ALLOWED = {
    "firmware": (),
    "ingest": (),
    "dashboard": ("ingest.assess",),
    "simulator": ("ingest.assess", "firmware.smartbin"),
}


@pytest.mark.parametrize("folder", ALLOWED)
def test_imports_point_one_way(folder: str) -> None:
    crossings = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name in imported_names(path)
        if name.split(".")[0] in FOLDERS
        and name.split(".")[0] != folder
        and not name.startswith(tuple(ALLOWED[folder]) or ("/",))
    ]

    assert crossings == []


@pytest.mark.parametrize(
    "module",
    [
        "quality",
        "level",
        "emptying",
        "due",
        "alerts",
        "conditions",
        "rules",
        "reasons",
        "outlook",
        "wording",
        "calendar",
    ],
)
def test_meaning_of_readings_needs_no_input_or_output(module: str) -> None:
    path = ROOT / "ingest" / "assess" / f"{module}.py"
    forbidden = {"psycopg", "asyncio", "os", "socket", "pathlib", "aiomqtt", "time"}

    assert {name.split(".")[0] for name in imported_names(path)} & forbidden == set()


def imported_names(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
