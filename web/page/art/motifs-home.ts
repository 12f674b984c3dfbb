// Drawings of things for the home, in a 100 × 100 box that stands on y = 88.

import type { Palette } from "./palette.js";

/** Draws a thing: `p` its colours, `s` the fill of its main surface (a colour or a pattern). */
export type Motif = (p: Palette, s: string) => string;

const flame = (x: number, y: number): string =>
  `<path d="M${x} ${y - 11}c5 6 6 8 6 11a6 6 0 0 1-12 0c0-3 1-5 6-11z" fill="#f4b53f"/><path d="M${x} ${y - 4}c2.5 3 3 4 3 5.5a3 3 0 0 1-6 0c0-1.5.5-2.5 3-5.5z" fill="#fff3c9"/>`;

const heart = (x: number, y: number, r: number, fill: string): string =>
  `<path transform="translate(${x} ${y}) scale(${r})" d="M0 9-8.2.6A5 5 0 0 1 0-5 5 5 0 0 1 8.2.6z" fill="${fill}"/>`;

export const homeMotifs = {
  tLight: (p, s) =>
    `<path d="M50 8v14M37 40c0-24 26-24 26 0" fill="none" stroke="${p.line}" stroke-width="1.6" opacity=".55"/>` +
    `<path d="M28 40h44l-5 42a7 7 0 0 1-7 6H40a7 7 0 0 1-7-6z" fill="${s}" opacity=".92"/>` +
    `<path d="M36 62h28l-2 19a4 4 0 0 1-4 4H42a4 4 0 0 1-4-4z" fill="#fff6dc" opacity=".8"/>` +
    flame(50, 60) +
    `<path d="M34 45h5l3 37h-4a3 3 0 0 1-3-3z" fill="#fff" opacity=".4"/><rect x="25" y="36" width="50" height="6" rx="3" fill="${p.b}"/>`,
  lantern: (p, s) =>
    `<path d="M40 18a10 10 0 0 1 20 0" fill="none" stroke="${p.line}" stroke-width="2"/><path d="M36 34 44 18h12l8 16z" fill="${p.b}"/>` +
    `<rect x="30" y="34" width="40" height="48" rx="2" fill="#fff1cf"/><rect x="43" y="56" width="14" height="26" fill="#fffaf0"/>` +
    flame(50, 54) +
    `<path d="M30 34h5v48h-5zM65 34h5v48h-5zM48.5 34h3v10h-3z" fill="${s}"/><rect x="26" y="31" width="48" height="6" rx="2" fill="${s}"/><rect x="26" y="80" width="48" height="8" rx="2" fill="${p.b}"/>`,
  candle: (p, s) =>
    flame(50, 26) +
    `<path d="M50 32v7" stroke="${p.ink}" stroke-width="1.5"/><rect x="38" y="37" width="24" height="45" rx="3" fill="${s}"/><path d="M38 44c4 5 7-1 10 4s4 8 7 2 4-5 7-3v-7a3 3 0 0 0-3-3H41a3 3 0 0 0-3 3z" fill="${p.c}"/>` +
    `<ellipse cx="50" cy="83" rx="27" ry="5" fill="${p.b}"/><path d="M23 82h54l-4 4a6 6 0 0 1-4 2H31a6 6 0 0 1-4-2z" fill="${p.b}"/>`,
  nightLight: (p, s) =>
    `<circle cx="50" cy="46" r="38" fill="#f9e2a0" opacity=".35"/><path d="M16 54a34 30 0 0 1 68 0c0 4-4 6-8 6H24c-4 0-8-2-8-6z" fill="${s}"/>` +
    `<path d="M38 60h24l4 22a6 6 0 0 1-6 6H40a6 6 0 0 1-6-6z" fill="#fff3df"/><circle cx="44" cy="72" r="2" fill="${p.ink}"/><circle cx="56" cy="72" r="2" fill="${p.ink}"/><path d="M46 78c2.5 2.5 5.5 2.5 8 0" fill="none" stroke="${p.ink}" stroke-width="1.8" stroke-linecap="round"/>`,
  rabbit: (p, s) =>
    `<circle cx="50" cy="54" r="36" fill="#f9e2a0" opacity=".3"/><ellipse cx="40" cy="24" rx="7" ry="20" fill="${s}" transform="rotate(-8 40 24)"/><ellipse cx="60" cy="24" rx="7" ry="20" fill="${s}" transform="rotate(8 60 24)"/><ellipse cx="40" cy="26" rx="3" ry="13" fill="${p.c}" transform="rotate(-8 40 26)"/><ellipse cx="60" cy="26" rx="3" ry="13" fill="${p.c}" transform="rotate(8 60 26)"/>` +
    `<path d="M50 36c18 0 28 14 28 30s-10 22-28 22-28-6-28-22 10-30 28-30z" fill="${s}"/><circle cx="41" cy="57" r="2.6" fill="${p.ink}"/><circle cx="59" cy="57" r="2.6" fill="${p.ink}"/><path d="m50 66-3-3h6z" fill="${p.b}"/><path d="M50 66c0 4-5 5-7 2M50 66c0 4 5 5 7 2" fill="none" stroke="${p.ink}" stroke-width="1.6" stroke-linecap="round"/><circle cx="36" cy="66" r="4" fill="#f0a39c" opacity=".5"/><circle cx="64" cy="66" r="4" fill="#f0a39c" opacity=".5"/>`,
  fairyLights: (p, s) => {
    const bulbs = [[14, 40], [30, 52], [48, 57], [66, 53], [84, 40], [24, 72], [44, 82], [64, 80]];
    const wire = `<path d="M4 28c18 32 74 32 92 0M12 60c14 24 50 28 72 8" fill="none" stroke="${p.line}" stroke-width="1.5" opacity=".7"/>`;
    return (
      wire +
      bulbs
        .map(([x = 0, y = 0], i) => `<circle cx="${x}" cy="${y}" r="11" fill="#f9e2a0" opacity=".35"/><path d="M${x} ${y - 7}c6 5 6 13 0 15-6-2-6-10 0-15z" fill="${i % 3 === 0 ? s : i % 3 === 1 ? p.c : "#f4c65b"}"/>`)
        .join("")
    );
  },
  frame: (p, s) =>
    `<rect x="20" y="14" width="60" height="70" rx="3" fill="${s}"/><rect x="29" y="23" width="42" height="52" fill="#fdf8ee"/><path d="m29 68 13-17 9 11 8-8 12 15v6H29z" fill="${p.c}"/><circle cx="59" cy="37" r="6" fill="${p.d === "#fff4e6" ? "#f4c65b" : p.d}"/><path d="M20 17a3 3 0 0 1 3-3h54l-6 9H29z" fill="#fff" opacity=".22"/><path d="m42 84-5 5M58 84l5 5" stroke="${p.b}" stroke-width="3"/>`,
  mirror: (p, s) =>
    `<path d="M50 6v10" stroke="${p.line}" stroke-width="1.5"/><ellipse cx="50" cy="50" rx="31" ry="36" fill="${s}"/><ellipse cx="50" cy="50" rx="23" ry="28" fill="#dceaf0"/><path d="M38 66 58 30M48 72 66 40" stroke="#fff" stroke-width="4" opacity=".8" stroke-linecap="round"/><circle cx="50" cy="13" r="4" fill="${p.b}"/>`,
  clock: (p, s) =>
    `<circle cx="34" cy="20" r="9" fill="${p.b}"/><circle cx="66" cy="20" r="9" fill="${p.b}"/><path d="m30 82-6 7M70 82l6 7" stroke="${p.b}" stroke-width="5" stroke-linecap="round"/><circle cx="50" cy="54" r="34" fill="${s}"/><circle cx="50" cy="54" r="26" fill="#fffaf0"/>` +
    `<path d="M50 32v4M50 72v4M28 54h4M68 54h4" stroke="${p.ink}" stroke-width="2"/><path d="M50 54V39M50 54l11 6" stroke="${p.ink}" stroke-width="3" stroke-linecap="round"/><circle cx="50" cy="54" r="3" fill="${p.b}"/>`,
  sign: (p, s) =>
    `<path d="M28 34 50 12l22 22" fill="none" stroke="${p.line}" stroke-width="1.6" opacity=".6"/><circle cx="50" cy="12" r="2.5" fill="${p.line}"/><rect x="14" y="33" width="72" height="44" rx="4" fill="${s}"/><rect x="18" y="37" width="64" height="36" rx="2.5" fill="none" stroke="${p.d}" stroke-width="1.5"/>` +
    `<path d="M30 48h40M26 56h48M36 64h28" stroke="${p.d}" stroke-width="3.5" stroke-linecap="round"/>`,
  chalkboard: (p, s) =>
    `<path d="M32 26 50 9l18 17" fill="none" stroke="${p.line}" stroke-width="1.6" opacity=".6"/><path d="M50 86 17 51a19 19 0 0 1 33-23 19 19 0 0 1 33 23z" fill="${s}"/><path d="M50 79 22.5 50a14 14 0 0 1 27.5-15 14 14 0 0 1 27.5 15z" fill="#463f4d"/><path d="M38 46h18M34 54h30M42 62h12" stroke="#f4eee2" stroke-width="2.4" stroke-linecap="round" opacity=".9"/>`,
  heart: (p, s) =>
    `<path d="M50 6c-8 8 8 10 0 22" fill="none" stroke="${p.line}" stroke-width="1.6" opacity=".6"/>` +
    heart(50, 52, 3.9, s) +
    `<path d="M27 50c0-8 5-12 11-12" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round" opacity=".45"/><path d="m50 30-10-7c-3 6 3 10 10 7zm0 0 10-7c3 6-3 10-10 7z" fill="${p.d === "#fff4e6" ? "#fff4e6" : p.d}"/>`,
  doormat: (p, s) =>
    `<path d="M18 40h64l10 40H8z" fill="${p.b}"/><path d="M21 44h58l7.5 32h-73z" fill="${s}"/><path d="M8 80v5M18 80v6M28 80v5M38 80v6M48 80v5M58 80v6M68 80v5M78 80v6M90 80v5" stroke="${p.b}" stroke-width="2"/>` +
    heart(50, 60, 1.1, p.d),
  cushion: (p, s) =>
    `<path d="M18 26c10 4 54 4 64 0 4 10 4 44 0 56-10-4-54-4-64 0-4-12-4-46 0-56z" fill="${s}"/><path d="M18 26c10 4 54 4 64 0" fill="none" stroke="#fff" stroke-width="3" opacity=".35"/><path d="M18 82c10-4 54-4 64 0" fill="none" stroke="${p.b}" stroke-width="3"/><circle cx="50" cy="54" r="4" fill="${p.d}"/><path d="m50 54-12-9M50 54l12-9M50 54l-12 9M50 54l12 9" stroke="${p.b}" stroke-width="1.5" opacity=".6"/>`,
  hook: (p, s) =>
    `<rect x="10" y="26" width="80" height="20" rx="5" fill="${s}"/>` +
    [26, 50, 74]
      .map((x) => `<circle cx="${x}" cy="36" r="5" fill="${p.d}"/><path d="M${x} 46v14a8 8 0 0 0 14 5" fill="none" stroke="${p.b}" stroke-width="4.5" stroke-linecap="round"/>`)
      .join("") +
    `<path d="M10 31a5 5 0 0 1 5-5h70a5 5 0 0 1 5 5z" fill="#fff" opacity=".22"/>`,
  hanger: (p, s) =>
    `<path d="M50 40V29c6-2 8-6 6-10s-10-4-11 2" fill="none" stroke="${p.line}" stroke-width="2.6" stroke-linecap="round"/><path d="M50 38c10 0 40 22 42 28 1 6-4 8-9 6-14-5-52-5-66 0-5 2-10 0-9-6 2-6 32-28 42-28z" fill="${s}"/><path d="m50 44-9-6c-2 6 3 9 9 6zm0 0 9-6c2 6-3 9-9 6z" fill="${p.d}"/>` +
    heart(50, 60, 1, p.d),
  knob: (p, s) =>
    `<ellipse cx="50" cy="80" rx="18" ry="6" fill="${p.b}"/><path d="M42 58h16l4 22H38z" fill="${p.c}"/><circle cx="50" cy="42" r="28" fill="${s}"/><circle cx="40" cy="32" r="8" fill="#fff" opacity=".45"/><path d="M50 27v30M35 42h30M40 32l20 20M60 32 40 52" stroke="${p.d}" stroke-width="2" opacity=".65"/>`,
  drawers: (p, s) =>
    `<path d="m26 88-3 4M74 88l3 4" stroke="${p.b}" stroke-width="4"/><rect x="18" y="16" width="64" height="72" rx="4" fill="${s}"/><path d="M22 22h56v18H22zM22 44h56v18H22zM22 66h56v18H22z" fill="${p.c}" opacity=".82"/><circle cx="50" cy="31" r="3.5" fill="${p.b}"/><circle cx="50" cy="53" r="3.5" fill="${p.b}"/><circle cx="50" cy="75" r="3.5" fill="${p.b}"/><rect x="14" y="13" width="72" height="6" rx="3" fill="${p.b}"/>`,
  basket: (p, s) =>
    `<path d="M24 46a26 30 0 0 1 52 0" fill="none" stroke="${p.b}" stroke-width="5"/><path d="M14 46h72l-8 38a5 5 0 0 1-5 4H27a5 5 0 0 1-5-4z" fill="${s}"/><path d="M18 56h64M20 66h60M22 76h56M32 46l4 42M50 46v42M68 46l-4 42" stroke="${p.b}" stroke-width="2" opacity=".55"/><rect x="11" y="42" width="78" height="8" rx="4" fill="${p.b}"/>`,
  hotWaterBottle: (p, s) =>
    `<rect x="42" y="8" width="16" height="12" rx="3" fill="${p.b}"/><path d="M40 20h20v6c12 2 16 8 16 18v34c0 7-4 10-10 10H34c-6 0-10-3-10-10V44c0-10 4-16 16-18z" fill="${s}"/><path d="M34 42v34M42 42v34M50 42v34M58 42v34M66 42v34" stroke="${p.d}" stroke-width="1.6" opacity=".5"/><rect x="38" y="18" width="24" height="5" rx="2.5" fill="${p.b}"/>`,
  umbrella: (p, s) =>
    `<path d="M50 48v32a6 6 0 0 0 12 0" fill="none" stroke="${p.line}" stroke-width="3" stroke-linecap="round"/><path d="M10 50a40 36 0 0 1 80 0c-5-5-11-5-16 0-5-5-11-5-16 0-5-4-11-4-16 0-5-5-11-5-16 0-5-5-11-5-16 0z" fill="${s}"/><path d="M50 14v-5M50 14c-10 8-16 20-16 34M50 14c10 8 16 20 16 34" fill="none" stroke="${p.b}" stroke-width="1.5" opacity=".65"/>`,
  wateringCan: (p, s) =>
    `<path d="M62 48 88 28l4 5-28 38z" fill="${p.b}"/><path d="m84 22 12 14" stroke="${p.b}" stroke-width="5" stroke-linecap="round"/><path d="M26 46c-20 2-20 32 2 32" fill="none" stroke="${p.b}" stroke-width="5"/><path d="M26 42h42v42a4 4 0 0 1-4 4H30a4 4 0 0 1-4-4z" fill="${s}"/><path d="M30 42c0-22 34-22 34 0" fill="none" stroke="${p.b}" stroke-width="4"/><path d="M26 50h42M26 80h42" stroke="${p.d}" stroke-width="2" opacity=".7"/>`,
  plantPot: (p, s) =>
    `<path d="M50 56c0-16-6-26-20-30 0 16 6 24 20 30zm0-4c0-20 8-32 24-36 0 20-8 30-24 36z" fill="#7ba98c"/><path d="M50 60V34" stroke="#578569" stroke-width="2.5"/><circle cx="50" cy="26" r="7" fill="#f4c65b"/><g fill="#e88fa4"><circle cx="50" cy="15" r="6"/><circle cx="60" cy="23" r="6"/><circle cx="56" cy="34" r="6"/><circle cx="44" cy="34" r="6"/><circle cx="40" cy="23" r="6"/></g><circle cx="50" cy="26" r="6" fill="#f4c65b"/><path d="M30 62h40l-5 24a3 3 0 0 1-3 2H38a3 3 0 0 1-3-2z" fill="${s}"/><rect x="26" y="56" width="48" height="9" rx="3" fill="${p.b}"/>`,
  flower: (p, s) =>
    `<path d="M50 88V50" stroke="#578569" stroke-width="3.5"/><path d="M50 78c-14 2-22-4-24-14 14-1 22 4 24 14zm0-6c12 0 19-5 22-14-13-1-20 4-22 14z" fill="#7ba98c"/>` +
    [0, 60, 120, 180, 240, 300].map((turn) => `<ellipse cx="50" cy="19" rx="9.5" ry="13" fill="${s}" transform="rotate(${turn} 50 35)"/>`).join("") +
    `<circle cx="50" cy="35" r="9" fill="#f4c65b"/><circle cx="50" cy="35" r="4" fill="${p.b}" opacity=".6"/>`,
  bird: (p, s) =>
    `<path d="M8 72c20-6 62-6 84 0" fill="none" stroke="#97704a" stroke-width="4" stroke-linecap="round"/><path d="M74 40c8-1 14 2 18 8-9 1-14 0-18-2z" fill="#f4b53f" transform="translate(-4 -2)"/><path d="M80 42c0 18-14 30-34 30C28 72 16 64 6 46c12 4 20 2 26-4 6-12 14-20 28-20 12 0 20 8 20 20z" fill="${s}"/><path d="M28 50c10 16 28 16 36 0-12 2-24 0-36 0z" fill="${p.b}"/><circle cx="65" cy="36" r="3" fill="${p.ink}"/><circle cx="66" cy="35" r="1" fill="#fff"/><path d="M44 72v6M54 72v6" stroke="${p.line}" stroke-width="2"/>`,
  house: (p, s) =>
    `<rect x="62" y="18" width="10" height="22" fill="${p.b}"/><path d="M22 46h56v42H22z" fill="${s}"/><path d="M50 14 90 50H10z" fill="${p.b}"/><path d="M44 88V68a6 6 0 0 1 12 0v20z" fill="${p.d}"/><path d="M28 56h10v10H28zM62 56h10v10H62z" fill="#fff6dc"/>` +
    heart(50, 38, 0.8, p.d),
} satisfies Record<string, Motif>;
