"""What every answer tells the browser to forbid: other hosts, frames, guessing of types, keeping of pages."""

from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COMMON = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
YEAR = "public, max-age=31536000, immutable"


def content_policy(script_hashes: list[str], tile_origin: str) -> str:
    """Say what a page may load.

    Args:
        script_hashes: of the inline scripts that Dash writes into its page.
        tile_origin: scheme and host of the map's tiles; empty for none.
    """
    tiles = f" {tile_origin}" if tile_origin else ""
    return "; ".join(
        [
            "default-src 'self'",
            " ".join(["script-src 'self'", *script_hashes]),
            "style-src 'self' 'unsafe-inline'",
            f"img-src 'self' data: blob:{tiles}",
            "worker-src 'self' blob:",
            f"connect-src 'self'{tiles}",
            "font-src 'self' data:",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ]
    )


class SecurityHeaders:
    """Adds the headers to every answer.

    Args:
        app: what answers.
        policy: gives the pages' content policy; asked at the first answer, when all callbacks are known.
    """

    def __init__(self, app: ASGIApp, policy: Callable[[], str]) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(scope, MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _add(self, scope: Scope, headers: MutableHeaders) -> None:
        headers.update(COMMON)
        headers["Content-Security-Policy"] = self._policy()
        if scope["scheme"] == "https":
            headers["Strict-Transport-Security"] = "max-age=31536000"
        path, query = scope["path"], scope.get("query_string", b"")
        if path.startswith("/assets/"):
            # Dash puts the file's time into the address of what it includes.
            headers["Cache-Control"] = YEAR if query.startswith(b"m=") else "no-cache"
        elif "cache-control" not in headers:
            # Program parts without a version in their address are kept, and asked after each time.
            headers["Cache-Control"] = "no-cache" if path.startswith("/_dash-component-suites/") else "no-store"
