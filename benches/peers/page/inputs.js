// The sessions and networks that `prepare.py` has written.
const FEATURES = 16;
const EVENTS = 32;
const HEIGHT = EVENTS + 2;

export const address = (file) => new URL(`/inputs/${file}`, location.href).href;

export async function bytes(file) {
  const response = await fetch(address(file));
  if (!response.ok) throw new Error(`${file}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

const numbers = async (file) => new Float32Array((await bytes(file)).buffer);

/** All of them. */
export async function read() {
  const [rows, padded] = await Promise.all([numbers("sessions.bin"), numbers("padded.bin")]);
  return {
    address,
    bytes,
    features: FEATURES,
    events: EVENTS,
    height: HEIGHT,
    sessions: rows.length / (EVENTS * FEATURES),
    rows,
    padded,
    first: rows.slice(0, EVENTS * FEATURES),
    firstPadded: padded.slice(0, HEIGHT * FEATURES),
  };
}
