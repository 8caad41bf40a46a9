"""Winsock Direct: a SAN service provider, the switch above it, and the TCP/IP provider beside it."""
