"""Search indexes: OpenSearch, and an embedded one in SQLite."""
