# SPDX-License-Identifier: Apache-2.0
"""Tables that Weft wrote, read by PyIceberg and by DuckDB's Iceberg extension, which share no code with it."""

import datetime
import decimal
import glob
import json
import pathlib
import uuid

import duckdb
import pytest
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.table import StaticTable

CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: all-types
version: 1.0.0
status: active
schema:
  - name: everything
    properties:
      - { name: i, logicalType: integer, physicalType: int, required: true }
      - { name: l, logicalType: integer, physicalType: bigint }
      - { name: f, logicalType: number, physicalType: float }
      - { name: d, logicalType: number, physicalType: double }
      - { name: dec, logicalType: number, physicalType: "decimal(30,6)" }
      - { name: b, logicalType: boolean }
      - { name: s, logicalType: string }
      - { name: u, logicalType: string, physicalType: uuid }
      - { name: bin, logicalType: string, physicalType: binary }
      - { name: day, logicalType: date }
      - { name: clock, logicalType: time }
      - { name: at, logicalType: timestamp, logicalTypeOptions: { timezone: false } }
      - { name: atz, logicalType: timestamp }
      - name: nested
        logicalType: object
        properties:
          - { name: x, logicalType: integer, physicalType: int }
          - name: list
            logicalType: array
            items:
              logicalType: object
              properties:
                - { name: y, logicalType: string }
"""
MESH = """
mesh: types
accounts: { a: { id: "111111111111" } }
products:
  everything:
    account: a
    database: d
    contract: all.odcs.yaml
    delivery: { buffer_interval: 900 s, partition_by: [day(atz), b] }
"""
FULL = {
    "i": -7, "l": 2**62, "f": 1.5, "d": 1e300, "dec": "DEC", "b": True, "s": "grüezi \U0001f600",
    "u": "7d9f0f2c-6f0b-4a8e-9a55-3f1f0c7f6d11", "bin": "AAECAw==", "day": "1969-12-31", "clock": "23:59:59.999999",
    "at": "2026-11-01T10:00:00.123456", "atz": "2026-11-01T10:00:00.123456+01:00",
    "nested": {"x": 1, "list": [{"y": "a"}, {"y": None}, {}]},
}


class LocalIO(PyArrowFileIO):
    """Reads s3://BUCKET/KEY from the server's folder: the documented layout."""

    root = None

    def new_input(self, location):
        return super().new_input(location.replace("s3://", f"file://{LocalIO.root}/"))


class LocalS3(DirFileSystem):
    """s3:// for DuckDB, over the server's folder."""

    protocol = "s3"
    root = None

    def __init__(self):
        super().__init__(path=LocalS3.root, fs=LocalFileSystem())

    @classmethod
    def _strip_protocol(cls, path):
        return path[len("s3://") :] if path.startswith("s3://") else path


@pytest.fixture
def types(make_server, tmp_path):
    server = make_server()
    folder = tmp_path / "types"
    folder.mkdir()
    (folder / "mesh.yaml").write_text(MESH)
    (folder / "all.odcs.yaml").write_text(CONTRACT)
    server.weft("apply", folder)
    text = json.dumps(FULL).replace('"DEC"', "123456789012345678901234.123456")
    assert "123456789012345678901234.123456" in text
    records = [text, json.dumps({"i": 1}), json.dumps({"i": 2, "b": False, "atz": "2026-11-02T00:00:00Z", "nested": {}})]
    server.weft("put", "everything", "-", stdin="\n".join(records))
    server.weft("flush", "everything")
    server.weft("put", "everything", "-", stdin=json.dumps({"i": 3, "atz": "2026-11-05T00:00:00Z"}))
    server.weft("flush", "everything")
    table = json.loads(server.weft("table", "show", "d.everything", "--json"))
    server.metadata = table["metadata_location"].replace("s3://", f"{server.folder}/objects/")
    return server


