"""The commands of docs/operations.md and docs/lorawan.md exist."""

import re

import pytest

from tests.unit.deploy.project import ROOT, read_compose, unknown_words

TEXT = (ROOT / "docs/operations.md").read_text()
LORAWAN = (ROOT / "docs/lorawan.md").read_text()
COMMANDS = re.findall(r"docker compose [^`\n]+", TEXT + LORAWAN)
SERVICES = read_compose()["services"]


@pytest.mark.parametrize("command", COMMANDS)
def test_command_of_the_pages_exists(command: str) -> None:
    in_container = command.replace("run --rm registry ", "python -m ingest ")
    named = re.findall(r"(?:exec(?: -T)?|run(?: --rm| -T| --no-deps| --entrypoint \w+)*|logs|restart) (\w+)", command)

    assert unknown_words(in_container) == []
    assert set(named) <= set(SERVICES)


def test_operations_page_names_only_settings_that_exist() -> None:
    documented = re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert set(re.findall(r"BRIMWATCH_[A-Z_]+", TEXT)) <= set(documented)
