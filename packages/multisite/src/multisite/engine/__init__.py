"""Durable work: operations that survive crashes, on one process and on several."""
