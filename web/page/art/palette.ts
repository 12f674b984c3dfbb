// Colours and surface patterns of an illustration, read off the product's own name: a "Jumbo Bag Red
// Retrospot" is drawn red with white dots. Where the name gives no colour, the item id picks one, so
// that the same product always looks the same.

/** The colours that a motif paints with, as CSS hex strings. */
export interface Palette {
  /** The main surface. */
  a: string;
  /** The same colour in shade. */
  b: string;
  /** The same colour in light. */
  c: string;
  /** A second colour for handles, ribbons and print. */
  d: string;
  /** Fine details upon a surface. */
  ink: string;
  /** Strings, wires and handles before the ground, which is dark in a dark scheme. */
  line: string;
}

const INK = "#3a2f3c";

function palette(a: string, b: string, c: string, d: string): Palette {
  return { a, b, c, d, ink: INK, line: "currentColor" };
}

const NAMED: ReadonlyArray<readonly [RegExp, Palette]> = [
  [/\bRED\b|CRANBERRY|RUBY/, palette("#cf4047", "#a72c37", "#f0a39c", "#fff4e6")],
  [/\bPINK\b|SWEETHEART|FAIRY/, palette("#e88fa4", "#cc6a85", "#f9d3da", "#fff6f0")],
  [/\bBLUE\b|SPACEBOY|\bSKY\b/, palette("#6c9dc4", "#4b7ba5", "#c5dcec", "#fff6ea")],
  [/\bGREEN\b|\bOLIVE\b|HERB|GARDEN|WOODLAND|LEAF/, palette("#7ba98c", "#578569", "#cfe2d1", "#fbf1dc")],
  [/\bYELLOW\b|\bGOLD\b|\bSUN|\bBRASS\b|CUSTARD/, palette("#e5b744", "#c3922a", "#f8e3a8", "#fffaf0")],
  [/\bORANGE\b|PUMPKIN|PEACH|APRICOT/, palette("#e08a54", "#bd6836", "#f6ccab", "#fff5e8")],
  [/\bPURPLE\b|LILAC|LAVENDER|\bVIOLET|AMETHYST/, palette("#9a84bd", "#77609c", "#dcd1ea", "#fff6ec")],
  [/TURQUOISE|\bAQUA\b|\bTEAL\b|\bMINT\b/, palette("#5fb0ad", "#3d8a89", "#bfe1dd", "#fff7ea")],
  [/\bBLACK\b|SKULL|GOTHIC|CHALKBOARD|BLACKBOARD|\bSLATE\b/, palette("#57505f", "#3d3746", "#a39cab", "#f4e9dc")],
  [/SILVER|\bZINC\b|\bMETAL\b|\bTIN\b|\bGLASS\b|\bGREY\b|ANTIQUE/, palette("#a9b7bf", "#8596a1", "#dde6e9", "#cf4047")],
  [/WOOD|WICKER|\bBROWN\b|CHOCOLATE|BAMBOO|NATURAL|RATTAN/, palette("#bd9266", "#97704a", "#e6cba8", "#6f8f7b")],
  [/\bWHITE\b|\bCREAM\b|\bIVORY\b|PEARL|DOILEY|DOILY/, palette("#efe4d0", "#d3c3a8", "#fffaf0", "#c98a8f")],
  [/STRAWBERRY|\bROSE|CHERRY|RHUBARB|APPLE/, palette("#d9606d", "#b24152", "#f6bfc0", "#7ba98c")],
];

const BY_ID: readonly Palette[] = [
  palette("#d9606d", "#b24152", "#f6bfc0", "#fff2e2"),
  palette("#7ba98c", "#578569", "#cfe2d1", "#e5b744"),
  palette("#6c9dc4", "#4b7ba5", "#c5dcec", "#f0a39c"),
  palette("#e5b744", "#c3922a", "#f8e3a8", "#cf4047"),
  palette("#9a84bd", "#77609c", "#dcd1ea", "#f8e3a8"),
  palette("#5fb0ad", "#3d8a89", "#bfe1dd", "#f3c6b0"),
  palette("#e08a54", "#bd6836", "#f6ccab", "#5f7d95"),
  palette("#c98a8f", "#a5666c", "#efd2d0", "#7ba98c"),
];

/** A number from 0 up to (not including) `n` that depends on the text alone (FNV-1a). */
export function hash(text: string, n: number): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return value % n;
}

