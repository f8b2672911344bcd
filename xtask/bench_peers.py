"""Another system on the bench's rows: `bench_peers.py NAME FOLDER`, called by `cargo xtask bench`.

The folder holds rows.ndjson, rows.csv, chunk-*.ndjson (10,000 rows each) and factors.csv. Each system
reads the same file, typed, into storage of its own that is durable when the clock stops, and answers
the same questions with the factors joined in. Prints one object of JSON.
"""

import glob
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time

CORES = os.cpu_count() or 1
NAME, FOLDER = sys.argv[1], sys.argv[2]
ROWS = os.path.join(FOLDER, "rows.ndjson")
CHUNKS = sorted(glob.glob(os.path.join(FOLDER, "chunk-*.ndjson")))
OWN = os.path.join(FOLDER, NAME)
KEYS = ["type", "unit", "fuel", "gas", "laden", "vehicle_class"]
SCOPES = ["scope1", "scope2", "scope3"]

with open(ROWS, encoding="utf-8") as file:
    FIRST = json.loads(file.readline())["external_id"]


def count(path):
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def size(path):
    if os.path.isfile(path):
        return os.path.getsize(path)
    every = ((folder, name) for folder, _, names in os.walk(path) for name in names)
    return sum(os.path.getsize(os.path.join(*one)) for one in every)


