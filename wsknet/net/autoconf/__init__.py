"""What an interface finds out by itself: duplicate addresses, routers and prefixes, leases, link-local addresses."""
