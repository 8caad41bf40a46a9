"""What `wsknet serve` serves, each a WSK application."""

from wsknet.apps.chargen import Chargen
from wsknet.apps.discard import Discard
from wsknet.apps.echo import Echo
from wsknet.apps.http.service import Http
from wsknet.apps.service import Service
from wsknet.apps.time import Time

SERVICES: dict[str, type[Service]] = {service.name: service for service in (Echo, Discard, Chargen, Time, Http)}

__all__ = ["SERVICES", "Service"]
