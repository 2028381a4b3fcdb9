"""Secrets by reference: settings name a parameter, and never hold the secret itself."""

from botocore.exceptions import BotoCoreError, ClientError

from assistants.adapters.aws import client
from assistants.settings import InvalidSettingsError

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


def check_key(setting: str, reference: str) -> None:
    """Raise `InvalidSettingsError` if the key that `setting` refers to cannot be read."""
    try:
        resolve(reference)
    except (BotoCoreError, ClientError) as error:
        raise InvalidSettingsError(
            f"{setting}: {reference} cannot be read; it must be a SecureString of this region, "
            f"with a KMS key that the functions may use: {error}"
        ) from error
