"""What the DAGs are made of: docs/orchestration.md. It needs nothing of the platform but `cdp`."""
