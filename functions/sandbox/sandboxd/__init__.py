"""sandboxd: one code interpreter session, served over HTTP. It imports nothing of the service."""
