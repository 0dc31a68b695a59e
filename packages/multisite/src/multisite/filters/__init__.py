"""Filters of lists that users saved under names."""
