"""Our own ingester as it is, except that it tells the devices nothing: PUBACK only, as the peers do."""

import asyncio
import gc
import os

from ingest.health import Health
from ingest.lead import Lead
from ingest.limit import Limit
from ingest.link import Link
from ingest.metrics import Metrics
from ingest.pipeline import Pipeline
from ingest.reading import Range
from ingest.send import Sender
from ingest.serve import COLLECT_AFTER
from ingest.settings import ServeSettings, load
from tests.bench.settings import read_link


class Silent(Sender):
    """Keeps the acknowledgements to itself."""

    def acknowledge(self, known: dict[str, list[Range]]) -> None:
        """Do nothing."""


async def main(link: Link) -> None:
    """Receive and insert until killed."""
    gc.set_threshold(COLLECT_AFTER)
    settings = load(ServeSettings)
    health, metrics = Health(), Metrics()
    lead = Lead(health)
    limit = Limit(settings.device_messages_per_s, settings.device_readings_per_s, metrics)
    sender = Silent(link, health, metrics)
    topics = ("bins/v1/+/up/readings", "bins/v1/+/up/status")
    pipeline = Pipeline(
        "brimwatch-readings", topics, settings.batch_messages, link, lead, sender, health, metrics, limit
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(lead.run(), name="lead")
        tasks.create_task(pipeline.run(), name="pipeline")


if __name__ == "__main__":
    asyncio.run(main(read_link(os.environ)))
