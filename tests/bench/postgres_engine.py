"""Databases on PostgreSQL: one that stays as it is for each table and size, and a copy of it for each run."""

from postgres_server import PostgresServer

WORK = "bench_work"
_TEMPLATE = "bench_template"


class PostgresEngine:
    """Runs inside of a `with`, as its server does."""

    name = "postgresql"

    def __init__(self, scratch):
        self._server = PostgresServer(scratch / "server")

    def __enter__(self):
        self._server.__enter__()
        return self

    def __exit__(self, *details):
        self._server.__exit__(*details)

    @property
    def target(self):
        return self._server.url(WORK)

    def make_template(self, dataset, rows):
        self._server.execute(f"DROP DATABASE IF EXISTS {_TEMPLATE}", f"CREATE DATABASE {_TEMPLATE}")
        self._server.execute(*dataset.statements(self.name, rows), f"VACUUM ANALYZE {dataset.table}", database=_TEMPLATE)

    def restore(self, dataset, preparation):
        """A fresh copy of the template, on disk, its table in the cache. The copy has the template's statistics and its
        visibility map, so that it needs no vacuum.

        @param preparation SQL that belongs to the contender and is not timed, or an empty text
        """
        how = "STRATEGY file_copy" if self._version() >= 150000 else ""
        self._server.execute(f"DROP DATABASE IF EXISTS {WORK}", f"CREATE DATABASE {WORK} TEMPLATE {_TEMPLATE} {how}")
        read_all = f"SELECT count({dataset.table}.*) FROM {dataset.table}"
        self._server.execute(*filter(None, [preparation]), read_all, "CHECKPOINT", database=WORK)

    def expected_digest(self, dataset):
        """@returns number of rows and a checksum, after the change"""
        return self._digest(dataset.expectation(self.name), _TEMPLATE)

    def digest(self, dataset):
        return self._digest(dataset.reality(), WORK)

    def count(self, select):
        return int(self._server.rows(select, WORK)[0][0])

    def cpu(self):
        return self._server.cpu()

    def describe(self):
        """Version, and every setting that is not as it is compiled in."""
        rows = self._server.rows("""SELECT name, current_setting(name) FROM pg_settings
            WHERE source NOT IN ('default', 'client') OR name IN ('fsync', 'synchronous_commit', 'full_page_writes',
            'shared_buffers', 'max_wal_size', 'checkpoint_timeout', 'work_mem', 'autovacuum', 'wal_level', 'jit')
            ORDER BY name""")
        private = {"config_file", "data_directory", "hba_file", "ident_file", "port", "external_pid_file"}
        return {"version": self._server.rows("SELECT version()")[0][0],
                "settings": {name: value for name, value in rows if name not in private}}

    def _version(self):
        return int(self._server.rows("SHOW server_version_num")[0][0])

    def _digest(self, select, database):
        return self._server.rows(f"SELECT count(*), sum(hashtextextended(row_of_it::text, 0)) FROM ({select}) AS row_of_it",
                                 database)[0]
