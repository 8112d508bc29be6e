"""What a run builds: decided from metadata before Spark is asked anything. docs/runs.md."""
