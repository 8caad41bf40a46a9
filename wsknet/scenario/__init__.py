"""Scenarios: hosts, links and steps in a file, run in virtual time, on TAPs or with sockets of the kernel."""
