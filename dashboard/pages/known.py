"""Dash answers every address with its page; this gives those that lead nowhere their 404, and logs silent faults."""

import logging
import re
from collections.abc import Awaitable, Callable

import psycopg
from psycopg_pool import PoolTimeout
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ELSEWHERE = re.compile(r"/(_dash-.*|assets/.*|basemap/.*|api(/.*)?|_favicon\.ico|login|logout|healthz|due\.csv)?")
PAGES = re.compile(r"/(due|alerts|devices)")
BIN = re.compile(r"/bins/([A-Za-z0-9][A-Za-z0-9._-]{0,63})/?")
# Pages with a figure, and what draws it.
DRAWN = re.compile(r"/|/bins/[^/]+/?")
PLOTLY = "/_dash-component-suites/plotly/package_data/plotly.min.js"
NOT_FOUND = 404
FAULT = 500

_log = logging.getLogger(__name__)


class KnownPages:
    """Turns the 200 of a page that does not exist into 404.

    Args:
        app: what answers.
        bin_exists: says whether a bin with this reference stands.
    """

    def __init__(self, app: ASGIApp, bin_exists: Callable[[str], Awaitable[bool]]) -> None:
        self._app = app
        self._bin_exists = bin_exists

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        known = await self._knows(scope["path"])

        async def send_with_status(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] >= FAULT:
                    _log.error("%s %s answered %d", scope["method"], scope["path"], message["status"])
                if not known:
                    message["status"] = NOT_FOUND
                elif DRAWN.fullmatch(scope["path"]):
                    # The largest part by far is fetched at once, not when Dash comes to need it.
                    message["headers"].append((b"link", f"<{PLOTLY}>; rel=preload; as=script".encode()))
            await send(message)

        await self._app(scope, receive, send_with_status)

    async def _knows(self, path: str) -> bool:
        if ELSEWHERE.fullmatch(path) or PAGES.fullmatch(path):
            return True
        match = BIN.fullmatch(path)
        if match is None:
            return False
        try:
            return await self._bin_exists(match[1])
        except (psycopg.Error, PoolTimeout):
            return True  # the page itself will say what is wrong
