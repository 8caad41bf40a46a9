"""Multicast groups: who listens on which interface (IGMP, MLD), and which senders are wanted."""
