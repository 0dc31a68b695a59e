"""The database of multisite: tables, engine, migrations."""
