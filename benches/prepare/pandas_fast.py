"""The cleaning of `propense prepare` on a file in Taobao's layout, with pandas, made fast.

    python pandas_fast.py INPUT.csv OUT.parquet

Prints the counts as one line of JSON. Reading goes through the pyarrow engine and pyarrow's types,
and the frame is sorted once by everything, which makes exact repetitions neighbours: several times
as fast as the plain `read_csv`, `drop_duplicates`, `sort_values`.
"""

import json
import sys

import numpy as np
import pandas as pd

PERIOD = (1_511_539_200, 1_512_316_800)  # seconds: after the first, up to and with the second
GAP = 30 * 60
COLUMNS = ["user_id", "item_id", "item_category", "event", "seconds"]
KINDS = {"pv": 0, "fav": 1, "cart": 2, "buy": 3}
GA4 = ["view_item", "add_to_wishlist", "add_to_cart", "purchase"]


def main(source: str, out: str) -> None:
    table = pd.read_csv(
        source,
        engine="pyarrow",
        dtype_backend="pyarrow",
        header=None,
        names=COLUMNS,
        dtype={"event": "string[pyarrow]", "seconds": "string[pyarrow]"},
        keep_default_na=False,
        na_values=[""],
    )
    rows = len(table)
    quarantine = {}

    def set_aside(rule: str, bad) -> None:
        nonlocal table
        bad = np.asarray(bad, dtype=bool)
        quarantine[rule] = int(bad.sum())
        table = table[~bad]

    table["row"] = np.arange(1, rows + 1)
    set_aside("missing_field", table[COLUMNS].isna().any(axis=1))
    set_aside("malformed", ~table["seconds"].str.isdigit() | ~table["event"].isin(KINDS))
    # From here on every field is a number: plain NumPy columns are the fastest that pandas has.
    table = pd.DataFrame(
        {
            "user_id": table["user_id"].to_numpy(np.int64),
            "seconds": table["seconds"].astype("int64[pyarrow]").to_numpy(np.int64),
            "item_id": table["item_id"].to_numpy(np.int64),
            "item_category": table["item_category"].to_numpy(np.int32),
            "event": table["event"].map(KINDS).to_numpy(np.int8),
            "row": table["row"].to_numpy(np.int64),
        }
    )
    seconds = table["seconds"]
    set_aside("outside_period", (seconds <= PERIOD[0]) | (seconds > PERIOD[1]))

    def as_before(*columns: str):
        same = np.ones(len(table), dtype=bool)
        same[:1] = False
        for column in columns:
            values = table[column].to_numpy()
            same[1:] &= values[1:] == values[:-1]
        return same

    # One sort for everything: user and moment in one number, then what an event is.
    moment = table["user_id"].to_numpy() * 2**20 + (table["seconds"].to_numpy() - PERIOD[0])
    what = table["item_id"].to_numpy() * 4 + table["event"].to_numpy()
    table = table.iloc[np.lexsort((what, moment))]
    everything = ["user_id", "seconds", "item_id", "event", "item_category"]
    set_aside("duplicate", as_before(*everything))

    def pauses():
        seconds = table["seconds"].to_numpy()
        return np.diff(seconds, prepend=seconds[:1])

    set_aside("double_fire", as_before("user_id", "item_id", "event") & (pauses() <= 1))

    pause = pauses()
    begins = ~as_before("user_id") | (pause > GAP)
    table["session_id"] = np.cumsum(begins)
    firsts = np.flatnonzero(begins)
    sizes = np.diff(firsts, append=len(table))
    large = table["session_id"].isin(np.flatnonzero(sizes >= 100) + 1).to_numpy()
    inside = large & ~begins
    median = pd.Series(pause[inside]).groupby(table["session_id"].to_numpy()[inside]).median()
    fast = median.index[median < 0.3]
    bots = np.union1d(fast, np.flatnonzero(sizes >= 1_000) + 1)
    set_aside("bot", table["session_id"].isin(bots))

    begins = ~as_before("session_id")
    sessions = int(begins.sum())
    firsts = np.flatnonzero(begins)
    sizes = np.diff(firsts, append=len(table))
    result = pd.DataFrame(
        {
            "timestamp": pd.to_datetime(table["seconds"].to_numpy(), unit="s", utc=True).as_unit("ms"),
            "event": pd.Categorical.from_codes(table["event"].to_numpy(), GA4),
            "user_id": table["user_id"].to_numpy(),
            "session_id": table["session_id"].to_numpy(),
            "event_no": np.arange(len(table)) - np.repeat(firsts, sizes) + 1,
            "item_id": table["item_id"].to_numpy(),
            "item_category": table["item_category"].to_numpy(),
            "row": table["row"].to_numpy(),
        }
    )
    result.to_parquet(out, engine="pyarrow", compression="zstd", index=False)
    counts = {"rows": rows, "kept": len(result), "sessions": sessions, "quarantine": quarantine}
    print(json.dumps(counts))


if __name__ == "__main__":
    main(*sys.argv[1:])
