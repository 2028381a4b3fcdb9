"""The customer managed key, an option: of table, bucket, queues and log groups."""

from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.options import Options

# The principals that use a table or bucket must be allowed these, and their services act for them.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
ACTIONS = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
SERVICES = ("dynamodb", "s3", "sqs")


def encryption_key(scope: Construct, id: str, options: Options) -> kms.IKey | None:
    """Refer to the key that the options name, or return None for keys of AWS."""
    if not options.encryption_key:
        return None
    return kms.Key.from_key_arn(scope, id, options.encryption_key)


def key_statements(options: Options) -> Sequence[iam.PolicyStatement]:
    """Return what lets a role read and write encrypted data, by the services that keep it."""
    if not options.encryption_key:
        return ()
    services = [f"{service}.{Aws.REGION}.{Aws.URL_SUFFIX}" for service in SERVICES]
    through = {"StringEquals": {"kms:ViaService": services}}
    statement = iam.PolicyStatement(
        actions=list(ACTIONS), resources=[options.encryption_key], conditions=through
    )
    return (statement,)
