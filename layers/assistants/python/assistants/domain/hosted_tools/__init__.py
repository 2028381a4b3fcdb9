"""Describe each tool that runs on the server, once."""
