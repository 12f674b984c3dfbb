"""The cleaning of `propense prepare` on a file in Taobao's layout, with pandas, written plainly.

    python pandas_plain.py INPUT.csv OUT.parquet

Prints the counts as one line of JSON. One idiom a step, all of pandas' defaults.
"""

import json
import sys

import pandas as pd

PERIOD = (1_511_539_200, 1_512_316_800)  # seconds: after the first, up to and with the second
GAP = 30 * 60
COLUMNS = ["user_id", "item_id", "item_category", "event", "seconds"]
GA4 = {"pv": "view_item", "fav": "add_to_wishlist", "cart": "add_to_cart", "buy": "purchase"}


def main(source: str, out: str) -> None:
    table = pd.read_csv(
        source, header=None, names=COLUMNS, dtype={"seconds": "str"},
        keep_default_na=False, na_values=[""],
    )
    rows = len(table)
    table["row"] = range(1, rows + 1)
    quarantine = {}

    def set_aside(rule: str, bad: pd.Series) -> None:
        nonlocal table
        quarantine[rule] = int(bad.sum())
        table = table[~bad]

    set_aside("missing_field", table.isna().any(axis=1))
    seconds = pd.to_numeric(table["seconds"], errors="coerce")
    set_aside("malformed", seconds.isna() | ~table["event"].isin(list(GA4)))
    table["seconds"] = table["seconds"].astype("int64")
    set_aside("outside_period", (table["seconds"] <= PERIOD[0]) | (table["seconds"] > PERIOD[1]))
    set_aside("duplicate", table.duplicated(COLUMNS))

    table = table.sort_values(["user_id", "seconds"], kind="stable")
    before = table.shift(1)
    fires = (
        (table["user_id"] == before["user_id"])
        & (table["item_id"] == before["item_id"])
        & (table["event"] == before["event"])
        & (table["seconds"] - before["seconds"] <= 1)
    )
    set_aside("double_fire", fires)

    pause = table.groupby("user_id")["seconds"].diff()
    begins = pause.isna() | (pause > GAP)
    table["session_id"] = begins.cumsum()
    session = pause.mask(begins).groupby(table["session_id"])
    size, median = session.transform("size"), session.transform("median")
    set_aside("bot", (size >= 1_000) | ((size >= 100) & (median < 0.3)))

    result = pd.DataFrame(
        {
            "timestamp": pd.to_datetime(table["seconds"], unit="s", utc=True).dt.as_unit("ms"),
            "event": table["event"].map(GA4),
            "user_id": table["user_id"].astype("int64"),
            "session_id": table["session_id"],
            "event_no": table.groupby("session_id").cumcount() + 1,
            "item_id": table["item_id"].astype("int64"),
            "item_category": table["item_category"].astype("int64"),
            "row": table["row"],
        }
    )
    result.to_parquet(out, compression="zstd", index=False)
    sessions = table["session_id"].nunique()
    counts = {"rows": rows, "kept": len(result), "sessions": sessions, "quarantine": quarantine}
    print(json.dumps(counts))


if __name__ == "__main__":
    main(*sys.argv[1:])
