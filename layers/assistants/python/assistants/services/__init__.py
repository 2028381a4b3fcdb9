"""The use cases: one module per resource, and the run itself. The outside is behind ports."""
