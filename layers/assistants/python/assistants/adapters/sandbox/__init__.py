"""Code interpreter sessions on Fargate, and the client of their daemon."""
