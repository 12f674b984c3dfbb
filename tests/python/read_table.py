"""Reads what `propense prepare` wrote as a data scientist would, with pyarrow, and checks it.

    python read_table.py DIR [--manifest FILE.manifest.json] [--rules duplicate,bot,...]

Checked are the columns and their types, the accounts (records in = records out + quarantine, by
`report.json`, by the table, and by `quarantine.csv`), the order of the table and the numbering of its
sessions. With the manifest of a made-up file (`propense synth events`), the quarantine must hold as
many rows under each of the rules as were laid in. Ends with 1 and says what is wrong, or prints the
counts as JSON.
"""

import argparse
import csv
import json
import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

TEXT, NUMBER = "text", "number"
SCHEMA = {
    "timestamp": pa.timestamp("ms", tz="UTC"),
    "event": TEXT,
    "user_id": TEXT,
    "anonymous_id": TEXT,
    "session_id": TEXT,
    "event_no": pa.uint32(),
    "item_id": TEXT,
    "item_name": TEXT,
    "item_category": TEXT,
    "item_brand": TEXT,
    "price": NUMBER,
    "quantity": NUMBER,
    "page_type": TEXT,
    "value": NUMBER,
    "currency": TEXT,
    "transaction_id": TEXT,
    "search_term": TEXT,
    "rating": NUMBER,
    "context": TEXT,
    "source": pa.uint16(),
    "row": pa.uint64(),
}
EVENTS = """page_view search view_item_list select_item view_item add_to_wishlist add_to_cart
remove_from_cart view_cart begin_checkout add_shipping_info add_payment_info purchase refund review
other""".split()
# Rules that need no further option, and whose counts no other rule changes.
RULES = """malformed missing_field absurd_timestamp future_timestamp test_order duplicate
repeated_order double_fire bot""".split()

problems = []


def check(holds: bool, what: str) -> None:
    if not holds:
        problems.append(what)


def plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def check_schema(schema: pa.Schema) -> None:
    check(schema.names == list(SCHEMA), f"columns are {schema.names}, expected {list(SCHEMA)}")
    for name, expected in SCHEMA.items():
        if name not in schema.names:
            continue
        kind = plain(schema.field(name).type)
        if expected == TEXT:
            holds = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        elif expected == NUMBER:
            holds = kind == pa.float64()
        else:
            holds = kind == expected
        check(holds, f"{name} is {kind}, expected {expected}")
    for name in ["timestamp", "event", "session_id", "event_no", "source", "row"]:
        if name in schema.names:
            check(not schema.field(name).nullable, f"{name} may be missing by the schema")


def decoded(table: pa.Table, name: str) -> pa.ChunkedArray:
    column = table[name]
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def check_rows(table: pa.Table) -> None:
    for name in ["timestamp", "event", "session_id", "event_no", "source", "row"]:
        check(table[name].null_count == 0, f"{name} is missing on {table[name].null_count} lines")
    events = set(pc.unique(decoded(table, "event")).to_pylist())
    check(events <= set(EVENTS), f"events without a GA4 name: {events - set(EVENTS)}")
    for text in pc.unique(decoded(table, "context")).to_pylist():
        check(text is None or isinstance(json.loads(text), dict), f"context is no object: {text}")
    ratings = pc.min_max(table["rating"]).as_py()
    check(ratings["min"] is None or 1 <= ratings["min"] <= ratings["max"] <= 5,
          f"ratings from {ratings['min']} to {ratings['max']}")
    for name in ["price", "quantity"]:
        least = pc.min(table[name]).as_py()
        check(least is None or least >= 0, f"{name} of {least}")

    # Within a session: in order of time, and numbered 1, 1, 2, 3, … without a gap.
    session = decoded(table, "session_id").combine_chunks()
    time = table["timestamp"].combine_chunks().cast(pa.int64())
    number = table["event_no"].combine_chunks().cast(pa.int64())
    if table.num_rows > 1:
        same = pc.equal(session[1:], session[:-1])
        step = pc.subtract(number[1:], number[:-1])
        late = pc.and_(same, pc.less(time[1:], time[:-1]))
        check(not pc.any(late).as_py(), "a session is not in order of time")
        gap = pc.and_(same, pc.invert(pc.is_in(step, pa.array([0, 1], pa.int64()))))
        check(not pc.any(gap).as_py(), "the events of a session are not numbered one by one")
        first = pc.and_(pc.invert(same), pc.not_equal(number[1:], 1))
        check(not pc.any(first).as_py(), "a session does not begin with event 1")
        begun = 1 + pc.sum(pc.invert(same)).as_py()
        distinct = pc.count_distinct(session).as_py()
        check(begun == distinct, f"{distinct} sessions lie in {begun} pieces")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--manifest", type=Path)
    parser.add_argument("--rules", default=",".join(RULES))
    args = parser.parse_args()

    files = sorted(args.folder.glob("events*.parquet"))
    check(bool(files), f"there is no events*.parquet in {args.folder}")
    for path in files:
        check_schema(pq.read_schema(path))
    if problems:
        sys.exit("\n".join(problems))
    table = pa.concat_tables([pq.read_table(path) for path in files])
    check_rows(table)

    with open(args.folder / "quarantine.csv", newline="", encoding="utf-8") as file:
        quarantine = [(row["source"], row["row"], row["rule"]) for row in csv.DictReader(file)]
    report = json.loads((args.folder / "report.json").read_text(encoding="utf-8"))
    records_in, out, aside = (
        report["records"][key] for key in ["in", "out", "quarantined"]
    )
    check(records_in == out + aside, f"{records_in} records in, {out} out, {aside} in quarantine")
    check(table.num_rows == out, f"{table.num_rows} lines in the table, {out} in report.json")
    check(len(quarantine) == aside, f"{len(quarantine)} in quarantine.csv, {aside} in report.json")

    # A row whose items became several lines may stand in both, so only the converse is sure.
    kept = set(zip(decoded(table, "source").to_pylist(), table["row"].to_pylist()))
    places = {(int(source), int(row)) for source, row, _ in quarantine}
    rules = Counter(rule for _, _, rule in quarantine)
    if args.manifest:
        manifest = json.loads(args.manifest.read_text())
        check(records_in == manifest["rows"], f"{records_in} records of {manifest['rows']} rows")
        check(not kept & places, f"{len(kept & places)} rows are kept and set aside")
        for rule in args.rules.split(","):
            laid_in = manifest["set_aside"].get(rule, 0)
            check(rules[rule] == laid_in, f"{rule}: {rules[rule]} found, {laid_in} laid in")
    if problems:
        sys.exit("\n".join(problems))
    print(json.dumps({"lines": table.num_rows, "quarantine": dict(sorted(rules.items()))}))


if __name__ == "__main__":
    main()
