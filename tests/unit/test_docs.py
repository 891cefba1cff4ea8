"""What the documents name exists, and what exists is named."""

import ast
import re
from pathlib import Path

import pytest

from ingest.lorawan.models import MODELS

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("firmware/**/*.md")])
# A word in backticks that looks like a file or folder of ours.
PATH = re.compile(r"`((?:firmware|ingest|dashboard|simulator|tests|docs|deploy)/[\w./*-]+)`")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documents_name_only_files_that_exist(document: Path) -> None:
    named = PATH.findall(document.read_text(encoding="utf-8"))

    assert [name for name in named if not list(ROOT.glob(name.rstrip("/")))] == []


def test_readme_is_short() -> None:
    words = (ROOT / "README.md").read_text(encoding="utf-8").split()

    assert len(words) <= 500


def test_readme_commands_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    targets = set(re.findall(r"make ([a-z]+)", readme))

    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_contract_names_every_reason_a_message_is_refused_for() -> None:
    contract = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
    table = contract.split("## What is refused")[1].split("## ")[0]
    documented = set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE))

    used = {
        reason
        for path in (ROOT / "ingest").glob("*.py")
        for reason in re.findall(r"reason=\"([a-z_]+)\"", path.read_text(encoding="utf-8"))
    }

    assert used <= documented


def test_page_about_lorawan_names_every_model() -> None:
    page = (ROOT / "docs" / "lorawan.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `([a-z0-9-]+)` \|", page.split("## ")[0], re.MULTILINE)

    assert sorted(documented) == sorted(MODELS)


def test_map_of_the_assessment_names_every_room_and_module() -> None:
    assess = ROOT / "ingest" / "assess"

    for folder in (assess, *(path for path in assess.iterdir() if (path / "__init__.py").is_file())):
        text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
        inside = {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
        assert inside - {"__init__"} - set(re.findall(r"\w+", text or "")) == set(), folder.name
