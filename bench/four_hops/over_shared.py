"""A hop as our services make it: over shared/, with every safety it has."""

import asyncio
from collections.abc import Sequence
from typing import Any

from bench.four_hops.hops import Hop, Place
from shared.consumer import Consumer
from shared.database import Database
from shared.handlers import Handlers, Received
from shared.relay import Relay
from shared.transaction import Tx

_NOTE = "INSERT INTO hop_effect (event_id, journey_id) SELECT * FROM unnest($1::uuid[], $2::uuid[])"


def _handlers(hop: Hop) -> Handlers:
    handlers = Handlers(hop.service)
    tell = hop.teller() if hop.says else None

    async def hear(tx: Tx, received: Sequence[Received[Any]]) -> None:
        envelopes = [one.envelope for one in received]
        journeys = [e.correlation_id for e in envelopes]
        await tx.execute(_NOTE, [e.id for e in envelopes], journeys)
        if tell:
            for one in received:
                tx.say(tell(one.event, tx.ids), tenant_id=one.envelope.tenant_id, cause=one)

    handlers.on(hop.hears)(hear)
    return handlers


async def serve(place: Place) -> None:
    """Run the hop until cancelled."""
    db = await Database.open(place.database_url, service=place.hop.service)
    kafka = {"bootstrap_servers": place.bootstrap_servers}
    consumer = Consumer(db, _handlers(place.hop), kafka, topics=[place.topic(place.hop.source)])
    async with asyncio.TaskGroup() as group:
        if place.hop.says:
            group.create_task(Relay(db, kafka).run())
        group.create_task(consumer.run())
