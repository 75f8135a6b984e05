"""Runs the registry: `python -m services.registry [--role api|worker]`."""

from services.registry.api import router
from services.registry.consumers import HANDLERS
from services.registry.set_up import set_up
from services.registry.settings import RegistrySettings
from services.registry.views.invariants import INVARIANTS
from shared.service import Service, run

SERVICE = Service(
    "registry", RegistrySettings, router, HANDLERS, setup=set_up, invariants=INVARIANTS
)

if __name__ == "__main__":
    run(SERVICE)
