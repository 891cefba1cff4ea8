"""Whether the ingester can work, for /healthz: what is connected, and what is wrong in one sentence each."""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from http import HTTPStatus

import structlog

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


async def serve_health(health: Health, host: str, port: int) -> None:
    """Answer GET /healthz until cancelled: 200, or 503 with what is wrong."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                request = await reader.readline()
                writer.write(_response(request, health))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, host, port, limit=4096)
    bound = server.sockets[0].getsockname()
    log.info("answering /healthz", host=bound[0], port=bound[1])
    async with server:
        await server.serve_forever()


def _response(request: bytes, health: Health) -> bytes:
    path = request.split(b" ")[1:2]
    if path not in ([b"/healthz"], [b"/healthz/"]):
        return _http(HTTPStatus.NOT_FOUND, {"error": "Only /healthz is here."})
    if health.problems:
        return _http(HTTPStatus.SERVICE_UNAVAILABLE, {"status": "failing", "problems": health.problems})
    return _http(HTTPStatus.OK, {"status": "ok"})


def _http(status: HTTPStatus, body: dict[str, object]) -> bytes:
    text = json.dumps(body).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(text)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + text
