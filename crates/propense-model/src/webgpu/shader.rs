//! The shader: whole sessions, or one step of a live one, from rows to the LSTM's part of a logit.
//!
//! Few sessions take two launches: the windows' part of the gates, of every step at once, then the
//! recurrence. Many take one, of eight sessions to a workgroup, in which a weight that was read serves all
//! eight.

use std::fmt::Write as _;

use crate::limits::{self, TILE};
use crate::{CellActivation, ModelConfig, ModelError};

/// Numbers before the first session in what a pass is given: sessions, rows of each, steps of the
/// longest, whether the state comes from `out` and goes back there.
pub(super) const HEAD: usize = 4;

/// Steps of which a workgroup makes the windows' part of the gates: a weight that was read serves both.
pub(super) const STEPS: usize = 2;

/// What a pipeline is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// The windows' part of the gates: a workgroup for each [`STEPS`] steps of each session.
    Project,
    /// What remains of few sessions: a workgroup for each.
    Recur,
    /// Many sessions from rows on: a workgroup for [`TILE`] of them.
    Sessions,
}

impl Entry {
    /// Its name in the shader.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Recur => "recur",
            Self::Sessions => "sessions",
        }
    }

    /// Steps or sessions that a workgroup takes side by side.
    const fn tile(self) -> usize {
        match self {
            Self::Project => STEPS,
            Self::Recur => 1,
            Self::Sessions => TILE,
        }
    }
}

/// Whether the shader can compute a network of this configuration.
pub(super) fn fits(config: &ModelConfig) -> Result<(), ModelError> {
    limits::fits(config)
        .then_some(())
        .ok_or_else(limits::too_large)
}

/// Invocations of a workgroup.
const fn units(config: &ModelConfig) -> usize {
    config.hidden.next_multiple_of(32)
}

/// The shader in WGSL. An invocation takes one hidden unit of each session of its workgroup.
///
/// | binding | holds |
/// |---|---|
/// | 0 | `given`: the head, then for each session the number of its steps and its rows, as [`crate::Batch`] lays them out |
/// | 1 | `gates`: what each input gives to the four gates of each unit, `[inputs, hidden]` of four; inputs are the pooled window, by column, then by filter, then the outputs of the step before; at the end the biases |
/// | 2 | `small`: convolution `[filters, kernel²]`, its bias `[filters]`, readout `[hidden]` |
/// | 3 | `out`: a number for each session, then, for a live one, output and cell `[2, hidden]` |
/// | 4 | `parts`: between the two launches of few sessions, the four gates' sums so far, `[sessions, steps, hidden]` of four |
pub(super) fn source(config: &ModelConfig, entry: Entry) -> String {
    let columns = config.pooled_columns();
    let tile = entry.tile();
    let chunk = limits::columns_at_a_time(columns, config.filters, config.hidden, tile);
    let squash = match config.activation {
        CellActivation::Relu => "max(x, 0.0)",
        // From the exponential: `tanh` itself overflows to no number on some drivers.
        CellActivation::Tanh => "1.0 - 2.0 / (1.0 + exp(2.0 * clamp(x, -15.0, 15.0)))",
    };
    let mut text = String::new();
    for (name, value) in [
        ("HEAD", HEAD),
        ("FEATURES", config.features),
        ("KERNEL", config.kernel),
        ("FILTERS", config.filters),
        ("HIDDEN", config.hidden),
        ("UNITS", units(config)),
        ("TILE", tile),
        ("CHUNK", chunk),
        ("PARTS", columns / chunk),
        ("INPUTS", chunk * config.filters),
        ("WINDOW", columns * config.filters),
    ] {
        let _ = writeln!(text, "const {name} = {value}u;");
    }
    let _ = writeln!(text, "fn squash(x: f32) -> f32 {{ return {squash}; }}");
    text.push_str(FUNCTIONS);
    match entry {
        Entry::Project => text.push_str(PROJECT),
        Entry::Recur => text.push_str(RECUR),
        Entry::Sessions => text.push_str(&sessions()),
    }
    text
}

