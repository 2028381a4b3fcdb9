"""Embedding models by provider."""
