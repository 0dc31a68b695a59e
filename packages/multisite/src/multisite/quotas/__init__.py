"""Quotas of projects over all regions: global limits, shared out among regions (requirement C3)."""
