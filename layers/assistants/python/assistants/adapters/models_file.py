"""The models of a deployment that has too many for a variable: a JSON file in S3."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from assistants.adapters.aws import client
from assistants.settings import InvalidSettingsError


def read_models(url: str) -> Mapping[str, Any]:
    """Read the JSON object at `s3://bucket/key`. Raises `InvalidSettingsError`."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    try:
        models = json.loads(client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    except (BotoCoreError, ClientError) as error:
        raise InvalidSettingsError(
            f"ASSISTANTS_MODELS_FILE: {url} cannot be read: {error}"
        ) from error
    except ValueError as error:
        raise InvalidSettingsError(f"ASSISTANTS_MODELS_FILE: {url} is no JSON: {error}.") from error
    if not isinstance(models, dict):
        raise InvalidSettingsError(f"ASSISTANTS_MODELS_FILE: {url} is no JSON object.")
    return models
