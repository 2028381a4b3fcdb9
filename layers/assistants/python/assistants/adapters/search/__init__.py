"""Implement the search index: in OpenSearch, and embedded in SQLite."""
