"""The resolver of an emulated host: its hosts file, and DNS over its own UDP and TCP."""
