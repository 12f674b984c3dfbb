"""The cleaning of `propense prepare` on a file in Taobao's layout, with Polars, written plainly.

    python polars_plain.py INPUT.csv OUT.parquet

Prints the counts as one line of JSON. One idiom a step, all of Polars' defaults.
"""

import json
import sys

import polars as pl

PERIOD = (1_511_539_200, 1_512_316_800)  # seconds: after the first, up to and with the second
GAP = 30 * 60
GA4 = {"pv": "view_item", "fav": "add_to_wishlist", "cart": "add_to_cart", "buy": "purchase"}
SCHEMA = {
    "user_id": pl.Int64,
    "item_id": pl.Int64,
    "item_category": pl.Int64,
    "event": pl.String,
    "seconds": pl.String,
}


def main(source: str, out: str) -> None:
    table = pl.read_csv(source, has_header=False, schema=SCHEMA, row_index_name="row")
    rows = table.height
    quarantine = {}

    def keep(rule: str, good: pl.Expr) -> None:
        nonlocal table
        before = table.height
        table = table.filter(good)
        quarantine[rule] = before - table.height

    keep("missing_field", pl.all_horizontal(pl.col(*SCHEMA).is_not_null()))
    seconds = pl.col("seconds").cast(pl.Int64, strict=False)
    keep("malformed", seconds.is_not_null() & pl.col("event").is_in(list(GA4)))
    table = table.with_columns(seconds)
    keep("outside_period", pl.col("seconds").is_between(*PERIOD, closed="right"))
    height = table.height
    table = table.unique(list(SCHEMA), keep="first")
    quarantine["duplicate"] = height - table.height

    table = table.sort("user_id", "seconds", "row")
    pause = pl.col("seconds").diff().over("user_id")
    same = [pl.col(name) == pl.col(name).shift(1).over("user_id") for name in ["item_id", "event"]]
    fires = pl.all_horizontal(*same, pause <= 1).fill_null(False)
    keep("double_fire", ~fires)

    begins = (pause > GAP).fill_null(True)
    table = table.with_columns(pause=pause, begins=begins)
    table = table.with_columns(
        session_id=pl.col("begins").cum_sum(),
        pause=pl.when(~pl.col("begins")).then("pause"),
    )
    size = pl.len().over("session_id")
    median = pl.col("pause").median().over("session_id")
    bot = (size >= 1_000) | ((size >= 100) & (median < 0.3))
    keep("bot", ~bot.fill_null(False))

    table.select(
        timestamp=pl.from_epoch("seconds", time_unit="s").cast(pl.Datetime("ms", "UTC")),
        event=pl.col("event").replace_strict(GA4),
        user_id="user_id",
        session_id="session_id",
        event_no=pl.int_range(pl.len()).over("session_id") + 1,
        item_id="item_id",
        item_category="item_category",
        row="row",
    ).write_parquet(out, compression="zstd")
    sessions = table["session_id"].n_unique()
    counts = {"rows": rows, "kept": table.height, "sessions": sessions, "quarantine": quarantine}
    print(json.dumps(counts))


if __name__ == "__main__":
    main(*sys.argv[1:])