def expected():
    return {
        "i": -7, "l": 2**62, "f": 1.5, "d": 1e300, "dec": decimal.Decimal("123456789012345678901234.123456"), "b": True,
        "s": "grüezi \U0001f600", "u": uuid.UUID("7d9f0f2c-6f0b-4a8e-9a55-3f1f0c7f6d11"), "bin": b"\x00\x01\x02\x03",
        "day": datetime.date(1969, 12, 31), "clock": datetime.time(23, 59, 59, 999999),
        "at": datetime.datetime(2026, 11, 1, 10, 0, 0, 123456),
        "atz": datetime.datetime(2026, 11, 1, 9, 0, 0, 123456, tzinfo=datetime.timezone.utc),
        "nested": {"x": 1, "list": [{"y": "a"}, {"y": None}, {"y": None}]},
    }


def check(rows, null_list=None):
    assert [row["i"] for row in rows] == [-7, 1, 2, 3]
    for name, value in expected().items():
        found = rows[0][name]
        if name == "u" and not isinstance(found, uuid.UUID):
            found = uuid.UUID(bytes=found) if isinstance(found, bytes) else uuid.UUID(str(found))
        if name == "atz":
            found = found.astimezone(datetime.timezone.utc)
        assert found == value, name
    assert all(rows[1][name] is None for name in expected() if name != "i")
    assert rows[2]["nested"] == {"x": None, "list": null_list} and rows[2]["b"] is False


def load(server):
    LocalIO.root = f"{server.folder}/objects"
    return StaticTable.from_metadata(server.metadata, {"py-io-impl": "test_outside_readers.LocalIO"})


def test_pyiceberg_reads_every_type_and_prunes_partitions(types):
    table = load(types)
    rows = sorted(table.scan().to_arrow().to_pylist(), key=lambda row: row["i"])
    # PyIceberg makes lists of structs anew without their null mask: a null list comes back empty.
    check(rows, null_list=[])
    assert len({row["_id"] for row in rows}) == 4 and all(row["_arrival"] for row in rows)
    assert len(list(table.scan().plan_files())) == 4
    one_day = table.scan(row_filter="atz >= '2026-11-05T00:00:00+00:00'")
    assert len(list(one_day.plan_files())) == 1
    assert [row["i"] for row in one_day.to_arrow().to_pylist()] == [3]
    # Bounds leave files out as well: no file holds such a number.
    assert list(table.scan(row_filter="i > 1000").plan_files()) == []
    assert len(table.metadata.snapshots) == 2


def test_duckdb_reads_every_type(types, tmp_path):
    database = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    for name in ("avro", "iceberg"):
        module = __import__(f"duckdb_extension_{name}")
        (extension,) = glob.glob(f"{pathlib.Path(module.__file__).parent}/extensions/*/{name}.duckdb_extension")
        database.execute(f"load '{extension}'")

    LocalS3.root = f"{types.folder}/objects"
    database.register_filesystem(LocalS3())
    location = types.metadata.replace(f"{types.folder}/objects/", "s3://")
    rows = database.execute(f"select * from iceberg_scan('{location}') order by i").fetch_arrow_table().to_pylist()
    check(rows)
    count = database.execute(
        f"select count(*) from iceberg_scan('{location}') where atz >= timestamptz '2026-11-05 00:00:00+00'"
    ).fetchone()
    assert count == (1,)
    # It opened the one file of that day, not the four of the table.
    plan = database.execute(
        f"explain analyze select i from iceberg_scan('{location}') where atz >= timestamptz '2026-11-05 00:00:00+00'"
    ).fetchall()[0][1]
    assert "Total Files Read: 1 " in plan, plan


def test_every_snapshot_stays_readable(types):
    table = load(types)
    first, second = table.metadata.snapshots
    assert table.scan(snapshot_id=first.snapshot_id).to_arrow().num_rows == 3
    assert table.scan(snapshot_id=second.snapshot_id).to_arrow().num_rows == 4
