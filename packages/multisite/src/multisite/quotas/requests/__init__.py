"""Requests of tenants for more quota, and what operators answer."""
