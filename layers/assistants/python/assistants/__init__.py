"""OpenAI's Assistants API, served from your own AWS account."""
