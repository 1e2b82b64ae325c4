"""A sample of the Chit-Chat dataset, under its own licence (see LICENSE here)."""
