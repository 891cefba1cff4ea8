"""Who is told, on loopback: a webhook and a mail server, both real."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "t0ken"


@dataclass
class Hook:
    """A webhook.

    Attributes:
        url: as apprise writes it.
        status: that it answers with.
        letters: what it got, with the idempotency key.
        before_answer: called when something has arrived, before it is answered.
    """

    url: str = ""
    status: int = 200
    letters: list[dict[str, Any]] = field(default_factory=list)
    before_answer: Callable[[], None] = lambda: None

    @property
    def subjects(self) -> list[str]:
        """Subjects of what it got, oldest first."""
        return [letter["title"] for letter in self.letters]


@contextmanager
def webhook() -> Iterator[Hook]:
    """Listen until the block ends."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            hook.letters.append({**body, "key": self.headers["Idempotency-Key"]})
            hook.before_answer()
            self.send_response(hook.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.url = f"json://user:{SECRET}@127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)


@dataclass
class Mailbox:
    """A mail server.

    Attributes:
        url: as apprise writes it.
        mails: what it got, each whole.
    """

    url: str = ""
    mails: list[str] = field(default_factory=list)


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """Take mail until the block ends."""
    box = Mailbox()
    loop = asyncio.new_event_loop()
    ready = threading.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        while line := await reader.readline():
            match line.split()[0].upper():
                case b"DATA":
                    writer.write(b"354 go on\r\n")
                    box.mails.append((await reader.readuntil(b"\r\n.\r\n")).decode())
                    writer.write(b"250 taken\r\n")
                case b"QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                case _:
                    writer.write(b"250 well\r\n")
        writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        box.url = f"mailto://127.0.0.1:{port}?from=bins@example.org&to=depot@example.org&mode=insecure"
        ready.set()
        async with server:
            await ended.wait()

    ended = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    ready.wait(60)
    try:
        yield box
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(60)
        loop.close()
