"""Every outside thing as a Protocol; adapters point at these."""
