"""What lies between the receiver and the transaction: nothing lost, nothing twice, and never too much."""

import asyncio

import pytest

from ingest.batch import Incoming
from ingest.errors import BrokerLostError
from ingest.intake import Intake
from ingest.packets import Message
from ingest.reading import Decoded


class Broker:
    """A source that has so many messages at once, and then is lost or silent."""

    def __init__(self, count: int, payload: bytes = b"", *, lost: bool = False) -> None:
        self.messages = [Message(f"topic-{number}", payload, retain=False, packet_id=number) for number in range(count)]
        self.lost = lost

    async def take(self, limit: int) -> list[Message]:
        """Give some of them."""
        if not self.messages and self.lost:
            raise BrokerLostError("away")
        if not self.messages:
            await asyncio.Event().wait()
        taken, self.messages = self.messages[:limit], self.messages[limit:]
        return taken


def decode(messages: list[Message]) -> list[Incoming]:
    """Leave out every second one, as a limit might."""
    return [
        Incoming(message.topic, message.payload, Decoded(None, [], [])) for message in messages if message.packet_id % 2
    ]


async def settled() -> None:
    """Let everybody go on who can."""
    for _ in range(1000):
        await asyncio.sleep(0)


@pytest.mark.anyio
async def test_batch_is_what_arrived_since_the_last_one() -> None:
    source = Broker(1000)
    async with Intake(source, decode, 5000, 1_000_000) as intake:
        await settled()
        taken, messages = await intake.take()

    assert [message.packet_id for message in taken] == list(range(1000))
    assert [message.topic for message in messages] == [f"topic-{number}" for number in range(1, 1000, 2)]


@pytest.mark.anyio
@pytest.mark.parametrize(("largest", "largest_bytes"), [(600, 1_000_000), (5000, 600 * 100)])
async def test_no_more_is_taken_than_a_transaction_may_hold(largest: int, largest_bytes: int) -> None:
    source = Broker(2000, bytes(100))
    async with Intake(source, decode, largest, largest_bytes) as intake:
        await settled()
        left = len(source.messages)
        sizes = [len((await intake.take())[0]) for _ in range(3)]

    assert 2000 - left <= 750  # the limit, and at most what is taken at a stretch
    assert all(0 < size <= 750 for size in sizes)


@pytest.mark.anyio
async def test_end_of_the_connection_is_told_after_all_that_came_before_it() -> None:
    async with Intake(Broker(300, lost=True), decode, 5000, 1_000_000) as intake:
        taken, _ = await intake.take()
        while len(taken) < 300:
            taken += (await intake.take())[0]

        with pytest.raises(BrokerLostError, match="away"):
            await intake.take()

    assert [message.packet_id for message in taken] == list(range(300))


@pytest.mark.anyio
async def test_fault_in_decoding_is_not_swallowed() -> None:
    def refuse(messages: list[Message]) -> list[Incoming]:
        raise ZeroDivisionError(f"{len(messages)} messages")

    async with Intake(Broker(1), refuse, 5000, 1_000_000) as intake:
        with pytest.raises(ZeroDivisionError):
            await intake.take()
