"""What a process is asked about itself: `/healthz` (it lives), `/readyz` (it can work), `/metrics` (its figures)."""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from http import HTTPStatus

import structlog
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from ingest.errors import SettingsError
from ingest.metrics import Metrics

REQUEST_TIMEOUT_S = 5.0

log = structlog.get_logger()


@dataclass(slots=True)
class Health:
    """What is wrong now; nothing means that everything is connected.

    Attributes:
        problems: by part (`database`, `readings`, ...), one sentence each.
    """

    problems: dict[str, str] = field(default_factory=dict)

    def failed(self, part: str, sentence: str) -> None:
        """Note that a part does not work."""
        self.problems[part] = sentence

    def works(self, part: str) -> None:
        """Note that a part works, or works again."""
        self.problems.pop(part, None)


async def serve_health(health: Health, metrics: Metrics, host: str, port: int) -> asyncio.Server:
    """Answer until the server is closed, as `async with` does at its end.

    - `/healthz`: 200 as long as the process lives; only a restart helps when it does not answer.
    - `/readyz`: 200, or 503 with what is wrong; what is wrong is mostly elsewhere, and a restart does not help.
    - `/metrics`: all figures.

    Args:
        health: what is wrong now.
        metrics: the figures.
        host: address to listen on.
        port: TCP port; 0 for any free one.

    Raises:
        SettingsError: that is no address that we can listen on.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                request = await reader.readline()
                writer.write(_response(request, health, metrics))
                await writer.drain()
        writer.close()

    try:
        server = await asyncio.start_server(answer, host, port, limit=4096)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(
            f"BRIMWATCH_HEALTH_HOST and BRIMWATCH_HEALTH_PORT are no address to listen on: {reason}."
        ) from error
    bound = server.sockets[0].getsockname()
    log.info("answering /healthz", host=bound[0], port=bound[1])
    return server


def _response(request: bytes, health: Health, metrics: Metrics) -> bytes:
    words = request.split(b" ")
    match words[1].partition(b"?")[0].rstrip(b"/") if len(words) > 1 else b"":
        case b"/healthz":
            return _json(HTTPStatus.OK, {"status": "ok"})
        case b"/readyz" if health.problems:
            return _json(HTTPStatus.SERVICE_UNAVAILABLE, {"status": "failing", "problems": health.problems})
        case b"/readyz":
            return _json(HTTPStatus.OK, {"status": "ok"})
        case b"/metrics":
            return _http(HTTPStatus.OK, CONTENT_TYPE_PLAIN_0_0_4, metrics.text())
    return _json(HTTPStatus.NOT_FOUND, {"error": "Only /healthz, /readyz and /metrics are here."})


def _json(status: HTTPStatus, body: dict[str, object]) -> bytes:
    return _http(status, "application/json", json.dumps(body).encode())


def _http(status: HTTPStatus, content_type: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"content-type: {content_type}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
