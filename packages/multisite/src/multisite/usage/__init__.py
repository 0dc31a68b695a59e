"""Use of projects over all regions: what each uses, its limits, what is left (requirement C1)."""
