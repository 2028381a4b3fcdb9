"""The ASGI edge: routes, validation, server-sent events, the error envelope."""
