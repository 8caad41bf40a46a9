"""A server of HTTP/1.1 and HTTP/1.0 (RFC 9110, RFC 9112).

`protocol` is the machine of one connection: bytes in, bytes out, no socket and no clock of its own.  `messages` and
`framing` read what a client sends, `site` has what there is to get, `service` puts it all on WSK.
"""
