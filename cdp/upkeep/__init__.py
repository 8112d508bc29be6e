"""Tables are kept small in files and short in history: docs/upkeep.md."""
