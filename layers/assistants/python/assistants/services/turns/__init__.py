"""One turn of the model within a run."""
