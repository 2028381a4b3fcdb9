"""Text extraction in a confined process, and chunking."""
