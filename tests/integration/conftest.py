"""An AWS account on this machine, for what is tested against it without the whole stack."""

from collections.abc import Iterator

import pytest

from assistants.adapters.aws import client
from infra.local.cloud import Cloud
from infra.local.function_spec import REGION


@pytest.fixture(scope="module")
def account() -> Iterator[Cloud]:
    """Where our own clients and pynamodb's lead."""
    with Cloud() as cloud, pytest.MonkeyPatch.context() as patch:
        for name, value in (
            ("AWS_ENDPOINT_URL", cloud.endpoint_url),
            ("AWS_DEFAULT_REGION", REGION),
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ):
            patch.setenv(name, value)
        client.cache_clear()
        yield cloud
    client.cache_clear()
