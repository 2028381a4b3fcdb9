"""Runs: from creation to the final status, and their stream of events."""
