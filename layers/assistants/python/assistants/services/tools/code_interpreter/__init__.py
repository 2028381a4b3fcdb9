"""Run a model's Python in the session of its thread."""
