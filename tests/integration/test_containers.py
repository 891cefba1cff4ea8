"""What docker-compose.yml runs, from the first start on; the engine itself is not needed."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql

from deploy.prepare import prepare
from simulator.stack.broker import open_broker
from simulator.stack.database import open_database
from simulator.stack.native import server_given
from simulator.stack.place import find_place
from simulator.stack.process import free_port, wait_until
from tests.conftest import conninfo
from tests.integration.containers import SERVICES, TOWN_BINS, Containers, Proxy, mounts

STAYING = ("ingest", "assess", "notify", "api", "web")
START_TIMEOUT_S = 180.0


@pytest.fixture(scope="module")
def containers() -> Iterator[Containers]:
    """The state after `init`, `timescaledb`, `mosquitto`, `migrate` and `town` have started for the first time."""
    if server_given(os.environ):
        pytest.skip("PGHOST or DATABASE_URL names a server, and this test sets passwords on one of its own.")
    scratch = find_place().scratch("containers")
    volumes = scratch / "volumes"
    for source in {source for name in SERVICES for source, _ in mounts(name) if not source.startswith(".")}:
        (volumes / source).mkdir(parents=True)
    prepare(volumes, ["mosquitto", "localhost", "127.0.0.1"], lambda _path, _user: None)
    with (
        open_database(scratch / "database", {}) as database,
        open_broker(scratch / "broker", volumes / "broker-secrets", {}) as broker,
    ):
        password = (volumes / "database-secrets/password").read_text()
        with psycopg.connect(conninfo(database.env()), autocommit=True) as conn:
            # As the image does at its first start, from the same file.
            conn.execute(sql.SQL("alter role brimwatch password {}").format(sql.Literal(password)))
        where = {"PGHOST": "127.0.0.1", "PGPORT": database.env()["PGPORT"]}
        started = Containers(volumes, where, broker.port, {name: free_port() for name in STAYING})
        started.run("migrate")
        started.run("town")
        yield started
    shutil.rmtree(scratch)


@pytest.fixture(scope="module")
def services(containers: Containers) -> Iterator[Containers]:
    """The processes that stay, well by their own health checks."""
    children = {name: containers.start(name) for name in STAYING}
    try:
        for name, child in children.items():
            wait_until(
                lambda name=name: containers.is_well(name),  # type: ignore[misc]
                timeout_s=START_TIMEOUT_S,
                what=f"{name} is not well",
                child=child,
                every_s=0.5,
            )
        yield containers
    finally:
        for child in children.values():
            child.stop()


@pytest.fixture(scope="module")
def api_key(services: Containers) -> str:
    return services.execute("api", "python", "-m", "dashboard", "keys", "add", "route engine").strip()


@pytest.fixture(scope="module")
def site(services: Containers) -> Iterator[httpx.Client]:
    """The site behind the proxy, as a browser or a route engine sees it."""
    yield from visit(Proxy(services.folder, api=services.ports["api"], web=services.ports["web"]))


@pytest.fixture
def closed_site(tmp_path: Path) -> Iterator[httpx.Client]:
    """The proxy with nothing behind it yet."""
    yield from visit(Proxy(tmp_path, api=free_port(), web=free_port()))


def visit(proxy: Proxy) -> Iterator[httpx.Client]:
    try:
        wait_until(proxy.answers, timeout_s=START_TIMEOUT_S, what="No answer", child=proxy.child, every_s=0.2)
        with proxy.browser() as browser:
            yield browser
    finally:
        proxy.child.stop()


def test_registry_lists_the_demo_town(containers: Containers) -> None:
    listed = containers.run("registry", "bins", "list")

    assert sum("\ts-" in line for line in listed.splitlines()) >= TOWN_BINS // 2


def test_second_start_changes_nothing(containers: Containers) -> None:
    migrated, registered = containers.run("migrate"), containers.run("town")

    assert "up to date" in migrated
    assert "0 enrolled" in registered
    assert "0 fitted" in registered


def test_route_engine_gets_the_bins_through_the_proxy(site: httpx.Client, api_key: str) -> None:
    answer = site.get("/api/v1/bins", headers={"Authorization": f"Bearer {api_key}"})

    assert answer.status_code == httpx.codes.OK
    assert len(answer.json()["items"]) == TOWN_BINS


def test_stranger_gets_no_bins(site: httpx.Client) -> None:
    assert site.get("/api/v1/bins").status_code == httpx.codes.UNAUTHORIZED


def test_person_signs_in_through_the_proxy(services: Containers, site: httpx.Client) -> None:
    password = services.execute("web", "python", "-m", "dashboard", "users", "add", "depot").strip()
    form = re.findall(r'name="(form|next)" value="([^"]*)"', site.get("/login").text)

    signed_in = site.post("/login", data={**dict(form), "name": "depot", "password": password})
    page = site.get("/", headers={"Accept": "text/html"})

    assert signed_in.status_code == httpx.codes.SEE_OTHER
    # The proxy's word that the browser came over TLS is taken.
    assert all("Secure" in cookie for cookie in signed_in.headers.get_list("set-cookie") if "Max-Age=0" not in cookie)
    assert page.status_code == httpx.codes.OK


@pytest.mark.parametrize("path", ["/", "/api/v1/bins"])
def test_answer_carries_each_security_header_once(site: httpx.Client, path: str) -> None:
    names = [name.lower() for name, _ in site.get(path).headers.multi_items()]

    wanted = ("content-security-policy", "strict-transport-security", "x-content-type-options", "x-frame-options")
    assert {name: names.count(name) for name in wanted} == dict.fromkeys(wanted, 1)
    assert "server" not in names


def test_proxy_says_so_while_nothing_is_behind_it(closed_site: httpx.Client) -> None:
    page, answer = closed_site.get("/"), closed_site.get("/api/v1/bins")

    assert (page.status_code, answer.status_code) == (502, 502)
    assert "try again" in page.text
    assert "try again" in answer.json()["error"]
    assert page.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_demo_town_brings_its_history(services: Containers, site: httpx.Client, api_key: str) -> None:
    def readings(ref: str) -> list[dict[str, object]]:
        path, parameters = f"/api/v1/bins/{ref}/readings", {"limit": 1000}
        answer = site.get(path, params=parameters, headers={"Authorization": f"Bearer {api_key}"})
        items: list[dict[str, object]] = answer.json()["items"]
        return items

    simulator = services.start("simulator", "--bins", str(TOWN_BINS), "--port", str(services.broker_port))
    try:
        wait_until(
            # Most hours of four weeks; a sensor may have been out of order for a while.
            lambda: len(readings("b-0001")) > 14 * 24,
            timeout_s=START_TIMEOUT_S,
            what="No history",
            child=simulator,
            every_s=0.5,
        )
    finally:
        simulator.stop()

    assert services.is_well("ingest")
