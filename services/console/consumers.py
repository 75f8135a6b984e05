"""What the console hears: everything."""

from services.console.handlers.projection import project
from shared.handlers import Handlers

HANDLERS = Handlers("console")
HANDLERS.on_every(project)
