//! How the page looks.

pub(super) const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1c2430; --dim: #5d6878; --line: #dde1e6; --page: #fbfbfa; --card: #fff;
  --accent: #0b6e75; --pale: #a9d3d3; --track: #eef0f2; --bad: #b3261e; --care: #a15c00; --good: #2c7a3f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --dim: #a3adba; --line: #333b46; --page: #14181d; --card: #1b2027;
    --accent: #5cc8c0; --pale: #2b605f; --track: #262d36; --bad: #ff8a80; --care: #f0b45c; --good: #7ecb8f; }
}
* { box-sizing: border-box; }
html { text-size-adjust: 100%; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, \"Segoe UI\", Roboto, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 2.5rem 1rem 4rem; }
h1, h2 { font-family: \"Iowan Old Style\", Palatino, \"Palatino Linotype\", Georgia, serif; font-weight: 600; text-wrap: balance; }
h1 { font-size: clamp(1.6rem, 1.2rem + 2vw, 2.4rem); line-height: 1.2; margin: 0 0 .75rem; overflow-wrap: anywhere; }
h2 { font-size: 1.45rem; line-height: 1.25; margin: 3.25rem 0 .35rem; }
h3 { font-size: 1rem; line-height: 1.35; margin: 0; }
p { margin: 0 0 .75rem; max-width: 46rem; text-wrap: pretty; }
code { font: .92em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.kind { color: var(--accent); font-weight: 600; letter-spacing: .02em; margin: 0 0 .25rem; }
.lead { font-size: 1.1rem; color: var(--dim); }
.lead b { color: var(--ink); font-weight: 600; }
.verdict { display: flex; gap: .75rem; align-items: baseline; margin: 1.5rem 0; padding: .9rem 1.1rem; max-width: none;
  border-radius: 10px; border: 1px solid var(--line); border-left: 6px solid var(--tone); background: var(--card); font-size: 1.1rem; }
.verdict b { color: var(--tone); white-space: nowrap; }
.severe, .not_yet { --tone: var(--bad); } .caution, .with_care { --tone: var(--care); } .note { --tone: var(--dim); } .ready { --tone: var(--good); }
.numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 1.25rem 1rem; margin: 1.75rem 0 0; }
.numbers div { border-top: 2px solid var(--accent); padding-top: .4rem; }
.numbers dt, .numbers small { color: var(--dim); display: block; font-size: .9rem; }
.numbers dd { margin: 0; font-size: 1.75rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.warnings { list-style: none; margin: 1rem 0 0; padding: 0; display: grid; gap: .75rem; }
.warnings li { background: var(--card); border: 1px solid var(--line); border-left: 6px solid var(--tone); border-radius: 10px; padding: .85rem 1.1rem; break-inside: avoid; }
.warnings h3 { display: flex; flex-wrap: wrap; gap: 0 .6rem; align-items: baseline; }
.warnings h3 span { color: var(--tone); }
.warnings h3 code { margin-left: auto; color: var(--dim); font-weight: 400; font-size: .8rem; }
.warnings p { margin: .35rem 0 0; overflow-wrap: anywhere; }
.warnings p + p { color: var(--dim); }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr)); gap: 1.25rem; margin-top: 1.1rem; align-items: start; }
.chart { margin: 0; padding: 1rem 1.1rem; background: var(--card); border: 1px solid var(--line); border-radius: 10px; break-inside: avoid; min-width: 0; }
.chart.across { grid-column: 1 / -1; }
figcaption p { color: var(--dim); font-size: .95rem; margin: .15rem 0 0; overflow-wrap: anywhere; }
figcaption { margin-bottom: .75rem; }
svg { display: block; width: 100%; height: auto; max-width: 34rem; margin: 0 auto; overflow: visible; }
svg.broad { max-width: none; }
svg.narrow { display: none; }
svg text { fill: var(--dim); font: 11px system-ui, -apple-system, \"Segoe UI\", Roboto, sans-serif; font-variant-numeric: tabular-nums; }
svg text.name { fill: var(--ink); font-size: 12px; }
svg .grid { stroke: var(--line); } svg .base { stroke: var(--dim); }
svg .bar, svg .dot { fill: var(--accent); } svg .behind { fill: var(--pale); } svg .track { fill: var(--track); } svg .mark { fill: var(--care); }
svg .ring { fill: var(--card); stroke: var(--accent); stroke-width: 2; }
svg .limit { stroke: var(--care); stroke-dasharray: 3 3; }
svg .span { stroke: var(--pale); stroke-width: 2; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; background: var(--accent); margin: 0 .35em 0 .1em; } .key.pale { background: var(--pale); }
details { margin-top: .75rem; font-size: .9rem; }
summary { cursor: pointer; color: var(--accent); width: max-content; padding: .2rem 0; }
summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
.scroll { overflow-x: auto; max-height: 26rem; overflow-y: auto; }
section > .scroll { max-height: none; margin-top: 1rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { text-align: right; padding: .35rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; white-space: normal; overflow-wrap: anywhere; min-width: 7rem; }
th { color: var(--dim); font-weight: 500; vertical-align: bottom; }
.matrix td { text-align: center; padding: .3rem .4rem; min-width: 3.4rem; border: 2px solid var(--page); background: color-mix(in srgb, var(--care) var(--gone), var(--track)); }
.matrix td.all { color: var(--dim); background: none; }
.matrix td:first-child { background: none; text-align: left; white-space: nowrap; padding-left: 0; }
.matrix th { text-align: center; } .matrix th:first-child { text-align: left; }
.wide-words { white-space: normal; text-align: left; }
footer { margin-top: 4rem; color: var(--dim); font-size: .9rem; border-top: 1px solid var(--line); padding-top: 1rem; }
@media (max-width: 40rem) {
  main { padding-top: 1.5rem; }
  .verdict { display: block; }
  .verdict b { display: block; white-space: normal; }
  .numbers { grid-template-columns: repeat(2, 1fr); }
  .numbers dd { font-size: 1.5rem; }
  .chart { padding: .9rem; }
  .warnings h3 code { margin: 0; flex-basis: 100%; }
  svg text { font-size: 12.5px; } svg text.name { font-size: 13.5px; }
  svg.broad { display: none; } svg.narrow { display: block; }
}
@media print {
  :root { color-scheme: light; --ink: #000; --dim: #444; --line: #ccc; --page: #fff; --card: #fff; --accent: #0b6e75; --pale: #a9d3d3; --track: #f0f0f0;
    --bad: #b3261e; --care: #a15c00; --good: #2c7a3f; }
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2 { break-after: avoid; margin-top: 1.75rem; }
  .charts { grid-template-columns: 1fr 1fr; }
  .scroll { max-height: none; overflow: visible; }
  details:not([open]), summary { display: none; }
}
";
