"""Control messages as the state machines see them, a module for each kind.

What a message means per family is the codec's business (`wsknet.control`): a port unreachable is type 3 code 3 in
ICMPv4 and type 1 code 4 in ICMPv6, here it is one kind.
"""
