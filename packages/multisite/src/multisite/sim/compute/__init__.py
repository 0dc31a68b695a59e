"""Simulated Nova, and the Placement that it fills."""
