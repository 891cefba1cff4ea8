"""Runs the services of docker-compose.yml as processes of this machine, with their own commands and settings.

Only names, paths and ports that exist in containers alone are replaced.
"""

import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from simulator.stack.place import checkout_folder
from simulator.stack.process import Child, free_port

ROOT = checkout_folder()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
TOWN_BINS = 40
# Smaller, and without giving files away, which only root may.
CHANGES = {"simulator city": f"simulator city --bins {TOWN_BINS}", "chown -R 10001:10001": "ls"}
PLACES = {"mosquitto": "localhost"}


@dataclass(frozen=True, slots=True)
class Containers:
    """Runs services as processes.

    Attributes:
        folder: has each volume as a folder.
        where: PG* variables that say where the database is.
        broker_port: of the running Mosquitto.
        ports: what a service listens on here.
    """

    folder: Path
    where: dict[str, str]
    broker_port: int
    ports: dict[str, int]

    def run(self, name: str, *arguments: str) -> str:
        """Run a service that ends, with other arguments than its own if some are given, and give what it prints."""
        service = SERVICES[name]
        return self.execute(name, *service.get("entrypoint", []), *(arguments or service["command"]))

    def execute(self, name: str, *command: str) -> str:
        """Run a command in a service, as `docker compose exec` does, and give what it prints."""
        done = subprocess.run(
            self._here(name, command),
            env={**os.environ, **self._variables(name)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{name}: {done.stderr or done.stdout}"
        return done.stdout

    def start(self, name: str, *more: str) -> Child:
        """Start a service that stays, with some arguments more than its own."""
        command = self._here(name, [*SERVICES[name]["command"], *more])
        return Child(command, name=name, log=self.folder / f"{name}.log", env=self._variables(name), cwd=ROOT)

    def is_well(self, name: str) -> bool:
        """Run a service's health check."""
        _, *command = SERVICES[name]["healthcheck"]["test"]
        done = subprocess.run(
            self._here(name, command), env={**os.environ, **self._variables(name)}, capture_output=True, check=False
        )
        return done.returncode == 0

    def _variables(self, name: str) -> dict[str, str]:
        given = {key: value for key, value in SERVICES[name].get("environment", {}).items() if value}
        changes = {"BRIMWATCH_MQTT_HOST": "localhost", "BRIMWATCH_MQTT_PORT": str(self.broker_port), **self.where}
        if name in self.ports:
            port = str(self.ports[name])
            changes |= {"BRIMWATCH_HTTP_HOST": "127.0.0.1", "BRIMWATCH_HTTP_PORT": port, "BRIMWATCH_HEALTH_PORT": port}
        settled = {**given, **{key: value for key, value in changes.items() if key in given or key.startswith("PG")}}
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            **dict(zip(settled, self._here(name, settled.values()), strict=True)),
        }

    def _here(self, name: str, words: Iterable[str]) -> list[str]:
        places = {target: str(self.folder / source) for source, target in mounts(name)}
        found = re.compile("|".join(rf"(?<![\w/]){re.escape(target)}\b" for target in places) or "(?!)")
        texts = [PLACES.get(word) or found.sub(lambda match: places[match[0]], word) for word in words]
        # `$$` is how a compose file writes a dollar sign.
        for old, new in {"$$": "$", **CHANGES}.items():
            texts = [text.replace(old, new) for text in texts]
        return [re.sub(r"(?<=127\.0\.0\.1:)808\d", str(self.ports.get(name)), text) for text in texts]


def mounts(name: str) -> list[tuple[str, str]]:
    filled = [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", mount) for mount in SERVICES[name].get("volumes", [])]
    return [(source, target) for source, target, *_ in (mount.split(":") for mount in filled)]


class Proxy:
    """Caddy with deploy/Caddyfile.

    Args:
        folder: for its files.
        api: TCP port of the API.
        web: TCP port of the pages.
    """

    def __init__(self, folder: Path, *, api: int, web: int) -> None:
        self._port = free_port()
        self._authority = folder / "caddy/pki/authorities/local/root.crt"
        caddyfile = folder / "Caddyfile"
        caddyfile.write_text(self._configuration(api, web))
        self.child = Child(
            [str(Path(sys.executable).with_name("caddy")), "run", "--config", str(caddyfile)],
            name="Caddy",
            log=folder / "proxy.log",
            env={"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
        )

    def browser(self) -> httpx.Client:
        """Give a client that trusts the proxy's own authority."""
        trusted = ssl.create_default_context(cafile=self._authority)
        return httpx.Client(base_url=f"https://localhost:{self._port}", verify=trusted, trust_env=False)

    def answers(self) -> bool:
        """Whether it answers over TLS, be it that nothing is behind it."""
        if not self._authority.exists():
            return False
        try:
            with self.browser() as browser:
                browser.get("/healthz")
        except httpx.TransportError:
            return False
        return True

    def _configuration(self, api: int, web: int) -> str:
        changes = {
            "https_port 8443": f"https_port {self._port}",
            "http_port 8080": f"http_port {free_port()}",
            "127.0.0.1:8081": f"127.0.0.1:{free_port()}",
            "api:8080": f"127.0.0.1:{api}",
            "web:8080": f"127.0.0.1:{web}",
        }
        text = (ROOT / "deploy/Caddyfile").read_text()
        for old, new in changes.items():
            assert text.count(old) == 1
            text = text.replace(old, new)
        return text
