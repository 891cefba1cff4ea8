"""A real server with a real town, looked at with Debian's Chromium."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from psycopg import sql

from simulator.stack.database import Database
from simulator.stack.given import GivenDatabase
from simulator.stack.process import free_port
from tests.conftest import MigratedDatabase, conninfo, run_module

ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
# Software rendering, the same on every machine; on a busy one it may take longer than the browser's watchdog grants.
FLAGS = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-gpu-watchdog", "--no-sandbox")
# What takes a second or two where nobody else is at work.
PATIENCE_S = 60.0
# How many marks MapLibre has drawn; 0 until it has all it needs.
DRAWN = """() => {
    const plot = document.querySelector('#map-graph .js-plotly-plot');
    const map = plot?._fullLayout?.map?._subplot?.map;
    if (!map || !map.loaded()) { return 0; }
    const layers = map.getStyle().layers.filter(layer => layer.type === 'circle').map(layer => layer.id);
    return layers.length ? map.queryRenderedFeatures({layers}).length : 0;
}"""

# plotly.js finishes the drawing of a graph whose page was left meanwhile, and stumbles; nobody sees anything of it.
LEFT_EARLY = "reading '_rangeSliderData'"


@dataclass(frozen=True, slots=True)
class Site:
    """A running dashboard and its database.

    Attributes:
        url: without a slash at its end.
        env: PG* variables of the database's owner.
        user: who may sign in.
        password: with what.
    """

    url: str
    env: dict[str, str]
    user: str
    password: str

    def connect(self) -> psycopg.Connection:
        """Connect as the owner, who seeds what ingest would have written."""
        return psycopg.connect(conninfo(self.env), autocommit=True)


@dataclass
class Watch:
    """What a page complained about and whom it asked."""

    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium without a window; closed after these tests, since Playwright keeps an event loop running until then."""
    expect.set_options(timeout=PATIENCE_S * 1000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def site(
    server: Database | GivenDatabase, template: MigratedDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A dashboard on an empty town of its own, for all tests of a module."""
    name = f"brimwatch_browser_{secrets.token_hex(4)}"
    with psycopg.connect(conninfo(server.env()), autocommit=True) as conn:
        create = sql.SQL("create database {} template {}")
        conn.execute(create.format(sql.Identifier(name), sql.Identifier(template.name)))
    try:
        env = {**template.env, "PGDATABASE": name}
        reader = {**template.dashboard_env, "PGDATABASE": name}
        password = run_module("dashboard", "users", "add", "manager", env=reader).strip()
        with serve(reader, tmp_path_factory.mktemp("dashboard") / "log") as url:
            yield Site(url, env, "manager", password)
    finally:
        with psycopg.connect(conninfo(server.env()), autocommit=True) as conn:
            conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def cookies(browser: Browser, site: Site) -> list[Any]:
    """The cookies of somebody who is signed in."""
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_S * 1000)
    page = context.new_page()
    page.goto(f"{site.url}/login?next=/due.csv")
    with page.expect_download():
        sign_in(page, site)
    found = context.cookies()
    context.close()
    return found


@pytest.fixture
def open_page(browser: Browser, site: Site, cookies: list[Any]) -> Iterator[Callable[..., tuple[Page, Watch]]]:
    """Open pages of somebody who is signed in; give each with a watch over it."""
    contexts: list[BrowserContext] = []

    def open_one(width: int = 1440, height: int = 900, path: str = "/") -> tuple[Page, Watch]:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme="light")
        contexts.append(context)
        context.set_default_timeout(PATIENCE_S * 1000)
        context.add_cookies(cookies)
        page = context.new_page()
        seen = watch(page, site)
        page.goto(site.url + path)
        return page, seen

    yield open_one
    for context in contexts:
        context.close()


def sign_in(page: Page, site: Site) -> None:
    """Fill in the sign-in page and send it."""
    page.get_by_label("User name").fill(site.user)
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Sign in").click()


def watch(page: Page, site: Site) -> Watch:
    """Write down errors and warnings of the console, and requests to other hosts."""
    seen = Watch()
    page.on(
        "console",
        lambda message: seen.complaints.append(message.text) if message.type in {"error", "warning"} else None,
    )
    page.on("pageerror", lambda error: None if LEFT_EARLY in str(error) else seen.complaints.append(str(error)))
    local = (site.url, "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(local) else seen.strangers.append(request.url))
    return seen


def until(condition: Callable[[], bool], what: str, timeout_s: float = PATIENCE_S) -> None:
    """Wait until a condition holds; fail with its name when it does not."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {timeout_s:g} s: {what}")
        time.sleep(0.05)


def map_is_drawn(page: Page) -> bool:
    """Say whether the map has drawn its ground and the bins on it."""
    return marks_in_view(page) > 0


def marks_in_view(page: Page) -> int:
    """Count the marks that are really drawn in the map's view."""
    return int(page.evaluate(DRAWN))


def bins_on_map(page: Page) -> list[list[str]]:
    """List the references that each trace of the map draws, from the ground up."""
    found: list[list[str]] = page.evaluate(
        "() => document.querySelector('#map-graph .js-plotly-plot').data.map(trace => [...trace.customdata])"
    )
    return found


@contextlib.contextmanager
def serve(env: dict[str, str], log: Path) -> Iterator[str]:
    """Run the dashboard's own command, and give its address once it answers."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "dashboard", "serve", "--port", str(port)]
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **env}, stdout=file, stderr=subprocess.STDOUT)
    try:
        until(lambda: process.poll() is not None or answers(url), "the dashboard answers")
        assert process.poll() is None, log.read_text()
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)


def answers(url: str) -> bool:
    """Say whether a server is there and well."""
    try:
        return httpx.get(f"{url}/healthz", timeout=5).is_success
    except httpx.TransportError:
        return False
