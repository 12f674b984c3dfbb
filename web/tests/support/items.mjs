// Item tables written by the format's description (docs/recommendation.md), without the program that learns them.

/**
 * The file's bytes; items stand in the order of their identifiers, neighbours are [[number, strength], ...].
 * Without `weights` ([of the most popular item, of an earlier item seen]) it is a file of the first version.
 */
export function itemTable({ ids, popularity, prices, category, categories, near, weights }, changes = {}) {
  const offsets = [0];
  for (const each of near) offsets.push(offsets.at(-1) + each.length);
  const lines = (texts) => Buffer.from(texts.map((text) => `${text}\n`).join(""));
  const tensors = {
    ids: ["U8", lines(ids)],
    popularity: ["U8", Uint8Array.from(popularity)],
    prices: ["F32", Float32Array.from(prices)],
    category: ["U16", Uint16Array.from(category)],
    categories: ["U8", lines(categories)],
    offsets: ["U32", Uint32Array.from(offsets)],
    neighbours: ["U32", Uint32Array.from(near.flatMap((each) => each.map(([other]) => other)))],
    strengths: ["U8", Uint8Array.from(near.flatMap((each) => each.map(([, strength]) => Math.round(Math.sqrt(strength) * 255))))],
    ...(weights && { weights: ["F32", Float32Array.from(weights)] }),
    ...changes,
  };
  const order = ["U32", "F32", "U16", "U8"];
  const names = Object.keys(tensors).sort((a, b) => order.indexOf(tensors[a][0]) - order.indexOf(tensors[b][0]) || (a < b ? -1 : 1));
  const header = { __metadata__: { "propense-items": weights ? "2" : "1" } };
  const parts = [];
  let at = 0;
  for (const name of names) {
    const [dtype, numbers] = tensors[name];
    const bytes = Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    header[name] = { dtype, shape: [numbers.length], data_offsets: [at, (at += bytes.length)] };
    parts.push(bytes);
  }
  let text = JSON.stringify(header);
  text += " ".repeat((8 - (text.length % 8)) % 8);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, Buffer.from(text), ...parts]);
}

/** A shop of so many made-up items, each with sixteen neighbours. */
export function bigTable(count, random) {
  const width = String(count).length;
  const usual = Array.from({ length: 16 }, (_, place) => Math.round(Math.sqrt(0.6 / (place + 1)) * 255));
  const shop = {
    weights: [0.01, 0.5],
    ids: Array.from({ length: count }, (_, at) => `item-${String(at).padStart(width, "0")}`),
    popularity: Uint8Array.from({ length: count }, () => Math.floor(256 * Math.abs(random()))),
    prices: Float32Array.from({ length: count }, () => 1 + 20 * Math.abs(random())),
    category: Uint16Array.from({ length: count }, (_, at) => 1 + (at % 40)),
    categories: Array.from({ length: 40 }, (_, at) => `Department ${at}`),
    near: [],
  };
  // As they lie in the file: a million items would have as many lists.
  return itemTable(shop, {
    offsets: ["U32", Uint32Array.from({ length: count + 1 }, (_, at) => 16 * at)],
    neighbours: ["U32", Uint32Array.from({ length: 16 * count }, () => Math.floor(count * Math.abs(random())) % count)],
    strengths: ["U8", Uint8Array.from({ length: 16 * count }, (_, at) => usual[at % 16])],
  });
}
