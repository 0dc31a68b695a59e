"""`make demo`: multisite over a simulated world, and what tests need to run multisite as an operator does."""
