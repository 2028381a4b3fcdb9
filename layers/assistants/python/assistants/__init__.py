"""OpenAI's Assistants API, served from your own AWS account."""

__version__ = "0.1.0"
