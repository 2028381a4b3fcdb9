"""Secrets by reference: settings name a parameter, and never hold the secret itself."""

import time
from collections.abc import Callable
from threading import Lock

from botocore.exceptions import BotoCoreError, ClientError

from assistants.adapters.aws import client
from assistants.settings import InvalidSettingsError

FRESH_SECONDS = 300  # after which a secret that was changed is in use

Secret = Callable[[], str | None]
"""The secret as it is now; None if there is none."""

_SSM = "ssm:"


def resolve(reference: str | None) -> Secret:
    """Refer to the SecureString `ssm:/name`. Raises `ValueError` for any other reference."""
    if reference is None:
        return lambda: None
    if not reference.startswith(_SSM):
        raise ValueError("a secret is given as ssm:/name of a SecureString parameter")
    return SsmSecret(reference.removeprefix(_SSM))


class SsmSecret:
    """A SecureString that is read again when it is no longer fresh, so that it can be rotated."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._lock = Lock()
        self._value: str | None = None
        self._stale_at = 0.0

    def __call__(self) -> str:
        with self._lock:
            if self._value is None or self._clock() >= self._stale_at:
                answer = client("ssm").get_parameter(Name=self._name, WithDecryption=True)
                self._value = str(answer["Parameter"]["Value"])
                self._stale_at = self._clock() + FRESH_SECONDS
            return self._value


def check_key(setting: str, reference: str) -> None:
    """Raise `InvalidSettingsError` if the key that `setting` refers to cannot be read."""
    try:
        resolve(reference)()
    except (BotoCoreError, ClientError) as error:
        raise InvalidSettingsError(
            f"{setting}: {reference} cannot be read; it must be a SecureString of this region, "
            f"with a KMS key that the functions may use: {error}"
        ) from error
