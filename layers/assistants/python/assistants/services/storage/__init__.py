"""Rows of the table: their keys, pages of them, changes to them, idempotent requests."""
