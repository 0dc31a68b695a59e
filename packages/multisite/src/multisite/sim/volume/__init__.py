"""Simulated Cinder."""
