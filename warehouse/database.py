"""The only place that opens DuckDB (DESIGN §5): write, read, migrate.

One process writes or many read, so a file lock orders them: writers hold it alone for one short transaction,
readers of the working database share it, and people read published copies, which nobody ever waits for.

What lives here: connections and transactions. What does not: what any stage reads or writes; published copies, their
versions and pins (``publishing.py``).
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from warehouse import locks
from warehouse.errors import CorruptArtefact, FakesmrtError, InputUnreadable, InvalidConfiguration, LockHeld
from warehouse.home import Home
from warehouse.object_store import failure_told, store_of_home

Connection = duckdb.DuckDBPyConnection
Row = TypeVar("Row")

PUBLISHED_STORAGE_VERSION = "v1.2.0"
"""DuckDB 1.2 and every later client opens it (DESIGN §5): a new file, working or published, is made in it."""

WRITE_TIMEOUT_SECONDS = 120.0
READ_TIMEOUT_SECONDS = 60.0
UPGRADE = "Upgrade fakesmrt: pip install --upgrade fakesmrt"


@lru_cache
def query(name: str) -> str:
    """The SQL text of ``warehouse/queries/<name>.sql``."""
    return (files("warehouse") / "queries" / f"{name}.sql").read_text()


def read_rows(
    connection: Connection, sql: str, parameters: Sequence[object] | Mapping[str, object], row_type: type[Row]
) -> list[Row]:
    """Run a query and return its rows as instances of the dataclass `row_type`.

    Raises:
        InvalidConfiguration: if the query's columns are not the fields of `row_type`, in their order.
    """
    result = connection.execute(sql, parameters)
    columns = [column[0] for column in result.description or []]
    fields = [field.name for field in dataclasses.fields(row_type)]  # type: ignore[arg-type]  # Row is a dataclass; the type system cannot say so
    if columns != fields:
        raise InvalidConfiguration(
            f"A query returns {columns} where {row_type.__name__} has {fields}",
            "Mend the query or the record",
        )
    return [row_type(*values) for values in result.fetchall()]


def run_script(connection: Connection, name: str, parameters: Mapping[str, object]) -> None:
    """Run the statements of ``warehouse/queries/<name>.sql``, each with the parameters that it names."""
    for statement in connection.extract_statements(query(name)):
        connection.execute(statement, {key: parameters[key] for key in statement.named_parameters})


def scalar(connection: Connection, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> Any:
    """The first value of a query's first row; None where there is no row."""
    row = connection.execute(sql, parameters).fetchall()
    return row[0][0] if row else None


def _is_held(error: duckdb.Error) -> bool:
    """Whether DuckDB says that another process has the file open."""
    return "Could not set lock" in str(error) or "Conflicting lock" in str(error)


def _is_damage(error: duckdb.Error) -> bool:
    """Whether DuckDB says that what it has read of a file is not what was written."""
    if "Corrupt database" in str(error) or isinstance(error, duckdb.SerializationException):
        return True
    return isinstance(error, duckdb.IOException) and "annot open" not in str(error)


def _explained(error: duckdb.Error, database: Path) -> FakesmrtError:
    """The same failure with its remedy."""
    message = str(error).splitlines()[0]
    if failure := failure_told(str(error)):
        return failure
    if "No space left" in str(error) or "disk is full" in str(error).lower():
        return FakesmrtError(f"The disk is full: {message}", "Free some space and run the same command again")
    if _is_held(error):
        return LockHeld(
            f"Another program has {database} open: {message}",
            f"Close it; to look at data open {database.parent}/published.duckdb",
        )
    if "newer version of DuckDB" in str(error):
        return InvalidConfiguration(f"A newer DuckDB has written {database}: {message}", UPGRADE)
    if isinstance(error, duckdb.OutOfMemoryException):
        return FakesmrtError(
            f"DuckDB ran out of memory: {message}", "Close other programs or work on fewer corpora at a time"
        )
    if _is_damage(error):
        return CorruptArtefact(f"DuckDB cannot read {database}: {message}", "Run: fakesmrt doctor --fix")
    return FakesmrtError(f"DuckDB failed on {database}: {message}", "Run: fakesmrt doctor")


@contextmanager
def _explaining(database: Path) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise _explained(error, database) from error
    except RuntimeError as error:
        # So DuckDB says that a query was stopped by Ctrl-C.
        if str(error) != "Query interrupted":
            raise
        raise KeyboardInterrupt from error


