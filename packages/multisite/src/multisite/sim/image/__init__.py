"""Simulated Glance."""
