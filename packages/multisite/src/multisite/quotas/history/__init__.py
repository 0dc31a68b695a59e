"""How the quotas of projects were used, and when they run out."""
