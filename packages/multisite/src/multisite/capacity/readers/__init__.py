"""One reader per service: calls a region, answers the detail that a sweep stores."""
