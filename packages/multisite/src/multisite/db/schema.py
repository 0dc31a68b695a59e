"""The version of the schema: bring it up to date, or say why the service cannot start.

Migrations are alembic's, run without its configuration file. An older multisite never touches a newer
schema.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from multisite.db.engine import describe, parse_url, sync_engine
from multisite.errors import DatabaseAway

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(url: str) -> tuple[str | None, str]:
    """Bring the schema to this version's; answers the revision before and after.

    Raises `DatabaseAway` when the database cannot be used or its schema is newer than this multisite.
    """
    engine = sync_engine(parse_url(url))
    try:
        with engine.begin() as connection:
            before = _revision(connection)
            _refuse_newer(before)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            return before, _head()
    except sa.exc.DBAPIError as error:
        raise describe(engine.url, error) from error
    finally:
        engine.dispose()


def check(url: str) -> None:
    """Raise `DatabaseAway` unless the schema is exactly this version's."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        raise DatabaseAway(f"there is no database {parsed.database}; run: multisite db upgrade")
    engine = sync_engine(parsed)
    try:
        with engine.connect() as connection:
            revision = _revision(connection)
            if parsed.get_backend_name() == "sqlite":
                found = str(connection.scalar(sa.text("PRAGMA quick_check(1)")))
                if found != "ok":
                    reason = found.splitlines()[-1]
                    raise DatabaseAway(
                        f"the database {parsed.database} is damaged ({reason}); restore it from a backup"
                    )
    except sa.exc.DBAPIError as error:
        raise describe(engine.url, error) from error
    finally:
        engine.dispose()
    _refuse_newer(revision)
    if revision != _head():
        raise DatabaseAway(
            f"the database has schema {revision or 'none'}, this multisite needs {_head()}; "
            "run: multisite db upgrade"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def _head() -> str:
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(revision: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise DatabaseAway(
            f"the database has schema {revision}, which is newer than this multisite; install the newer one"
        )