def sync(path):
    for one in [path] if os.path.isfile(path) else [os.path.join(f, n) for f, _, ns in os.walk(path) for n in ns]:
        handle = os.open(one, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def timed(work):
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def median_ms(work):
    work()
    took, begun = [], time.perf_counter()
    while not took or len(took) < 15 and time.perf_counter() - begun < 4:
        took.append(timed(work) * 1000)
    return round(statistics.median(took), 3)


def sql(month, hour, since):
    """The questions, in the words that all of them share."""
    kilograms = [f"sum(r.quantity * f.{scope}) AS {scope}" for scope in SCOPES]
    on = " AND ".join(f"r.{key} = f.{key}" for key in KEYS)
    joined = f"FROM rows r JOIN factors f ON {on}"
    total = "sum(r.quantity * (f.scope1 + f.scope2 + f.scope3))"
    return {
        "total": f"SELECT {', '.join(kilograms)} {joined}",
        "q1": f"SELECT {month} AS month, {', '.join(kilograms)} {joined} GROUP BY {month}",
        "q2": f"SELECT r.facility, {total} AS kg {joined} GROUP BY r.facility ORDER BY kg DESC LIMIT 10",
        "q3": f"SELECT {hour} AS hour, {total} AS kg {joined} WHERE r.facility = 'f-017' AND {since} GROUP BY {hour}",
        "q4": f"SELECT * FROM rows r WHERE r.external_id = '{FIRST}'",
    }


def answers(ask, questions, rows, took, stored, version, settings, commits=None):
    """What is printed. `commits` is the time of each commit of 10,000 rows."""
    found = {
        "peer": NAME,
        "version": version,
        "settings": settings,
        "bulk_rows_per_second": round(rows / took),
        "bytes_per_row": round(stored / rows, 1),
        "totals": [float(value) for value in ask(questions["total"])],
        "ms": {q: median_ms(lambda q=q: ask(questions[q])) for q in ["q1", "q2", "q3", "q4"]},
    }
    if commits:
        found["commit_10k_rows_per_second"] = round(10_000 * len(commits) / sum(commits))
    return found


def duckdb():
    import duckdb as db

    columns = (
        "{external_id: 'VARCHAR', type: 'VARCHAR', quantity: 'DOUBLE', unit: 'VARCHAR', start: 'TIMESTAMP',"
        " \"end\": 'TIMESTAMP', facility_code: 'VARCHAR', source_code: 'VARCHAR',"
        " qualifiers: 'STRUCT(fuel VARCHAR, gas VARCHAR, laden VARCHAR, vehicle_class VARCHAR)',"
        " tags: 'STRUCT(region VARCHAR, meter VARCHAR)'}"
    )
    own = ", ".join(f"coalesce(qualifiers.{key}, '') AS {key}" for key in KEYS[2:])

    def select(path):
        return (
            "SELECT external_id, type, quantity, unit, start, \"end\" AS finish, facility_code AS facility,"
            f" source_code AS source, {own}, tags.region AS region, tags.meter AS meter"
            f" FROM read_json('{path}', format='newline_delimited', columns={columns})"
        )

    base = db.connect(OWN + ".db")
    base.execute(f"SET threads={CORES}")
    took = timed(lambda: (base.execute(f"CREATE TABLE rows AS {select(ROWS)}"), base.execute("CHECKPOINT")))
    stored = size(OWN + ".db")
    keys = ", ".join(f"coalesce({key}, '') AS {key}" for key in KEYS)
    base.execute(f"CREATE TABLE factors AS SELECT * REPLACE ({keys}) FROM read_csv('{FOLDER}/factors.csv', header=true)")
    base.execute("CREATE TABLE small AS SELECT * FROM rows LIMIT 0")
    commits = [timed(lambda path=path: base.execute(f"INSERT INTO small {select(path)}")) for path in CHUNKS]
    questions = sql("date_trunc('month', r.start)", "date_trunc('hour', r.start)",
                    "r.start >= '2026-06-01' AND r.start < '2026-07-01'")
    ask = lambda text: (base.execute(text).fetchall() or [None])[0]
    settings = f"one file, threads={CORES}, bulk with CHECKPOINT, commits by its write-ahead log"
    return answers(ask, questions, count(ROWS), took, stored, db.__version__, settings, commits)


def chdb():
    import chdb as package
    from chdb import session

    base = session.Session(OWN)
    low = "LowCardinality(String)"
    fields = (
        f"external_id String, type {low}, quantity Float64, unit {low}, start DateTime, end DateTime,"
        f" facility_code {low}, source_code {low},"
        " qualifiers Tuple(fuel String, gas String, laden String, vehicle_class String),"
        " tags Tuple(region String, meter String)"
    )
    own = ", ".join(f"{key} {low}" for key in KEYS[2:])
    table = (
        f"(external_id String, type {low}, quantity Float64, unit {low}, start DateTime('UTC'),"
        f" finish DateTime('UTC'), facility {low}, source {low}, {own}, region {low}, meter {low},"
        " INDEX by_id external_id TYPE bloom_filter GRANULARITY 1)"
        " ENGINE = MergeTree ORDER BY (facility, start)"
        " SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"
    )
    how = f"SETTINGS date_time_input_format = 'best_effort', max_threads = {CORES}, max_insert_threads = {CORES}"

    def insert(name, path):
        inner = ", ".join(f"qualifiers.{key}" for key in KEYS[2:])
        base.query(
            f"INSERT INTO bench.{name} SELECT external_id, type, quantity, unit, start, end, facility_code,"
            f" source_code, {inner}, tags.region, tags.meter FROM file('{path}', JSONEachRow, '{fields}') {how}"
        )

    base.query("CREATE DATABASE bench")
    for name in ["rows", "small"]:
        base.query(f"CREATE TABLE bench.{name} {table}")
    took = timed(lambda: insert("rows", ROWS))
    stored = size(OWN)
    keys = ", ".join(f"{key} String" for key in KEYS)
    scopes = ", ".join(f"{scope} Float64" for scope in SCOPES)
    base.query(f"CREATE TABLE bench.factors ({keys}, {scopes}) ENGINE = Memory")
    base.query(f"INSERT INTO bench.factors SELECT * FROM file('{FOLDER}/factors.csv', CSVWithNames, '{keys}, {scopes}')")
    commits = [timed(lambda path=path: insert("small", path)) for path in CHUNKS]
    questions = sql("toStartOfMonth(r.start)", "toStartOfHour(r.start)",
                    "r.start >= '2026-06-01' AND r.start < '2026-07-01'")

    def ask(text):
        text = text.replace("FROM rows", "FROM bench.rows").replace("JOIN factors", "JOIN bench.factors")
        lines = str(base.query(f"{text} SETTINGS max_threads = {CORES}", "JSONCompactEachRow")).splitlines()
        return json.loads(lines[0]) if lines else None

    version = f"{package.__version__} (ClickHouse {json.loads(str(base.query('SELECT version()', 'JSONCompactEachRow')))[0]})"
    settings = f"MergeTree by (facility, start), LowCardinality, fsync_after_insert=1, fsync_part_directory=1, max_threads={CORES}"
    return answers(ask, questions, count(ROWS), took, stored, version, settings, commits)


def polars():
    os.environ["POLARS_MAX_THREADS"] = str(CORES)
    import polars as pl

    text = pl.String
    schema = {
        "external_id": text, "type": text, "quantity": text, "unit": text, "start": text, "end": text,
        "facility_code": text, "source_code": text,
        "qualifiers": pl.Struct({key: text for key in KEYS[2:]}),
    }
    path, instant = OWN + ".parquet", "%Y-%m-%dT%H:%M:%SZ"

    def load():
        rows = pl.scan_ndjson(ROWS, schema=schema, ignore_errors=False)
        rows.select(
            "external_id", "type", pl.col("quantity").cast(pl.Float64), "unit",
            pl.col("start").str.to_datetime(instant), pl.col("end").str.to_datetime(instant).alias("finish"),
            pl.col("facility_code").alias("facility"), pl.col("source_code").alias("source"),
            *[pl.col("qualifiers").struct.field(key).fill_null("") for key in KEYS[2:]],
        ).sink_parquet(path, compression="zstd", compression_level=1)
        sync(path)

    took = timed(load)
    rows, factors = pl.scan_parquet(path), pl.read_csv(f"{FOLDER}/factors.csv").with_columns(pl.col(KEYS).fill_null("")).lazy()
    joined, kilograms = rows.join(factors, on=KEYS), [(pl.col("quantity") * pl.col(s)).sum().alias(s) for s in SCOPES]
    total = (pl.col("quantity") * (pl.col("scope1") + pl.col("scope2") + pl.col("scope3"))).sum().alias("kg")
    june = (pl.col("facility") == "f-017") & (pl.col("start") >= pl.datetime(2026, 6, 1)) & (pl.col("start") < pl.datetime(2026, 7, 1))
    questions = {
        "total": joined.select(kilograms),
        "q1": joined.group_by(pl.col("start").dt.truncate("1mo")).agg(kilograms),
        "q2": joined.group_by("facility").agg(total).top_k(10, by="kg"),
        "q3": rows.filter(june).join(factors, on=KEYS).group_by(pl.col("start").dt.truncate("1h")).agg(total),
        "q4": rows.filter(pl.col("external_id") == FIRST),
    }
    return answers(lambda plan: plan.collect().row(0), questions, count(ROWS), took, size(path), pl.__version__,
                   f"to Parquet, zstd 1, fsync, labels dropped, threads={CORES}")


def datafusion():
    import datafusion as df
    import pyarrow as pa

    text, path = pa.string(), OWN + ".parquet"
    schema = pa.schema(
        [("external_id", text), ("type", text), ("quantity", pa.float64()), ("unit", text),
         ("start", pa.timestamp("ms")), ("end", pa.timestamp("ms")), ("facility_code", text), ("source_code", text),
         ("qualifiers", pa.struct([(key, text) for key in KEYS[2:]]))]
    )
    context = df.SessionContext(df.SessionConfig().with_target_partitions(CORES))
    context.register_json("sent", ROWS, schema=schema, file_extension=".ndjson")
    own = ", ".join(f"coalesce(qualifiers['{key}'], '') AS {key}" for key in KEYS[2:])

    def load():
        select = f"external_id, type, quantity, unit, start, \"end\" AS finish, facility_code AS facility, source_code AS source, {own}"
        context.sql(f"COPY (SELECT {select} FROM sent) TO '{path}' STORED AS PARQUET OPTIONS ('format.compression' 'zstd(1)')").collect()
        sync(path)

    took = timed(load)
    context.register_parquet("rows", path)
    import csv
    with open(f"{FOLDER}/factors.csv", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    table = {key: [line[key] for line in lines] for key in KEYS} | {s: [float(line[s]) for line in lines] for s in SCOPES}
    context.register_record_batches("factors", [pa.table(table).to_batches()])
    questions = sql("date_trunc('month', r.start)", "date_trunc('hour', r.start)",
                    "r.start >= TIMESTAMP '2026-06-01' AND r.start < TIMESTAMP '2026-07-01'")

    def ask(text):
        batches = [batch for batch in context.sql(text).collect() if batch.num_rows]
        return list(batches[0].slice(0, 1).to_pylist()[0].values()) if batches else None

    return answers(ask, questions, count(ROWS), took, size(path), df.__version__,
                   f"to Parquet, zstd 1, fsync, labels dropped, partitions={CORES}")


def postgres():
    import threading

    import psycopg

    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    program = os.path.dirname(found[-1] if found else shutil.which("initdb") or "")
    if not program:
        raise ImportError("postgresql")
    own = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    os.makedirs(OWN)
    for folder in [FOLDER, OWN]:
        os.chmod(folder, 0o755)
    if own:
        shutil.chown(OWN, "postgres", "postgres")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": True, "cwd": OWN}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = os.path.join(OWN, "data")
    subprocess.run(own + [f"{program}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-locale", "-E", "UTF8", "-N"], **quiet)
    settings = "shared_buffers=1GB max_wal_size=4GB fsync=on synchronous_commit=on"
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={OWN} " + " ".join(f"-c {one}" for one in settings.split())
    subprocess.run(own + [f"{program}/pg_ctl", "-D", data, "-w", "-l", f"{OWN}/log", "-o", options, "start"], **quiet)
    try:
        connect = lambda: psycopg.connect(f"host=127.0.0.1 port={port} user=postgres dbname=postgres", autocommit=True)
        base = connect()
        texts = ", ".join(f"{key} text" for key in KEYS[2:])
        table = ("(external_id text NOT NULL, type text, quantity double precision, unit text, start timestamptz, finish timestamptz,"
                 f" facility text, source text, fuel text, gas text, laden text, vehicle_class text, region text, meter text)")
        base.execute("SET TIME ZONE 'UTC'")
        for name in ["rows", "small"]:
            base.execute(f"CREATE TABLE {name} {table}")
            base.execute(f"CREATE UNIQUE INDEX ON {name} (external_id)")
            base.execute(f"CREATE INDEX ON {name} (facility, start)")
        with open(f"{FOLDER}/rows.csv", "rb") as file:
            file.readline()
            lines = file.readlines()

        def copy(part, name="rows"):
            own = connect()
            with own.cursor().copy(f"COPY {name} FROM STDIN (FORMAT csv, FORCE_NOT_NULL (fuel, gas, laden, vehicle_class))") as to:
                for first in range(0, len(part), 4_000):
                    to.write(b"".join(part[first : first + 4_000]))
            own.close()

        def load():
            half = (len(lines) + 1) // 2
            both = [threading.Thread(target=copy, args=(part,)) for part in (lines[:half], lines[half:])]
            [one.start() for one in both]
            [one.join() for one in both]

        took = timed(load)
        stored = base.execute("SELECT pg_total_relation_size('rows')").fetchone()[0]
        base.execute("VACUUM ANALYZE rows")
        base.execute(f"CREATE TABLE factors ({', '.join(f'{key} text' for key in KEYS)}, {', '.join(f'{s} double precision' for s in SCOPES)})")
        with open(f"{FOLDER}/factors.csv", "rb") as file, base.cursor().copy(
            "COPY factors FROM STDIN (FORMAT csv, HEADER true, FORCE_NOT_NULL (fuel, gas, laden, vehicle_class))"
        ) as to:
            to.write(file.read())
        base.execute("ANALYZE factors")
        chunks = [lines[first : first + 10_000] for first in range(0, 10_000 * len(CHUNKS), 10_000)]
        commits = [timed(lambda part=part: copy(part, "small")) for part in chunks]
        questions = sql("date_trunc('month', r.start)", "date_trunc('hour', r.start)",
                        "r.start >= '2026-06-01Z' AND r.start < '2026-07-01Z'")
        ask = lambda text: base.execute(text).fetchone()
        version = base.execute("SHOW server_version").fetchone()[0]
        return answers(ask, questions, len(lines), took, stored, version, settings + ", COPY by 2 connections, 2 indexes", commits)
    finally:
        subprocess.run(own + [f"{program}/pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], **(quiet | {"check": False}))


PEERS = {"duckdb": duckdb, "chdb": chdb, "polars": polars, "datafusion": datafusion, "postgres": postgres}
NEEDS = {"datafusion": "datafusion pyarrow", "postgres": "'psycopg[binary]' (and apt-get install postgresql)"}

try:
    print(json.dumps(PEERS[NAME]()))
except ImportError as error:
    print(json.dumps({"peer": NAME, "skipped": f"{error}: {sys.executable} -m pip install {NEEDS.get(NAME, NAME)}"}))
