"""The control plane's codec, with Scapy: ARP, ICMP, neighbour discovery, groups and DHCP to and from `net.messages`.

A message costs some 100 us here, which is why `wire` does the same for data without Scapy.  Three rules keep Scapy
harmless.  It only sees bytes whose length has been checked, and of an ICMP error only the 8 bytes before the quoted
packet (it takes the tail of a long one for an RFC 4884 extension).  No Scapy packet leaves this package.  Every field
is set when building: an address left out is looked up on the machine that runs the program.
"""
