"""Random legal programs for two hosts, and what has to be true of every one of them: see `machine`."""
