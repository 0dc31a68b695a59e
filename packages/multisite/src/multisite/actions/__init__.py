"""Actions: what users do to their servers, volumes and floating IPs in any region (requirement C2)."""
