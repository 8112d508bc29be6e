"""Decides whether tables keep their promises: Soda contracts."""
