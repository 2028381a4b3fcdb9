"""The stack of the data, which must survive a redeployment: the table and the bucket."""

from typing import cast

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.bucket_cors import BucketCors
from infra.constructs.encryption_key import encryption_key
from infra.constructs.labels import named
from infra.constructs.region_rules import add_region_rules
from infra.options import Options


class DataStack(Stack):
    """One DynamoDB table and one S3 bucket, which by default outlive the stack."""

    def __init__(self, scope: Construct, id: str, options: Options) -> None:
        super().__init__(
            scope,
            id,
            description="Serverless Assistants: the data",
            termination_protection=options.deletion_protection,
        )
        add_region_rules(self, options)
        self._removal = RemovalPolicy.RETAIN if options.retain_data else RemovalPolicy.DESTROY
        self.table = self._table(options)
        self.bucket = self._bucket(options)
        CfnOutput(self, "TableName", value=self.table.table_name)
        CfnOutput(self, "BucketName", value=self.bucket.bucket_name)

    def _table(self, options: Options) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            "Table",
            partition_key=_key("pk", dynamodb.AttributeType.STRING),
            sort_key=_key("sk", dynamodb.AttributeType.STRING),
            encryption_key=encryption_key(self, "TableKey", options),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=_recovery(options.recovery_days),
            time_to_live_attribute="ttl",
            deletion_protection=options.deletion_protection,
            removal_policy=self._removal,
        )
        # Only rows with a deadline carry these two attributes, so the index stays small.
        table.add_global_secondary_index(
            index_name="due",
            partition_key=_key("due_pk", dynamodb.AttributeType.STRING),
            sort_key=_key("due_at", dynamodb.AttributeType.NUMBER),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
        return named(table)

    def _bucket(self, options: Options) -> s3.Bucket:
        key = encryption_key(self, "BucketKey", options)
        bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=key,
            bucket_key_enabled=key is not None or None,
            enforce_ssl=True,
            versioned=options.recovery_days > 0 or None,
            lifecycle_rules=_lifecycle(options.recovery_days),
            removal_policy=self._removal,
        )
        BucketCors(self, "BucketCors", cast(s3.CfnBucket, bucket.node.default_child))
        return named(bucket)


def _lifecycle(recovery_days: int) -> list[s3.LifecycleRule]:
    # Even without versions: those from before `recovery_days` became 0 must go, too.
    everything = s3.LifecycleRule(
        abort_incomplete_multipart_upload_after=Duration.days(1),
        noncurrent_version_expiration=Duration.days(max(recovery_days, 1)),
        expired_object_delete_marker=True,
    )
    # An upload expires after an hour and deletes its parts itself. Later parts expire here, and
    # so do the results that a parser wrote for a worker that died.
    leftover = [
        s3.LifecycleRule(
            prefix=prefix,
            expiration=Duration.days(1),
            noncurrent_version_expiration=Duration.days(1),
        )
        for prefix in ("uploads/", "parsed/")
    ]
    return [everything, *leftover]


def _recovery(days: int) -> dynamodb.PointInTimeRecoverySpecification:
    return dynamodb.PointInTimeRecoverySpecification(
        point_in_time_recovery_enabled=days > 0, recovery_period_in_days=days or None
    )


def _key(name: str, type: dynamodb.AttributeType) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=type)
