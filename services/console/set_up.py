"""Makes what the console's routes need before anything starts."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import httpx2

from services.console.desk import CALL_TIMEOUT_S, Desk
from services.console.feed_bell import FeedBell
from services.console.handlers.hook_secrets import HookSecrets
from services.console.handlers.projection import FEED
from services.console.handlers.seed import seed
from services.console.handlers.sign_in import SecondFactors
from services.console.hook_sender import Sender, Waiting
from services.console.hook_wire import Wire
from services.console.pages.fonts import Fonts
from services.console.pages.identify import by_token_or_session
from services.console.pages.live import Told
from services.console.pages.standing import Standing
from services.console.pages.visit import refuse_browser
from services.console.settings import ConsoleSettings
from services.console.signing import SigningKeyError, SigningKeys, make_key_file
from shared.http import House
from shared.problem import AWAY
from shared.settings import stop
from shared.tokens import Access


@asynccontextmanager
async def set_up(house: House) -> AsyncIterator[None]:
    """Provide the desk and the bell; on a local stack also its keys and first accounts."""
    settings: ConsoleSettings = house.settings
    keys = await asyncio.to_thread(_keys, settings)
    bell = FeedBell()
    async with httpx2.AsyncClient(timeout=CALL_TIMEOUT_S) as http:
        factors = SecondFactors(keys.secret("second factors"))
        house.provide(Desk(keys, factors, settings.urls, http, house.db.ids))
        house.provide(bell)
        house.provide(Access(house.db))
        house.provide(Told(bell))
        house.provide(Standing())
        house.provide(Fonts(settings.web_font_dir))
        house.identify = by_token_or_session
        house.refuse = refuse_browser
        house.tasks["feed-bell"] = partial(bell.listen, house.db, FEED)
        hooks = HookSecrets(keys.secret("web hooks")), Wire(loopback=settings.local_stack)
        for one in hooks:
            house.provide(one)
        house.tasks["hook-sender"] = Sender(house.db, bell, *hooks).run
        waiting = Waiting(house.metrics.registry)
        house.tasks["hook-counter"] = partial(waiting.count_for_ever, house.db)
        if settings.seed_file is not None:
            seeds = json.loads(settings.seed_file.read_bytes())
            try:
                await seed(house.db, seeds)
            except AWAY:
                house.tasks["seed"] = partial(seed, house.db, seeds)
        yield


def _keys(settings: ConsoleSettings) -> SigningKeys:
    try:
        if settings.local_stack:
            make_key_file(settings.signing_key_file)
        return SigningKeys.read(settings.signing_key_file, settings.issuer)
    except SigningKeyError as e:
        stop([f"CONSOLE_SIGNING_KEY_FILE: {e}"])
