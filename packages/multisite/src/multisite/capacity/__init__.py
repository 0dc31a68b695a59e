"""Capacity of all regions: what they have, what is used, what is left (requirement C1)."""
