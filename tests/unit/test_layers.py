"""Imports between the folders point one way; what joins them otherwise is data."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("firmware", "ingest", "dashboard", "simulator", "tests")
ASSESS = ROOT / "ingest" / "assess"
# The rooms of the assessment that neither read nor write anything, each looking only at those before it.
PURE = ("levels", "forecasts", "decisions", "places", "memory")
MEANING = tuple(f"ingest.assess.{room}" for room in PURE)
# What a folder may import of another: names that the imported module has to start with.
ALLOWED = {
    "firmware": (),
    "ingest": (),
    "dashboard": MEANING,
    "simulator": (*MEANING, "firmware.smartbin"),
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


@pytest.mark.parametrize("room", PURE)
def test_meaning_of_readings_needs_no_input_or_output(room: str) -> None:
    forbidden = {"psycopg", "asyncio", "os", "socket", "pathlib", "aiomqtt", "time"}

    assert [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ASSESS / room).glob("*.py"))
        for name in imported_names(path)
        if name.split(".")[0] in forbidden
    ] == []


@pytest.mark.parametrize("room", [*PURE, "store"])
def test_room_of_the_assessment_looks_only_at_those_before_it(room: str) -> None:
    rooms = [*PURE, "store"]
    later = tuple(f"ingest.assess.{one}" for one in rooms[rooms.index(room) + 1 :]) or ("/",)

    assert [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ASSESS / room).glob("*.py"))
        for name in imported_names(path)
        if name.startswith(later)
    ] == []


def imported_names(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
