"""Secrets by reference: settings name where a secret lies, never the secret."""

from assistants.adapters.aws import client

_SSM = "ssm:"


def resolve(reference: str | None) -> str | None:
    """The SecureString behind `ssm:/name`. Raises `ValueError` for anything else."""
    if reference is None:
        return None
    if not reference.startswith(_SSM):
        raise ValueError("a secret is given as ssm:/name of a SecureString parameter")
    name = reference.removeprefix(_SSM)
    answer = client("ssm").get_parameter(Name=name, WithDecryption=True)
    return str(answer["Parameter"]["Value"])
