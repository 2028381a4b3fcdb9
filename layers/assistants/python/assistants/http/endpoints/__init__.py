"""One module per resource: each function turns a call into one use case."""
