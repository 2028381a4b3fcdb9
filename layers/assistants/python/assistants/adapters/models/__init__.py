"""Chat models by provider."""
