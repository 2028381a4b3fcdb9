"""OpenSearch for tests: a small node in memory, and Serverless as it refuses and delays."""
