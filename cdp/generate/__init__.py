"""Customers that never were: a telco of any size, its logs with their dirt, and the truth of it."""
