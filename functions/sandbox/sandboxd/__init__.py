"""sandboxd: one code interpreter session behind HTTP. It imports nothing of the service."""
