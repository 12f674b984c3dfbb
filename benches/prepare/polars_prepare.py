"""The cleaning of `propense prepare` on a file in Taobao's layout, with Polars.

    python polars_prepare.py INPUT.csv OUT.parquet

Prints the counts as one line of JSON. Lazy frames, collected by the streaming engine; sorted once
by everything, which makes exact repetitions neighbours, so that no window function is needed.
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

    def count(table: pl.DataFrame, rule: pl.Expr, names: list[str]) -> pl.DataFrame:
        """Takes the rows that `rule` names out and counts them."""
        table = table.with_columns(rule.alias("rule"))
        found = dict(table["rule"].drop_nulls().value_counts().iter_rows())
        quarantine.update({name: found.get(name, 0) for name in names})
        return table.filter(pl.col("rule").is_null()).drop("rule")

    seconds = pl.col("seconds").cast(pl.Int64, strict=False)
    table = (
        pl.scan_csv(source, has_header=False, schema=SCHEMA, row_index_name="row")
        .with_columns(
            rule=pl.when(pl.any_horizontal(pl.col(column).is_null() for column in SCHEMA))
            .then(pl.lit("missing_field"))
            .when(seconds.is_null() | ~pl.col("event").is_in(list(GA4)))
            .then(pl.lit("malformed"))
            .when((seconds <= PERIOD[0]) | (seconds > PERIOD[1]))
            .then(pl.lit("outside_period")),
            event=pl.col("event").cast(KINDS, strict=False),
            seconds=seconds,
        )
        .sort("user_id", "seconds", "item_id", "event", "item_category")
        .collect(engine="streaming")
    )
    rows = table.height
    parsing = ["missing_field", "malformed", "outside_period"]
    table = count(table, pl.col("rule"), parsing)
    everything = ["user_id", "seconds", "item_id", "event", "item_category"]
    duplicate = pl.when(as_before(*everything)).then(pl.lit("duplicate"))
    table = count(table, duplicate, ["duplicate"])

    pause = pl.col("seconds") - pl.col("seconds").shift(1)
    fires = as_before("user_id", "item_id", "event") & (pause <= 1)
    table = count(table, pl.when(fires).then(pl.lit("double_fire")), ["double_fire"])

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
    bot = pl.when(pl.col("session_id").is_in(bots.implode())).then(pl.lit("bot"))
    table = count(table, bot, ["bot"])

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