/// The entry for many sessions. Two columns of four numbers hold one of each.
fn sessions() -> String {
    let each = |part: &dyn Fn(usize) -> String, between: &str| {
        let parts: Vec<String> = (0..TILE).map(part).collect();
        parts.join(between)
    };
    let of = |name: &str, s: usize| format!("{name}[{}][{}]", s / 4, s % 4);
    let start = each(&|s| format!("var sum{s} = bias;"), " ");
    let add = each(&|s| format!("sum{s} += w * {};", of("x", s)), " ");
    let write = each(
        &|s| format!("write(first + {s}u, {});", of("logit", s)),
        " ",
    );
    SESSIONS
        .replace("/* start */", &start)
        .replace("/* add */", &add)
        .replace("/* sums */", &each(&|s| format!("sum{s}"), ", "))
        .replace("/* values */", &each(&|s| format!("values[{s}]"), ", "))
        .replace("/* mine */", &each(&|s| format!("mine[{s}]"), ", "))
        .replace("/* write */", &write)
}

const FUNCTIONS: &str = "
@group(0) @binding(0) var<storage, read> given: array<f32>;
@group(0) @binding(1) var<storage, read> gates: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> small: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<storage, read_write> parts: array<vec4<f32>>;

// Flat in f32 beyond 30; before it nothing overflows, on which drivers differ.
fn logistic(x: f32) -> f32 { return 1.0 / (1.0 + exp(-clamp(x, -30.0, 30.0))); }

fn sessions_given() -> u32 { return u32(given[0]); }

// Where a session begins.
fn start_of(session: u32) -> u32 {
  return HEAD + session * (1u + u32(given[1]) * FEATURES);
}

fn steps_of(session: u32) -> f32 {
  if (session < sessions_given()) { return given[start_of(session)]; }
  return 0.0;
}

// One cell after convolution, pooling and ReLU: the patch of KERNEL + 1 rows and columns holds the
// four places of the kernel.
fn pooled(session: u32, corner: u32, filter_: u32) -> f32 {
  if (session >= sessions_given()) { return 0.0; }
  let start = start_of(session) + 1u + corner;
  var places = vec4<f32>();
  for (var i = 0u; i < KERNEL; i++) {
    for (var j = 0u; j < KERNEL; j++) {
      let at = start + i * FEATURES + j;
      let patch_ = vec4<f32>(given[at], given[at + 1u], given[at + FEATURES], given[at + FEATURES + 1u]);
      places += patch_ * small[(filter_ * KERNEL + i) * KERNEL + j];
    }
  }
  let highest = max(max(places.x, places.y), max(places.z, places.w));
  return max(highest + small[FILTERS * KERNEL * KERNEL + filter_], 0.0);
}

fn write(session: u32, logit: f32) {
  if (session < sessions_given()) { out[session] = logit; }
}
";

const PROJECT: &str = "
// Of two steps.
var<workgroup> windows: array<vec2<f32>, INPUTS>;

@compute @workgroup_size(UNITS)
fn project(@builtin(local_invocation_index) at: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let steps = u32(given[2]);
  let pairs = (steps + 1u) / 2u;
  let session = group.x / pairs;
  let first = 2u * (group.x % pairs);
  // Invocations beyond the last unit do what the last one does, and keep it to themselves.
  let unit = min(at, HIDDEN - 1u);
  let bias = gates[(WINDOW + HIDDEN) * HIDDEN + unit];
  var sum0 = bias;
  var sum1 = bias;
  for (var part = 0u; part < PARTS; part++) {
    for (var place = at; place < INPUTS; place += UNITS) {
      let column = part * CHUNK + place / FILTERS;
      var both = vec2<f32>();
      for (var s = 0u; s < 2u; s++) {
        if (first + s < steps) {
          let corner = 2u * (first + s) * FEATURES + 2u * column;
          both[s] = pooled(session, corner, place % FILTERS);
        }
      }
      windows[place] = both;
    }
    workgroupBarrier();
    let from_ = part * INPUTS * HIDDEN + unit;
    for (var k = 0u; k < INPUTS; k++) {
      let w = gates[from_ + k * HIDDEN];
      let x = windows[k];
      sum0 += w * x[0];
      sum1 += w * x[1];
    }
    workgroupBarrier();
  }
  let place = (session * steps + first) * HIDDEN + unit;
  if (at < HIDDEN) { parts[place] = sum0; }
  if (at < HIDDEN && first + 1u < steps) { parts[place + HIDDEN] = sum1; }
}
";

const RECUR: &str = "
var<workgroup> output: array<f32, HIDDEN>;

