"""Protocols of everything outside the service; adapters implement them."""
