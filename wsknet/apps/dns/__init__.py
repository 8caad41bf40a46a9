"""A DNS server for labs: `Zone` says what there is, `Dns` serves it."""

from wsknet.apps.dns.service import Dns
from wsknet.apps.dns.zone import Zone

__all__ = ["Dns", "Zone"]