/** The palette of a product, from its name in capitals and its id. */
export function paletteOf(name: string, id: string): Palette {
  let best: Palette | undefined;
  let at = Infinity;
  // The first colour word wins: "CREAM HEART CARD HOLDER RED RIBBON" is cream.
  for (const [words, colours] of NAMED) {
    const position = name.search(words);
    if (position >= 0 && position < at) {
      at = position;
      best = colours;
    }
  }
  return best ?? BY_ID[hash(id, BY_ID.length)] ?? palette("#d9606d", "#b24152", "#f6bfc0", "#fff2e2");
}

const PATTERNS: ReadonlyArray<readonly [RegExp, (p: Palette) => string]> = [
  [
    /RETROSPOT|POLKADOT|POLKA|SPOTTY|\bSPOT\b|DOTTY|\bSPOTS\b|PAISLEY/,
    (p) => `width="14" height="14"><rect width="14" height="14" fill="${p.a}"/><circle cx="3.5" cy="3.5" r="2.3" fill="${p.d}"/><circle cx="10.5" cy="10.5" r="2.3" fill="${p.d}"/>`,
  ],
  [
    /STRIPE|CIRCUS|PARADE|DECKCHAIR/,
    (p) => `width="10" height="10"><rect width="10" height="10" fill="${p.a}"/><rect width="4" height="10" fill="${p.c}"/>`,
  ],
  [
    /GINGHAM|CHECK|TARTAN|PICNIC|PANTRY/,
    (p) => `width="12" height="12"><rect width="12" height="12" fill="${p.c}"/><rect width="6" height="12" fill="${p.a}" opacity=".55"/><rect width="12" height="6" fill="${p.a}" opacity=".55"/>`,
  ],
  [
    /HEART|SWEETHEART|LOVE/,
    (p) => `width="15" height="15"><rect width="15" height="15" fill="${p.a}"/><path d="M7.5 11 3.9 7.3a2.2 2.2 0 0 1 3.6-2.4 2.2 2.2 0 0 1 3.6 2.4z" fill="${p.d}"/>`,
  ],
  [
    /STAR|SPACEBOY|CHRISTMAS|XMAS/,
    (p) => `width="16" height="16"><rect width="16" height="16" fill="${p.a}"/><path d="m8 3.6 1.3 3 3.2.2-2.5 2 .8 3.2L8 10.3l-2.8 1.7.8-3.2-2.5-2 3.2-.2z" fill="${p.d}"/>`,
  ],
  [
    /ROSE|FLOWER|FLORAL|DAISY|PETAL|SUKI|REGENCY|CHINTZ|GARDEN|BUTTERFLY|DOLLY/,
    (p) => `width="18" height="18"><rect width="18" height="18" fill="${p.a}"/><g fill="${p.d}"><circle cx="6" cy="3.7" r="2"/><circle cx="8.3" cy="6" r="2"/><circle cx="6" cy="8.3" r="2"/><circle cx="3.7" cy="6" r="2"/><circle cx="15" cy="14" r="1.3"/></g><circle cx="6" cy="6" r="1.4" fill="${p.b}"/>`,
  ],
  [
    /STRAWBERRY|APPLE|PEAR|CHERRY|FRUIT|WOODLAND|LEAF|OWL|SCANDINAVIAN/,
    (p) => `width="16" height="16"><rect width="16" height="16" fill="${p.a}"/><path d="M4 8c0-3 2-5 5-5 0 3-2 5-5 5z" fill="${p.d}"/><path d="M9 14c0-2.5 1.6-4 4-4 0 2.4-1.5 4-4 4z" fill="${p.c}"/>`,
  ],
  [
    /ALPHABET|LONDON|VINTAGE|NEWSPRINT|DOILEY|DOILY|BAROQUE|UNION/,
    (p) => `width="12" height="12"><rect width="12" height="12" fill="${p.a}"/><path d="M0 6h12M6 0v12" stroke="${p.d}" stroke-width="1" opacity=".7"/><circle cx="6" cy="6" r="2" fill="${p.d}"/>`,
  ],
];

/** The inside of an SVG `<pattern>` (from its size attributes on), where the name speaks of one. */
export function patternOf(name: string, colours: Palette): string | undefined {
  for (const [words, draw] of PATTERNS) {
    if (words.test(name)) {
      return draw(colours);
    }
  }
  return undefined;
}
