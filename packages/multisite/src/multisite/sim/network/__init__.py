"""Simulated Neutron."""
