"""Code interpreter sessions: Fargate tasks and the protocol of their daemon."""
