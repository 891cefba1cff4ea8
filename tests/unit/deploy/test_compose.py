"""docker-compose.yml: valid, confined, and naming only what exists."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.deploy.project import ROOT, command_line, read_compose, settings, unknown_words

COMPOSE = read_compose()
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
INTERPOLATED = re.compile(r"(?<!\$)\$\{([A-Z_]+)(?::-([^}]*))?\}")
# They hand out and sign what belongs to root, and run only for a moment.
ROOT_SERVICES = {"init", "registry", "town"}
EVERY_SERVICE = pytest.mark.parametrize("name", SERVICES)


def mounts(service: dict[str, Any]) -> list[tuple[str, str]]:
    """List (source, target) of a service's mounts, with defaults filled in."""
    filled = [INTERPOLATED.sub(lambda match: match[2], volume) for volume in service.get("volumes", [])]
    return [(source, target) for source, target, *_ in (volume.split(":") for volume in filled)]


def test_compose_file_fits_the_published_schema() -> None:
    program = Path(sys.executable).with_name("check-jsonschema")

    done = subprocess.run(
        [program, "--builtin-schema", "vendor.compose-spec", ROOT / "docker-compose.yml"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_file_is_understood_by_docker() -> None:
    found = shutil.which("docker")
    if not found or subprocess.run([found, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("No docker client with the compose plugin on this machine.")

    done = subprocess.run(
        [found, "compose", "--profile", "*", "config", "--quiet"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


@EVERY_SERVICE
def test_service_runs_only_commands_that_exist(name: str) -> None:
    assert unknown_words(command_line(SERVICES[name])) == []


@EVERY_SERVICE
def test_service_sets_only_settings_that_its_program_reads(name: str) -> None:
    programs = re.findall(r"python -m (\w+)", command_line(SERVICES[name]))
    known = {variable for program in programs for variable in settings(program)}
    given = [variable for variable in SERVICES[name].get("environment", {}) if variable.startswith("BRIMWATCH_")]
    if name == "proxy":
        known = set(re.findall(r"\{\$(\w+)", (ROOT / "deploy/Caddyfile").read_text()))

    assert [variable for variable in given if variable not in known] == []


def test_every_variable_of_the_compose_file_is_documented() -> None:
    documented = re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    passed_on = {
        variable
        for service in SERVICES.values()
        for variable, value in service.get("environment", {}).items()
        if value is None
    }

    used = {match[0] for match in INTERPOLATED.findall((ROOT / "docker-compose.yml").read_text())} | passed_on

    assert used - set(documented) == set()


@EVERY_SERVICE
def test_service_mounts_only_what_exists(name: str) -> None:
    sources = {source for source, _ in mounts(SERVICES[name])}
    files = {source for source in sources if source.startswith(".")}

    # Docker makes `exchange`, for what goes in and out of the registry.
    assert [source for source in files - {"./exchange"} if not (ROOT / source).exists()] == []
    assert sources - files <= set(COMPOSE["volumes"])


def test_every_volume_is_prepared_before_it_is_used() -> None:
    prepared = {source for source, target in mounts(SERVICES["init"]) if target == f"/volumes/{source}"}

    # Empty unless somebody puts something there; `town` hands over its own.
    assert set(COMPOSE["volumes"]) - prepared == {"proxy-certificates", "notify", "basemap", "town"}


@EVERY_SERVICE
def test_service_is_confined(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert (service["user"] == "0:0") == (name in ROOT_SERVICES)
    assert "privileged" not in service
    assert "docker.sock" not in str(service)


def test_only_the_proxy_and_the_broker_are_reached_from_outside_and_only_the_notifier_gets_out() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    outside = {name for name, service in SERVICES.items() if "public" in service.get("networks", [])}

    assert set(published) == outside - {"notify"} == {"proxy", "mosquitto"}
    assert all(COMPOSE["networks"][network]["internal"] for network in set(COMPOSE["networks"]) - {"public"})


@EVERY_SERVICE
def test_service_that_stays_says_whether_it_is_well(name: str) -> None:
    service = SERVICES[name]

    # Nobody relies on the simulator.
    assert ("healthcheck" in service) == (service["restart"] != "no" and name != "simulator")


@EVERY_SERVICE
def test_service_waits_until_what_it_needs_is_ready(name: str) -> None:
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        ends = SERVICES[needed]["restart"] == "no"
        assert how["condition"] == ("service_completed_successfully" if ends else "service_healthy")


@EVERY_SERVICE
def test_image_is_pinned(name: str) -> None:
    assert re.search(r":\d+\.\d+\.\d+(-[a-z0-9]+)?$", SERVICES[name]["image"])


def test_no_password_stands_in_the_files() -> None:
    texts = [(ROOT / file).read_text() for file in ("docker-compose.yml", ".env.example", "deploy/Dockerfile")]

    given = [
        value
        for text in texts
        for value in re.findall(r"^\s*#?\w*(?:PASSWORD|SECRET|TOKEN)\s*[:=] *(\S.*)$", text, re.MULTILINE)
    ]

    # The migration reads them from files that `init` has generated.
    assert [value for value in given if not value.startswith("$$(cat /secrets/")] == []
