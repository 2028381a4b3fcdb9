"""Passages, queries and how they are ranked."""
