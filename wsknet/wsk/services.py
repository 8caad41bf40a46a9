"""Services and their ports, as the file ``services`` of the system tells them: those of IANA that labs use."""

from __future__ import annotations

from wsknet.types import Proto

_BOTH = (Proto.TCP, Proto.UDP)
_TCP = (Proto.TCP,)
_UDP = (Proto.UDP,)

_ROWS: tuple[tuple[str, int, tuple[Proto, ...], tuple[str, ...]], ...] = (
    ("echo", 7, _BOTH, ()),
    ("discard", 9, _BOTH, ("sink", "null")),
    ("systat", 11, _BOTH, ("users",)),
    ("daytime", 13, _BOTH, ()),
    ("qotd", 17, _BOTH, ("quote",)),
    ("chargen", 19, _BOTH, ("ttytst", "source")),
    ("ftp-data", 20, _TCP, ()),
    ("ftp", 21, _TCP, ()),
    ("ssh", 22, _TCP, ()),
    ("telnet", 23, _TCP, ()),
    ("smtp", 25, _TCP, ("mail",)),
    ("time", 37, _BOTH, ("timserver",)),
    ("nameserver", 42, _BOTH, ("name",)),
    ("domain", 53, _BOTH, ()),
    ("bootps", 67, _UDP, ("dhcps",)),
    ("bootpc", 68, _UDP, ("dhcpc",)),
    ("tftp", 69, _UDP, ()),
    ("finger", 79, _TCP, ()),
    ("http", 80, _TCP, ("www", "www-http")),
    ("kerberos", 88, _BOTH, ("krb5", "kerberos-sec")),
    ("pop3", 110, _TCP, ()),
    ("sunrpc", 111, _BOTH, ("rpcbind", "portmap")),
    ("nntp", 119, _TCP, ("usenet",)),
    ("ntp", 123, _UDP, ()),
    ("epmap", 135, _BOTH, ("loc-srv",)),
    ("netbios-ns", 137, _BOTH, ("nbname",)),
    ("netbios-dgm", 138, _UDP, ("nbdatagram",)),
    ("netbios-ssn", 139, _TCP, ("nbsession",)),
    ("imap", 143, _TCP, ("imap4",)),
    ("snmp", 161, _UDP, ()),
    ("snmptrap", 162, _UDP, ("snmp-trap",)),
    ("ldap", 389, _TCP, ()),
    ("https", 443, _BOTH, ("MCom",)),
    ("microsoft-ds", 445, _BOTH, ()),
    ("syslog", 514, _UDP, ()),
    ("printer", 515, _TCP, ("spooler",)),
    ("ldaps", 636, _TCP, ("sldap",)),
    ("imaps", 993, _TCP, ()),
    ("pop3s", 995, _TCP, ()),
    ("ms-sql-s", 1433, _BOTH, ()),
    ("radius", 1812, _UDP, ()),
    ("nfs", 2049, _BOTH, ("nfsd",)),
    ("iscsi-target", 3260, _TCP, ()),
    ("ms-wbt-server", 3389, _TCP, ()),
)

_PORTS = {
    (each.lower(), protocol): port for name, port, protocols, aliases in _ROWS for each in (name, *aliases)
    for protocol in protocols
}  # fmt: skip
_NAMES = {(port, protocol): name for name, port, protocols, _ in _ROWS for protocol in protocols}


def port_of(name: str, protocol: Proto) -> int | None:
    return _PORTS.get((name.lower(), protocol))


def service_of(port: int, protocol: Proto) -> str | None:
    return _NAMES.get((port, protocol))
