//! The shader: whole sessions, or one step of a live one, from rows to the LSTM's part of a logit.

use std::fmt::Write as _;

use crate::limits::{self, TILE};
use crate::{CellActivation, ModelConfig, ModelError};

/// Numbers before the first session in what a pass is given: sessions, rows of each, steps of the
/// longest, whether the state comes from `out` and goes back there.
pub(super) const HEAD: usize = 4;

/// Sessions of one workgroup. A weight that was read serves all of them, and two columns of four
/// numbers hold one of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tile {
    One,
    Eight,
}

impl Tile {
    pub(super) const fn sessions(self) -> usize {
        match self {
            Self::One => 1,
            Self::Eight => TILE,
        }
    }

    /// A number for each session of the tile.
    const fn numbers(self) -> &'static str {
        match self {
            Self::One => "f32",
            Self::Eight => "mat2x4<f32>",
        }
    }

    /// The number of one session.
    fn of(self, name: &str, session: usize) -> String {
        match self {
            Self::One => name.into(),
            Self::Eight => format!("{name}[{}][{}]", session / 4, session % 4),
        }
    }

    /// What `part` gives for each session.
    fn each(self, part: impl Fn(usize) -> String, between: &str) -> String {
        let parts: Vec<String> = (0..self.sessions()).map(part).collect();
        parts.join(between)
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

/// The shader in WGSL. Its entry is `sessions`; a workgroup takes a tile of sessions, an invocation
/// one hidden unit of each.
///
/// | binding | holds |
/// |---|---|
/// | 0 | `given`: the head, then for each session the number of its steps and its rows, as [`crate::Batch`] lays them out |
/// | 1 | `gates`: what each input gives to the four gates of each unit, `[inputs, hidden]` of four; inputs are the pooled window, by column, then by filter, then the outputs of the step before; at the end the biases |
/// | 2 | `small`: convolution `[filters, kernel²]`, its bias `[filters]`, readout `[hidden]` |
/// | 3 | `out`: a number for each session, then, for a live one, output and cell `[2, hidden]` |
pub(super) fn source(config: &ModelConfig, tile: Tile) -> String {
    let columns = config.pooled_columns();
    let sessions = tile.sessions();
    let chunk = limits::columns_at_a_time(columns, config.filters, config.hidden, sessions);
    let squash = match config.activation {
        CellActivation::Relu => "max(x, 0.0)",
        // From the exponential: `tanh` itself overflows to no number on some drivers.
        CellActivation::Tanh => "1.0 - 2.0 / (1.0 + exp(2.0 * clamp(x, -15.0, 15.0)))",
    };
    // A live session comes alone.
    let alone = tile == Tile::One;
    let mut text = String::new();
    for (name, value) in [
        ("HEAD", HEAD),
        ("FEATURES", config.features),
        ("KERNEL", config.kernel),
        ("FILTERS", config.filters),
        ("HIDDEN", config.hidden),
        ("UNITS", units(config)),
        ("TILE", tile.sessions()),
        ("CHUNK", chunk),
        ("PARTS", columns / chunk),
        ("INPUTS", chunk * config.filters),
        ("WINDOW", columns * config.filters),
    ] {
        let _ = writeln!(text, "const {name} = {value}u;");
    }
    let _ = writeln!(text, "alias Numbers = {};", tile.numbers());
    let _ = writeln!(text, "fn squash(x: f32) -> f32 {{ return {squash}; }}");
    text.push_str(FUNCTIONS);
    text.push_str(
        &BODY
            .replace(
                "/* start */",
                &tile.each(|s| format!("var sum{s} = bias;"), " "),
            )
            .replace(
                "/* add */",
                &tile.each(|s| format!("sum{s} += w * {};", tile.of("x", s)), " "),
            )
            .replace("/* sums */", &tile.each(|s| format!("sum{s}"), ", "))
            .replace("/* values */", &tile.each(|s| format!("values[{s}]"), ", "))
            .replace("/* mine */", &tile.each(|s| format!("mine[{s}]"), ", "))
            .replace(
                "/* write */",
                &tile.each(
                    |s| format!("write(first + {s}u, {});", tile.of("logit", s)),
                    " ",
                ),
            )
            .replace("/* resume */", if alone { RESUME } else { "" })
            .replace("/* keep */", if alone { KEEP } else { "" }),
    );
    text
}

const FUNCTIONS: &str = "
@group(0) @binding(0) var<storage, read> given: array<f32>;
@group(0) @binding(1) var<storage, read> gates: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> small: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

var<workgroup> windows: array<Numbers, INPUTS>;
var<workgroup> output: array<Numbers, HIDDEN>;

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

const RESUME: &str = "
  let live = given[3] > 0.0;
  if (live) {
    mine[0] = out[1u + unit];
    cell[0] = out[1u + HIDDEN + unit];
  }";

const KEEP: &str = "
  if (live && counts) {
    out[1u + unit] = mine[0];
    out[1u + HIDDEN + unit] = cell[0];
  }";

const BODY: &str = "
@compute @workgroup_size(UNITS)
fn sessions(@builtin(local_invocation_index) at: u32, @builtin(workgroup_id) group: vec3<u32>) {
  let first = group.x * TILE;
  let steps = u32(given[2]);
  // Invocations beyond the last unit do what the last one does, and keep it to themselves.
  let unit = min(at, HIDDEN - 1u);
  let counts = at < HIDDEN;
  var cell = array<f32, TILE>();
  var mine = array<f32, TILE>();
  /* resume */
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
  /* keep */
  if (at == 0u) {
    var logit = Numbers();
    for (var k = 0u; k < HIDDEN; k++) {
      logit += output[k] * small[FILTERS * (KERNEL * KERNEL + 1u) + k];
    }
    /* write */
  }
}
";
