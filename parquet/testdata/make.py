"""Makes the files of this folder. Run it with pyarrow (26.0.1 made those that are there)."""
import datetime as dt
import decimal
import uuid

import pyarrow as pa
import pyarrow.parquet as pq

N = 100
EPOCH = dt.datetime(1970, 1, 1)


def every(n, fn, typ):
    """A column of N values, of which each n-th is null."""
    return pa.array([None if n and i % n == n - 1 else fn(i) for i in range(N)], type=typ)


types = {
    "i8": every(0, lambda i: i - 50, pa.int8()),
    "i16": every(7, lambda i: i * 300 - 15000, pa.int16()),
    "i32": every(0, lambda i: i * -20000000, pa.int32()),
    "i64": every(3, lambda i: i * 10**16, pa.int64()),
    "u8": every(0, lambda i: i + 150, pa.uint8()),
    "u16": every(0, lambda i: i + 65000, pa.uint16()),
    "u32": every(0, lambda i: i + 4294967000, pa.uint32()),
    "u64": every(0, lambda i: i + 2**64 - 200, pa.uint64()),
    "f32": every(0, lambda i: i / 4, pa.float32()),
    "f64": every(5, lambda i: i / 10, pa.float64()),
    "yes": every(0, lambda i: i % 2 == 0, pa.bool_()),
    "text": every(4, lambda i: "ä" * (i % 5), pa.string()),
    "large": every(0, lambda i: "x%d" % i, pa.large_string()),
    "raw": every(0, lambda i: bytes([i, 255]), pa.binary()),
    "fixed": every(0, lambda i: bytes([i] * 16), pa.binary(16)),
    "date": every(0, lambda i: dt.date(1970, 1, 1) + dt.timedelta(days=i - 50), pa.date32()),
    "ms": every(0, lambda i: EPOCH + dt.timedelta(milliseconds=i - 50), pa.timestamp("ms", tz="UTC")),
    "us": every(0, lambda i: EPOCH + dt.timedelta(microseconds=1000 * (i - 50)), pa.timestamp("us")),
    "ns": every(0, lambda i: EPOCH + dt.timedelta(microseconds=1000 * (i - 50)), pa.timestamp("ns")),
    "time32": every(0, lambda i: dt.time(1, 2, 3, 1000 * i), pa.time32("ms")),
    "time64": every(0, lambda i: dt.time(1, 2, 3, i), pa.time64("us")),
    "dec9": every(0, lambda i: decimal.Decimal(i - 50) / 100, pa.decimal128(9, 2)),
    "dec38": every(6, lambda i: decimal.Decimal(i - 50).scaleb(20), pa.decimal128(38, 3)),
    "whole": every(0, lambda i: decimal.Decimal(i - 50), pa.decimal128(20, 0)),
    "word": pa.array(["a", "b"] * (N // 2)).dictionary_encode(),
    "list": every(9, lambda i: list(range(i % 4)), pa.list_(pa.int32())),
    "map": every(8, lambda i: [("k%d" % j, j) for j in range(i % 3)], pa.map_(pa.string(), pa.int64())),
    "group": every(10, lambda i: {"a": i, "b": None if i % 2 else "b%d" % i}, pa.struct([("a", pa.int32()), ("b", pa.string())])),
    "deep": every(0, lambda i: [[{"a": i, "c": ["x"] * (i % 3)}] * (i % 2)] * (i % 4),
                  pa.list_(pa.list_(pa.struct([("a", pa.int32()), ("c", pa.list_(pa.string()))])))),
}
table = pa.table(types)
pq.write_table(table, "types.parquet", row_group_size=30, compression="zstd", use_dictionary=["word", "text"], data_page_version="2.0")

few = table.select(["i32", "text", "list", "map"])
for codec in ["none", "snappy", "gzip", "brotli", "zstd"]:
    pq.write_table(few, "codec-%s.parquet" % codec, compression=codec, row_group_size=64)
pq.write_table(few, "refused/codec-lz4.parquet", compression="lz4", row_group_size=64)

pq.write_table(table.select(["ms", "list"]), "old.parquet", use_deprecated_int96_timestamps=True, version="1.0",
               use_compliant_nested_type=False, store_schema=False)
pq.write_table(pa.table({"at": pa.array([1, 1000, -1], pa.timestamp("us"))}), "fine.parquet")
pq.write_table(table.select(["i32"]).slice(0, 0), "empty.parquet")
# Pages of few values: rows of the list cross pages, and a seek must find them.
pq.write_table(pa.table({
    "n": pa.array(range(5000), pa.int64()),
    "list": pa.array([list(range(n % 7)) for n in range(5000)], pa.list_(pa.int64())),
    "text": pa.array(["t%d" % (n % 1000) for n in range(5000)]),
}), "pages.parquet", data_page_size=256, write_batch_size=16, row_group_size=2500, write_page_index=True)
