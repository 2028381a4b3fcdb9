"""Extracted text, passages, queries and ranking."""
