"""Events of quotas, sent to webhooks: each at least once, in the order of a project."""
