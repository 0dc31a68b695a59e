"""The HTTP edge: routes, tokens, errors, paging."""
