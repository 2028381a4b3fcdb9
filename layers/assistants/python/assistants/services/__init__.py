"""The use cases: one folder per resource. They reach the outside through ports."""
