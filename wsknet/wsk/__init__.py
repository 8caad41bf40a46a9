"""The Winsock Kernel programming interface, and the kernel functions that drivers use beside it.

Names, spelling, argument order and constants are those of wsk.h and wdm.h, so that driver code can be carried over line
by line: ``from wsknet.wsk import *`` stands for including the headers.  `wsknet.wsk.simple` is for people who do not
want to write IRPs by hand.
"""
# ruff: noqa: F403

import typing as _typing
from types import ModuleType as _ModuleType

from wsknet.wsk.addrinfo import *
from wsknet.wsk.assertions import *
from wsknet.wsk.bugcheck import *
from wsknet.wsk.cmsg import *
from wsknet.wsk.constants import *
from wsknet.wsk.control.transports import *
from wsknet.wsk.dispatch import *
from wsknet.wsk.ex import *
from wsknet.wsk.ex_lists import *
from wsknet.wsk.ex_locks import *
from wsknet.wsk.ex_lookaside import *
from wsknet.wsk.ex_rundown import *
from wsknet.wsk.exceptions import *
from wsknet.wsk.faults import *
from wsknet.wsk.interlocked import *
from wsknet.wsk.io_device import *
from wsknet.wsk.io_workitem import *
from wsknet.wsk.ip_structures import *
from wsknet.wsk.irp import *
from wsknet.wsk.irql import *
from wsknet.wsk.ke import *
from wsknet.wsk.ke_dpc import *
from wsknet.wsk.ke_mutex import *
from wsknet.wsk.ke_processor import *
from wsknet.wsk.ke_spinlock import *
from wsknet.wsk.ke_time import *
from wsknet.wsk.ke_timer import *
from wsknet.wsk.kernel import *
from wsknet.wsk.mdl import *
from wsknet.wsk.nmr import *
from wsknet.wsk.npi import *
from wsknet.wsk.ps import *
from wsknet.wsk.registration import *
from wsknet.wsk.rtl import *
from wsknet.wsk.rtl_address import *
from wsknet.wsk.rtl_debug import *
from wsknet.wsk.rtl_memory import *
from wsknet.wsk.rtl_status import *
from wsknet.wsk.scalars import *
from wsknet.wsk.sockaddr import *
from wsknet.wsk.sockaddr_inet import *
from wsknet.wsk.status import *
from wsknet.wsk.structures import *
from wsknet.wsk.structures_client import *
from wsknet.wsk.structures_tcp import *

if not _typing.TYPE_CHECKING:  # type checkers take a list that is computed for an empty one
    # The headers have no names for files: `status` and `client` stay free for the variables of a driver.
    __all__ = [
        name
        for name, value in globals().items()
        if name[0] != "_" and name != "annotations" and not isinstance(value, _ModuleType)
    ]
