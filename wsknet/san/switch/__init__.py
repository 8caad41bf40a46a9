"""The Windows Sockets switch: one TCP provider for applications, over a SAN where it can be."""
