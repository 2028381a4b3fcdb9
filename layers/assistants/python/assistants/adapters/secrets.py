"""Secrets by reference: settings name a parameter, and never hold the secret itself."""

from assistants.adapters.aws import client

_SSM = "ssm:"


def resolve(reference: str | None) -> str | None:
    """Return the SecureString `ssm:/name`. Raises `ValueError` for any other reference."""
    if reference is None:
        return None
    if not reference.startswith(_SSM):
        raise ValueError("a secret is given as ssm:/name of a SecureString parameter")
    name = reference.removeprefix(_SSM)
    answer = client("ssm").get_parameter(Name=name, WithDecryption=True)
    return str(answer["Parameter"]["Value"])
