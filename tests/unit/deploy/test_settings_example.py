"""`.env.example` names every setting, explains it, and shows its default."""

import re

import pytest

from tests.unit.deploy.project import PROGRAMS, ROOT, settings

TEXT = (ROOT / ".env.example").read_text()
EXAMPLES = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", TEXT, re.MULTILINE))


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_setting_is_named(program: str) -> None:
    assert set(settings(program)) - set(EXAMPLES) == set()


@pytest.mark.parametrize("program", PROGRAMS)
def test_example_shows_the_default(program: str) -> None:
    defaults = {name: str(value) for name, value in settings(program).items() if value not in (None, "")}

    assert {name: EXAMPLES.get(name) for name in defaults} == defaults


def test_every_setting_has_a_comment_above_it() -> None:
    lines = TEXT.splitlines()

    bare = [line for above, line in zip(["", *lines], lines, strict=False) if is_setting(line) and not says(above)]

    assert bare == []


def is_setting(line: str) -> bool:
    return bool(re.match(r"#?[A-Z_]+=", line))


def says(line: str) -> bool:
    return line.startswith("# ") and len(line) > 10
