"""What the deployment's files say, and what the programs really offer."""

import functools
import importlib
import os
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import typer
import yaml
from pydantic_settings import BaseSettings

from simulator.stack.place import checkout_folder

ROOT = checkout_folder()
PROGRAMS = ("ingest", "dashboard", "simulator")
NAME_IN_CODE = re.compile(r"""["']((?:BRIMWATCH|DEMO)_[A-Z0-9_]+)["']""")
PYTHON_COMMAND = re.compile(r"\bpython -m (\w+)((?: +[\w./:=-]+)*)")


def read_compose() -> dict[str, Any]:
    """Read docker-compose.yml with its anchors and merges resolved."""
    compose: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return compose


def command_line(service: dict[str, Any]) -> str:
    """Give what a service's container runs, as one line."""
    return " ".join([*service.get("entrypoint", []), *service.get("command", [])])


def settings_classes(program: str) -> list[type[BaseSettings]]:
    """Find the settings of a program's processes."""
    package = importlib.import_module(program)
    names = [module.name for module in pkgutil.walk_packages(package.__path__, f"{program}.")]
    for name in names:
        if name.endswith("settings"):
            importlib.import_module(name)
    return [kind for kind in _subclasses(BaseSettings) if kind.__module__.split(".")[0] == program]


@functools.cache
def settings(program: str) -> dict[str, object]:
    """Map the environment variables that a program reads to their defaults; None where there is none."""
    found: dict[str, object] = {}
    for path in sorted((ROOT / program).rglob("*.py")):
        found |= dict.fromkeys(NAME_IN_CODE.findall(path.read_text()))
    for kind in settings_classes(program):
        prefix = kind.model_config.get("env_prefix", "")
        for name, field in kind.model_fields.items():
            default = None if field.is_required() else field.default
            found[f"{prefix}{name}".upper()] = default
    # What ends in an underscore is a prefix, not a name.
    return {name: default for name, default in found.items() if not name.endswith("_")}


def unknown_words(text: str) -> list[str]:
    """Find the `python -m PROGRAM ...` in a text that name a command or an option that does not exist."""
    return [
        f"python -m {program}{arguments}"
        for program, arguments in PYTHON_COMMAND.findall(text)
        if program in PROGRAMS and not _exists(program, arguments.split())
    ]


def _exists(program: str, words: list[str]) -> bool:
    command: Any = typer.main.get_command(importlib.import_module(f"{program}.__main__").app)
    for word in words:
        if word.startswith("--"):
            options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
            if word.split("=")[0] not in options:
                return False
        elif hasattr(command, "commands"):
            if word not in command.commands:
                return False
            command = command.commands[word]
    # A group alone does nothing, mostly.
    return not hasattr(command, "commands") or command.invoke_without_command or "--help" in words


def _subclasses(kind: type[BaseSettings]) -> Iterator[type[BaseSettings]]:
    for below in kind.__subclasses__():
        yield below
        yield from _subclasses(below)


def child_environment(**variables: str) -> dict[str, str]:
    """Give this machine's environment without settings of ours, plus some."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BRIMWATCH_", "DEMO_", "PG"))}
    return {**kept, **variables}
