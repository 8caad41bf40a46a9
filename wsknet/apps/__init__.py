"""What `wsknet serve` serves, each a WSK application."""

from wsknet.apps.chargen import Chargen
from wsknet.apps.discard import Discard
from wsknet.apps.echo import Echo
from wsknet.apps.service import Service

SERVICES: dict[str, type[Service]] = {service.name: service for service in (Echo, Discard, Chargen)}

__all__ = ["SERVICES", "Service"]
