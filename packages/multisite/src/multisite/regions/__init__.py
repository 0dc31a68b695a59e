"""Regions: what operators registered, what discovery found, how the services are."""
