"""`cdp backup` and `cdp restore`: see docs/backup.md."""
