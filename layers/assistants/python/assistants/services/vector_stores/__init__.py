"""Vector stores, the files in them, and searches."""
