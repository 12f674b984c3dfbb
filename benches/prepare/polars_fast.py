"""The cleaning of `propense prepare` on a file in Taobao's layout, with Polars, made fast.

    python polars_fast.py INPUT.csv OUT.parquet

Prints the counts as one line of JSON. Read and judged in one lazy query; user and moment packed into
one number to sort by, which takes half the time of sorting by two; sorted once by everything, which
makes exact repetitions neighbours, so that no window function is needed.
"""

import json
import sys

import polars as pl

PERIOD = (1_511_539_200, 1_512_316_800)  # seconds: after the first, up to and with the second
GAP = 30 * 60
KINDS = pl.Enum(["pv", "fav", "cart", "buy"])
GA4 = {"pv": "view_item", "fav": "add_to_wishlist", "cart": "add_to_cart", "buy": "purchase"}
SCHEMA = {
    "user_id": pl.Int64,
    "item_id": pl.Int64,
    "item_category": pl.Int32,
    "event": pl.String,
    "seconds": pl.String,
}


def as_before(*columns: str) -> pl.Expr:
    return pl.all_horizontal(pl.col(column) == pl.col(column).shift(1) for column in columns)


def main(source: str, out: str) -> None:
    quarantine = {}

    def set_aside(table: pl.DataFrame, rule: pl.Expr, *names: str) -> pl.DataFrame:
        """Takes out the rows for which `rule` is not zero, and counts them under the names 1, 2, …"""
        table = table.with_columns(rule=rule.fill_null(0).cast(pl.UInt8))
        found = dict(table["rule"].value_counts().iter_rows())
        quarantine.update({name: found.get(at + 1, 0) for at, name in enumerate(names)})
        return table.filter(pl.col("rule") == 0).drop("rule")

    seconds = pl.col("seconds").cast(pl.Int64, strict=False)
    table = (
        pl.scan_csv(source, has_header=False, schema=SCHEMA, row_index_name="row")
        .with_columns(
            rule=pl.when(pl.any_horizontal(pl.col(*SCHEMA).is_null()))
            .then(1)
            .when(seconds.is_null() | ~pl.col("event").is_in(list(GA4)))
            .then(2)
            .when(~seconds.is_between(*PERIOD, closed="right"))
            .then(3)
            .otherwise(0),
            event=pl.col("event").cast(KINDS, strict=False),
            seconds=seconds,
            moment=pl.col("user_id") * 2**20 + seconds - PERIOD[0],
        )
        .collect(engine="streaming")
    )
    rows = table.height
    parsing = ["missing_field", "malformed", "outside_period"]
    table = set_aside(table, pl.col("rule"), *parsing).sort("moment", "item_id", "event")
    everything = ["moment", "item_id", "event", "item_category"]
    table = set_aside(table, as_before(*everything), "duplicate")
    pause = pl.col("seconds") - pl.col("seconds").shift(1)
    fires = as_before("user_id", "item_id", "event") & (pause <= 1)
    table = set_aside(table, fires, "double_fire")

    begins = (~as_before("user_id") | (pause > GAP)).fill_null(True)
    table = table.with_columns(
        session_id=begins.cum_sum(), pause=pl.when(~begins).then(pause)
    )
    sizes = table.lazy().group_by("session_id").agg(size=pl.len())
    large = sizes.filter(pl.col("size") >= 100)
    bots = (
        table.lazy()
        .join(large, on="session_id")
        .group_by("session_id")
        .agg(pl.col("size").first(), median=pl.col("pause").median())
        .filter((pl.col("size") >= 1_000) | (pl.col("median") < 0.3))
        .collect()["session_id"]
    )
    table = set_aside(table, pl.col("session_id").is_in(bots.implode()), "bot")

    kept = table.height
    sessions = table["session_id"].n_unique()
    begin = pl.when(~as_before("session_id").fill_null(False)).then(pl.int_range(pl.len()))
    (
        table.lazy()
        .select(
            timestamp=(pl.col("seconds") * 1_000).cast(pl.Datetime("ms", "UTC")),
            event=pl.col("event").cast(pl.String).replace_strict(GA4).cast(pl.Enum(list(GA4.values()))),
            user_id="user_id",
            session_id="session_id",
            event_no=pl.int_range(pl.len()) - begin.forward_fill() + 1,
            item_id="item_id",
            item_category="item_category",
            row="row",
        )
        .sink_parquet(out, compression="zstd")
    )
    print(json.dumps({"rows": rows, "kept": kept, "sessions": sessions, "quarantine": quarantine}))


if __name__ == "__main__":
    main(*sys.argv[1:])