@compute @workgroup_size(UNITS)
fn recur(@builtin(local_invocation_index) at: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let session = group.x;
  let steps = u32(given[2]);
  let own = steps_of(session);
  let unit = min(at, HIDDEN - 1u);
  let counts = at < HIDDEN;
  let live = given[3] > 0.0;
  var cell = 0.0;
  var mine = 0.0;
  if (live) {
    mine = out[1u + unit];
    cell = out[1u + HIDDEN + unit];
  }
  if (counts) { output[unit] = mine; }
  workgroupBarrier();
  for (var step = 0u; step < steps; step++) {
    var sum = parts[(session * steps + step) * HIDDEN + unit];
    // Four at a time: what a software adapter pays for is the loop.
    var k = 0u;
    for (; k + 4u <= HIDDEN; k += 4u) {
      let w = (WINDOW + k) * HIDDEN + unit;
      sum += gates[w] * output[k] + gates[w + HIDDEN] * output[k + 1u]
        + gates[w + 2u * HIDDEN] * output[k + 2u] + gates[w + 3u * HIDDEN] * output[k + 3u];
    }
    for (; k < HIDDEN; k++) { sum += gates[(WINDOW + k) * HIDDEN + unit] * output[k]; }
    if (f32(step) < own) {
      cell = logistic(sum.y) * cell + logistic(sum.x) * squash(sum.z);
      mine = logistic(sum.w) * squash(cell);
    }
    // Everybody has read the outputs of the step before.
    workgroupBarrier();
    if (counts) { output[unit] = mine; }
    workgroupBarrier();
  }
  if (live && counts) {
    out[1u + unit] = mine;
    out[1u + HIDDEN + unit] = cell;
  }
  if (at == 0u) {
    var logit = 0.0;
    for (var k = 0u; k < HIDDEN; k++) {
      logit += output[k] * small[FILTERS * (KERNEL * KERNEL + 1u) + k];
    }
    write(session, logit);
  }
}
";

const SESSIONS: &str = "
alias Numbers = mat2x4<f32>;

var<workgroup> windows: array<Numbers, INPUTS>;
var<workgroup> output: array<Numbers, HIDDEN>;

@compute @workgroup_size(UNITS)
fn sessions(@builtin(local_invocation_index) at: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let first = group.x * TILE;
  let steps = u32(given[2]);
  // Invocations beyond the last unit do what the last one does, and keep it to themselves.
  let unit = min(at, HIDDEN - 1u);
  let counts = at < HIDDEN;
  var cell = array<f32, TILE>();
  var mine = array<f32, TILE>();
  if (counts) { output[unit] = Numbers(/* mine */); }
  let bias = gates[(WINDOW + HIDDEN) * HIDDEN + unit];
  for (var step = 0u; step < steps; step++) {
    /* start */
    for (var part = 0u; part < PARTS; part++) {
      for (var place = at; place < INPUTS; place += UNITS) {
        let column = part * CHUNK + place / FILTERS;
        let filter_ = place % FILTERS;
        let corner = 2u * step * FEATURES + 2u * column;
        var values = array<f32, TILE>();
        for (var s = 0u; s < TILE; s++) { values[s] = pooled(first + s, corner, filter_); }
        windows[place] = Numbers(/* values */);
      }
      workgroupBarrier();
      let from_ = part * INPUTS * HIDDEN + unit;
      for (var k = 0u; k < INPUTS; k++) {
        let w = gates[from_ + k * HIDDEN];
        let x = windows[k];
        /* add */
      }
      workgroupBarrier();
    }
    for (var k = 0u; k < HIDDEN; k++) {
      let w = gates[(WINDOW + k) * HIDDEN + unit];
      let x = output[k];
      /* add */
    }
    // Everybody has read the outputs of the step before.
    workgroupBarrier();
    // In a loop over a copy: written out, this is most of what a driver compiles.
    let sums = array<vec4<f32>, TILE>(/* sums */);
    for (var s = 0u; s < TILE; s++) {
      if (f32(step) < steps_of(first + s)) {
        let sum = sums[s];
        let kept = logistic(sum.y) * cell[s] + logistic(sum.x) * squash(sum.z);
        cell[s] = kept;
        mine[s] = logistic(sum.w) * squash(kept);
      }
    }
    if (counts) { output[unit] = Numbers(/* mine */); }
  }
  workgroupBarrier();
  if (at == 0u) {
    var logit = Numbers();
    for (var k = 0u; k < HIDDEN; k++) {
      logit += output[k] * small[FILTERS * (KERNEL * KERNEL + 1u) + k];
    }
    /* write */
  }
}
";
