"""Simulated Keystone."""
