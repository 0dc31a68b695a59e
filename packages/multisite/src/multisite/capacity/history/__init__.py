"""How capacity was: a row per region when its figures changed, and each hour (design record 0004)."""
