"""The page of quotas: governed projects, one of them, forms with a dry run, classes (design record 0008)."""
