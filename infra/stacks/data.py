"""The stack of the data, which must survive a redeployment: the table and the bucket."""

from typing import cast

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.bucket_cors import BucketCors
from infra.constructs.labels import named
from infra.options import Options


class DataStack(Stack):
    """One DynamoDB table and one S3 bucket, which by default outlive the stack."""

    def __init__(self, scope: Construct, id: str, options: Options) -> None:
        super().__init__(scope, id, description="Serverless Assistants: the data")
        self._removal = RemovalPolicy.RETAIN if options.retain_data else RemovalPolicy.DESTROY
        self.table = self._table(deletion_protection=options.deletion_protection)
        self.bucket = self._bucket()
        CfnOutput(self, "TableName", value=self.table.table_name)
        CfnOutput(self, "BucketName", value=self.bucket.bucket_name)

    def _table(self, *, deletion_protection: bool) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            "Table",
            partition_key=_key("pk", dynamodb.AttributeType.STRING),
            sort_key=_key("sk", dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute="ttl",
            deletion_protection=deletion_protection,
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

    def _bucket(self) -> s3.Bucket:
        incomplete = s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(1))
        # An upload expires after an hour and deletes its parts itself. Later parts expire here, and
        # so do the results that a parser wrote for a worker that died.
        leftover = [
            s3.LifecycleRule(prefix=prefix, expiration=Duration.days(1))
            for prefix in ("uploads/", "parsed/")
        ]
        bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            lifecycle_rules=[incomplete, *leftover],
            removal_policy=self._removal,
        )
        BucketCors(self, "BucketCors", cast(s3.CfnBucket, bucket.node.default_child))
        return named(bucket)


def _key(name: str, type: dynamodb.AttributeType) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=type)