@dataclass(frozen=True)
class Warehouse:
    """The Training Database of one home.

    Attributes:
        home: where it lies.
        memory_limit: what DuckDB may take before it spills.
        threads: DuckDB's threads.
    """

    home: Home
    memory_limit: str = "1GiB"
    threads: int = 2

    @property
    def _lock(self) -> Path:
        return self.home.root / "warehouse.duckdb.lock"

    def _connect(self, database: str, *, read_only: bool) -> Connection:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": self.memory_limit,
            "threads": self.threads,
            "temp_directory": str(self.home.temporary),
            "preserve_insertion_order": True,
            "storage_compatibility_version": PUBLISHED_STORAGE_VERSION,
            "autoinstall_known_extensions": False,
        }
        connection = duckdb.connect(database, read_only=read_only, config=config)
        # The text view of a published copy names the files of a home's store by their URLs.
        if (store := store_of_home(self.home.root)) and not store.is_folder:
            connection.register_filesystem(store.filesystem)
        return connection

    @contextmanager
    def alone(self, purpose: str) -> Iterator[None]:
        """Hold the working database alone; raises `LockHeld`, naming the holder, after `WRITE_TIMEOUT_SECONDS`."""
        with locks.exclusive(self._lock, "The Training Database", purpose, WRITE_TIMEOUT_SECONDS):
            yield

    @contextmanager
    def sharing(self) -> Iterator[None]:
        """Hold the working database together with readers; raises `LockHeld` after `READ_TIMEOUT_SECONDS`."""
        with locks.shared(self._lock, "The Training Database", READ_TIMEOUT_SECONDS):
            yield

    @contextmanager
    def file(self, path: Path, *, read_only: bool = False) -> Iterator[Connection]:
        """Any database file with this warehouse's limits; takes no lock of the home.

        Raises:
            FakesmrtError: one line with a remedy, where DuckDB fails.
        """
        with _explaining(path), self._connect(str(path), read_only=read_only) as connection:
            yield connection

    def initialise(self, split_salt: str) -> bool:
        """Make the folders and the database; bring an older database up to date.

        Returns:
            True if the home is new.

        Raises:
            InvalidConfiguration: if the database was made by a newer fakesmrt.
        """
        for folder in self.home.folders():
            folder.mkdir(parents=True, exist_ok=True)
        with self._migrated() as connection:
            new = not connection.execute("SELECT 1 FROM meta.home").fetchall()
            if new:
                connection.execute("INSERT INTO meta.home VALUES (?, now())", [split_salt])
        return new

    def upgrade(self) -> None:
        """Bring the database up to this version of the code: missing migrations, and the views as they are now.

        Raises:
            InvalidConfiguration: if the database was made by a newer fakesmrt.
        """
        self.home.require()
        with self._migrated():
            pass

    @contextmanager
    def _migrated(self) -> Iterator[Connection]:
        with (
            self.alone("bringing it up to date"),
            _explaining(self.home.database),
            self._connect(str(self.home.database), read_only=False) as connection,
        ):
            migrate(connection)
            yield connection

    @contextmanager
    def write(self, purpose: str) -> Iterator[Connection]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Keep it short: every reader of the working database and every other writer waits.

        Args:
            purpose: what the others are told that this process is doing.

        Raises:
            LockHeld: after `WRITE_TIMEOUT_SECONDS`; names the holder.
            InvalidConfiguration: if the database was made by a newer fakesmrt.
        """
        self.home.require()
        with (
            self.alone(purpose),
            _explaining(self.home.database),
            self._connect(str(self.home.database), read_only=False) as connection,
        ):
            require_known_version(connection)
            connection.begin()
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """The working database, read-only, together with other readers. Keep it short: writers wait.

        Raises:
            LockHeld: after `READ_TIMEOUT_SECONDS`; names the writer.
            InvalidConfiguration: if the database was made by a newer fakesmrt.
        """
        self.home.require()
        with (
            self.sharing(),
            _explaining(self.home.database),
            self._connect(str(self.home.database), read_only=True) as connection,
        ):
            require_known_version(connection)
            yield connection

    @contextmanager
    def read_published(self) -> Iterator[Connection]:
        """The newest published copy, read-only; waits for nobody and nobody waits for it.

        Raises:
            InputUnreadable: if nothing was published yet.
        """
        self.home.require()
        if not self.home.published.exists():
            raise InputUnreadable(
                f"Nothing is published in {self.home.root} yet", "Run: fakesmrt build corpus"
            )
        with self._opened_copy(self.home.published.resolve()) as connection:
            yield connection

    @contextmanager
    def published_file(self, path: Path) -> Iterator[Connection]:
        """Any published copy, read-only, also while somebody has it open for writing by mistake.

        Raises:
            CorruptArtefact: if it is damaged.
        """
        with _explaining(path), self._opened_copy(path) as connection:
            yield connection

    @contextmanager
    def _opened_copy(self, path: Path) -> Iterator[Connection]:
        with contextlib.ExitStack() as opened:
            try:
                connection = self._connect(str(path), read_only=True)
            except duckdb.IOException as error:
                if not _is_held(error):
                    raise
                # Somebody writes, which shuts the others out of this file.
                folder = opened.enter_context(tempfile.TemporaryDirectory(dir=self.home.temporary))
                connection = self._connect(shutil.copy(path, folder), read_only=True)
            yield opened.enter_context(connection)

    @contextmanager
    def beside_published(self) -> Iterator[Connection]:
        """A database in memory in which recipes can be tried: the tables of the newest published copy (attached as
        ``published``, read-only), but an empty ``corpus.recipe``, and the view that applies what is put into it.

        Raises:
            InputUnreadable: if nothing was published yet, or by a fakesmrt that had other tables.
        """
        with self.read_published():
            path = self.home.published.resolve()
        with self.scratch() as connection:
            # ATTACH takes no bound parameters; the path comes from the home, quoted as an SQL literal.
            connection.execute(f"ATTACH {literal(path)} AS published (READ_ONLY)")
            connection.execute("CREATE SCHEMA corpus")
            for (table,) in connection.execute(query("published_tables")).fetchall():
                connection.execute(f'CREATE VIEW corpus."{table}" AS FROM published.corpus."{table}"')
            connection.execute(query("empty_own_recipes"))
            try:
                connection.execute((files("warehouse") / "views" / "corpus_training_chunk.sql").read_text())
            except (duckdb.BinderException, duckdb.CatalogException) as error:
                raise InputUnreadable(
                    f"The published copy {path} was made by another fakesmrt", "Run: fakesmrt build corpus"
                ) from error
            yield connection

    @contextmanager
    def scratch(self) -> Iterator[Connection]:
        """An empty database in memory with the same limits, for joins over Parquet files; it takes no lock."""
        with _explaining(self.home.database), self._connect(":memory:", read_only=False) as connection:
            yield connection

    def publish(self) -> Path:
        """Publish what is committed (`warehouse.publishing.publish`) and return the newest copy."""
        from warehouse import publishing  # it is built on this module

        return publishing.publish(self)


def literal(path: Path | str) -> str:
    """A path or URL as an SQL literal, for statements that take no bound parameters."""
    quoted = str(path).replace("'", "''")
    return f"'{quoted}'"


@lru_cache
def _numbered_migrations() -> list[tuple[int, str]]:
    return sorted(
        (int(match.group(1)), entry.read_text())
        for entry in (files("warehouse") / "schema").iterdir()
        if (match := re.fullmatch(r"(\d{4})_\w+\.sql", entry.name))
    )


def require_known_version(connection: Connection) -> int:
    """The newest migration that the database has had.

    Raises:
        InvalidConfiguration: if this fakesmrt does not know it, or if the database was never finished.
    """
    try:
        applied = int(scalar(connection, "SELECT coalesce(max(version), 0) FROM meta.schema_version"))
    except duckdb.CatalogException as error:
        raise InvalidConfiguration(
            "The Training Database has no tables: its making was interrupted", "Run: fakesmrt init"
        ) from error
    known = _numbered_migrations()[-1][0]
    if applied > known:
        raise InvalidConfiguration(
            f"The database has schema version {applied}; this fakesmrt knows {known}", UPGRADE
        )
    return applied


def require_current_version(connection: Connection) -> None:
    """For what looks at tables of today and changes nothing.

    Raises:
        InvalidConfiguration: if the database lacks a migration.
    """
    if require_known_version(connection) < _numbered_migrations()[-1][0]:
        raise InvalidConfiguration(
            "The Training Database was made by an earlier fakesmrt", "Bring it up to date with: fakesmrt init"
        )


def migrate(connection: Connection) -> None:
    """Apply the migrations that the database lacks, each in a transaction of its own, then the views.

    Raises:
        InvalidConfiguration: if the database knows a migration that this fakesmrt does not.
    """
    connection.begin()
    connection.execute(query("schema_version"))
    applied = require_known_version(connection)
    connection.commit()
    for version, sql in _numbered_migrations():
        if version > applied:
            connection.begin()
            connection.execute(sql)
            connection.execute("INSERT INTO meta.schema_version VALUES (?, now())", [version])
            connection.commit()
    for entry in sorted((files("warehouse") / "views").iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".sql"):
            connection.execute(entry.read_text())
