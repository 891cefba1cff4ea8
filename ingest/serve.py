"""`python -m ingest serve`: wires the parts and keeps them running until it is told to stop."""

import asyncio
import contextlib
import gc
import signal

import structlog

from ingest.crash import planned
from ingest.health import Health, serve_health
from ingest.lead import Lead
from ingest.limit import Limit
from ingest.link import Link
from ingest.metrics import Metrics
from ingest.pipeline import Pipeline
from ingest.send import SENDER, Sender
from ingest.settings import ServeSettings

# Fixed client ids: each has a session at the broker that outlives us. Fresh readings never queue behind history.
STREAMS = {
    "brimwatch-readings": (
        "bins/v1/+/up/readings",
        "bins/v1/+/up/status",
        # What LoRaWAN network servers publish: The Things Stack, ChirpStack (docs/lorawan.md).
        "v3/+/devices/+/up",
        "application/+/device/+/event/up",
    ),
    "brimwatch-backlog": ("bins/v1/+/up/backlog",),
}
LAST_ACKNOWLEDGEMENTS_S = 0.5
# Readings hold no cycles: looking for some after each 700 of them, as is usual, costs a tenth of the time.
COLLECT_AFTER = 100_000

log = structlog.get_logger()


async def serve(settings: ServeSettings) -> None:
    """Receive, store and acknowledge until SIGTERM or SIGINT.

    Raises:
        SettingsError: certificates are missing, or we cannot listen where we should.
    """
    link = Link(settings.mqtt_host, settings.mqtt_port, settings.certificates)
    link.require((*STREAMS, SENDER))
    gc.set_threshold(COLLECT_AFTER)
    stop = _stop_on_signal()
    health = Health(dict.fromkeys(("database", "send", *STREAMS), "Not connected yet"))
    metrics = Metrics()
    limit = Limit(settings.device_messages_per_s, settings.device_readings_per_s, metrics)
    lead = Lead(health)
    crash = planned(settings.crash_at)
    sender = Sender(link, health, metrics, crash)
    pipelines = [
        Pipeline(name, topics, settings.batch_messages, link, lead, sender, health, metrics, limit, crash)
        for name, topics in STREAMS.items()
    ]
    answering: contextlib.nullcontext[None] | asyncio.Server = contextlib.nullcontext()
    if settings.health_port is not None:
        answering = await serve_health(health, metrics, settings.health_host, settings.health_port)
    async with answering, asyncio.TaskGroup() as tasks:
        helpers = [
            tasks.create_task(lead.run(), name="lead"),
            tasks.create_task(sender.run(), name="send"),
        ]
        streams = [tasks.create_task(pipeline.run(), name=pipeline.name) for pipeline in pipelines]
        await stop.wait()
        log.info("stopping")
        await _cancel(streams)
        await sender.finish(LAST_ACKNOWLEDGEMENTS_S)
        await _cancel(helpers)
    log.info("stopped")


def _stop_on_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
