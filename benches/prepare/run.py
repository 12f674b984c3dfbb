"""Propense, pandas and Polars clean the same made-up file, in turns.

    python run.py [--rows 10000000] [--runs 5] [--propense ../../target/release/propense]
                  [--file FILE] [--only propense,polars_fast,…] [--json FILE]

The file is in Taobao's layout (`propense synth events --layout taobao`). All must agree with each
other, and with the manifest of the made-up file, on the rows kept, the rows set aside by each
rule, and the sessions; where one does not, the run fails. Time is the wall clock of the whole
process, memory the largest resident set that the kernel saw. The Python needs what
`requirements.txt` names.
"""

import argparse
import csv
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOLS = ["propense", "propense_report", "pandas_plain", "pandas_fast", "polars_plain", "polars_fast"]
# What the scripts of the other two know of; Propense may find more, which would be a difference.
RULES = ["missing_field", "malformed", "outside_period", "duplicate", "double_fire", "bot"]


def measured(command: list[str]) -> tuple[str, float, float, int]:
    """What the command printed, its wall and processor seconds, its peak memory in bytes."""
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    printed = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - begun
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{' '.join(command)}: exit status {child.returncode}")
    # Kibibytes on Linux, bytes on macOS.
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return printed, wall, usage.ru_utime + usage.ru_stime, peak


def counts_of(folder: Path, rows: int) -> dict:
    """The same by another process: a child's peak memory is never told below what its parent held
    when it was begun, so this one must stay small."""
    command = [sys.executable, __file__, "--count", str(folder), "--rows", str(rows)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def propense_counts(folder: Path, rows: int) -> dict:
    """The counts from what was written, not from what was reported."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    tables = sorted(folder.glob("events*.parquet"))
    kept = sum(pq.read_metadata(path).num_rows for path in tables)
    sessions = sum(
        pc.count_distinct(pq.read_table(path, columns=["session_id"])["session_id"]).as_py()
        for path in tables
    )
    with open(folder / "quarantine.csv", newline="") as file:
        rules = Counter(row["rule"] for row in csv.DictReader(file))
    quarantine = {rule: rules.get(rule, 0) for rule in RULES} | dict(rules)
    return {"rows": rows, "kept": kept, "sessions": sessions, "quarantine": quarantine}


def run(tool: str, args, source: Path, rows: int, scratch: Path) -> dict:
    """One turn of one tool. Nothing of an earlier turn is left to go on from."""
    out = scratch / tool
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    if tool.startswith("propense"):
        command = [args.propense, "prepare", str(source), "--format", "taobao", "--out", str(out)]
        if tool == "propense":
            command.append("--no-report")  # The others make none.
        _, wall, processor, peak = measured(command)
        counts = counts_of(out, rows)
    else:
        script = str(HERE / f"{tool}.py")
        printed, wall, processor, peak = measured(
            [sys.executable, script, str(source), str(out / "events.parquet")]
        )
        counts = json.loads(printed)
    written = sum(path.stat().st_size for path in out.rglob("events*.parquet"))
    return {"wall_s": wall, "processor_s": processor, "peak_bytes": peak,
            "parquet_bytes": written, "counts": counts}


def expected(manifest: dict) -> dict:
    """What the maker of the file says."""
    found = {rule: manifest["set_aside"].get(rule, 0) for rule in RULES}
    return {"rows": manifest["rows"], "kept": manifest["rows"] - sum(found.values()),
            "quarantine": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--propense", default=str(HERE / "../../target/release/propense"))
    parser.add_argument("--file", help="a file made earlier, with its manifest beside it")
    parser.add_argument("--only", default=",".join(TOOLS))
    parser.add_argument("--json", help="write the figures here")
    parser.add_argument("--count", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.count:
        print(json.dumps(propense_counts(Path(args.count), args.rows)))
        return
    tools = [tool for tool in TOOLS if tool in args.only.split(",")]

    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        source = Path(args.file) if args.file else scratch / "events.csv"
        if not args.file:
            subprocess.run(
                [args.propense, "synth", "events", "--rows", str(args.rows), "--seed",
                 str(args.seed), "--layout", "taobao", "--out", str(source)],
                check=True, stdout=subprocess.DEVNULL,
            )
        manifest = json.loads(Path(f"{source}.manifest.json").read_text())
        wanted = expected(manifest)
        with open(source, "rb") as file:  # Everybody finds the file in the page cache.
            while file.read(1 << 20):
                pass
        turns: dict[str, list[dict]] = {tool: [] for tool in tools}
        agreed = None
        for turn in range(args.runs):
            for tool in tools:
                result = run(tool, args, source, manifest["rows"], scratch)
                counts = result.pop("counts")
                agreed = agreed or counts
                differs = {key: (counts[key], wanted[key]) for key in wanted
                           if counts[key] != wanted[key]}
                if counts != agreed or differs:
                    sys.exit(f"{tool} counts {counts}\nthe first one {agreed}\nexpected {wanted}")
                turns[tool].append(result)
                print(f"turn {turn + 1}: {tool} {result['wall_s']:.2f} s", file=sys.stderr)

    def median(tool: str, key: str) -> float:
        return statistics.median(result[key] for result in turns[tool])

    report = {
        "rows": manifest["rows"], "bytes": manifest["bytes"], "runs": args.runs,
        "machine": {"cores": os.cpu_count(), "processor": platform.processor() or platform.machine()},
        "versions": {name: version(name) for name in ["pandas", "polars", "pyarrow", "numpy"]},
        "counts": agreed, "turns": turns,
        "median": {tool: {key: median(tool, key) for key in turns[tool][0]} for tool in tools},
    }
    first = tools[0]
    print(f"{manifest['rows']:,} rows, {manifest['bytes'] / 1e6:,.0f} MB, median of {args.runs}")
    print(f"| | wall s | × {first} | rows a second | processor s | peak MB | Parquet MB |")
    print("|---|---|---|---|---|---|---|")
    for tool in tools:
        wall = median(tool, "wall_s")
        print(f"| {tool} | {wall:.2f} | {wall / median(first, 'wall_s'):.2f} "
              f"| {manifest['rows'] / wall:,.0f} | {median(tool, 'processor_s'):.2f} "
              f"| {median(tool, 'peak_bytes') / 1e6:,.0f} "
              f"| {median(tool, 'parquet_bytes') / 1e6:,.0f} |")
    print(f"agreed: {json.dumps(agreed)}")
    if args.json:
        Path(args.json).write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
