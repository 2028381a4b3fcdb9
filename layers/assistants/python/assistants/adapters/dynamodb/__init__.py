"""The one table, in DynamoDB through pynamodb."""
