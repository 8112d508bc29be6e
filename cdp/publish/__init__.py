"""Write, audit, publish: see docs/publish.md."""
