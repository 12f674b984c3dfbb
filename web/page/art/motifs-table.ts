// Drawings of things for the table, the kitchen and the bag, in a 100 × 100 box that stands on y = 88.

import type { Motif } from "./motifs-home.js";

const cakeCase = (x: number, y: number, k: number, paper: string, shade: string, icing: string, cherry: string): string =>
  `<g transform="translate(${x} ${y}) scale(${k})"><path d="M-26-8h52L18 30a4 4 0 0 1-4 3h-28a4 4 0 0 1-4-3z" fill="${paper}"/><path d="M-14-8-9 33M0-8v41M14-8 9 33" stroke="${shade}" stroke-width="2" opacity=".6"/><path d="M-30-6c-4-10 4-16 10-16 2-10 12-14 20-14s18 4 20 14c6 0 14 6 10 16-3 4-57 4-60 0z" fill="${icing}"/><circle cx="0" cy="-38" r="6" fill="${cherry}"/></g>`;

export const tableMotifs = {
  teacup: (p, s) =>
    `<path d="M42 26c-5-6 5-8 0-15M54 26c-5-6 5-8 0-15" fill="none" stroke="${p.b}" stroke-width="2.4" stroke-linecap="round" opacity=".45"/><path d="M72 42c18-6 20 24-4 22" fill="none" stroke="${p.b}" stroke-width="5"/><path d="M20 36h58c0 24-10 38-29 38S20 60 20 36z" fill="${s}"/><ellipse cx="49" cy="36" rx="29" ry="5" fill="${p.c}"/><ellipse cx="49" cy="37" rx="24" ry="3" fill="#9a5f3c"/><ellipse cx="49" cy="80" rx="41" ry="7" fill="${p.b}"/><ellipse cx="49" cy="78" rx="41" ry="6" fill="${p.c}"/><ellipse cx="49" cy="77" rx="20" ry="2.5" fill="${p.b}" opacity=".6"/>`,
  mug: (p, s) =>
    `<path d="M66 38c24-6 26 34 0 30" fill="none" stroke="${p.b}" stroke-width="7"/><path d="M20 24h50v56a8 8 0 0 1-8 8H28a8 8 0 0 1-8-8z" fill="${s}"/><ellipse cx="45" cy="24" rx="25" ry="5" fill="${p.c}"/><ellipse cx="45" cy="25" rx="20" ry="3" fill="#9a5f3c"/><path d="M25 32h6v46h-3a3 3 0 0 1-3-3z" fill="#fff" opacity=".35"/>`,
  teapot: (p, s) =>
    `<path d="M70 48c14 0 12-16 24-16-2 8-6 30-22 34z" fill="${p.b}"/><path d="M26 44C6 40 4 76 30 72" fill="none" stroke="${p.b}" stroke-width="6"/><path d="M22 56c0-18 12-26 28-26s28 8 28 26c0 20-10 32-28 32S22 76 22 56z" fill="${s}"/><path d="M34 32c2-10 30-10 32 0z" fill="${p.b}"/><circle cx="50" cy="20" r="5" fill="${p.d}"/><path d="M29 52c1-9 5-13 10-15" fill="none" stroke="#fff" stroke-width="4" opacity=".45" stroke-linecap="round"/>`,
  jar: (p, s) =>
    `<path d="M30 30h40c6 4 8 8 8 14v36a8 8 0 0 1-8 8H30a8 8 0 0 1-8-8V44c0-6 2-10 8-14z" fill="#e4edec"/><path d="M24 50h52v30a6 6 0 0 1-6 6H30a6 6 0 0 1-6-6z" fill="${s}"/><rect x="33" y="55" width="34" height="20" rx="2" fill="#fffaf0"/><path d="M39 62h22M42 68h16" stroke="${p.b}" stroke-width="2.4" stroke-linecap="round"/><path d="M25 14h50l3 14-8-3-6 4-7-4-7 4-7-4-7 4-6-4-8 3z" fill="${p.a}"/><path d="M29 24h42v5H29z" fill="${p.b}"/><path d="M27 44c0-5 2-8 5-10" fill="none" stroke="#fff" stroke-width="3" opacity=".8"/>`,
  bottle: (p, s) =>
    `<rect x="42" y="10" width="16" height="9" rx="2" fill="${p.b}"/><path d="M43 19h14v14c10 4 14 10 14 20v29a6 6 0 0 1-6 6H35a6 6 0 0 1-6-6V53c0-10 4-16 14-20z" fill="${s}"/><rect x="33" y="54" width="34" height="22" rx="2" fill="#fffaf0"/><path d="M40 62h20M43 69h14" stroke="${p.b}" stroke-width="2.2" stroke-linecap="round"/><path d="M34 52c1-7 4-10 8-13" fill="none" stroke="#fff" stroke-width="3.5" opacity=".5" stroke-linecap="round"/>`,
  cakestand: (p, s) =>
    `<path d="M50 12v70" stroke="${p.b}" stroke-width="3"/><circle cx="50" cy="10" r="4.5" fill="none" stroke="${p.b}" stroke-width="2.5"/><ellipse cx="50" cy="34" rx="20" ry="4" fill="${s}"/><ellipse cx="50" cy="57" rx="29" ry="5" fill="${s}"/><ellipse cx="50" cy="82" rx="38" ry="6" fill="${s}"/><path d="M40 33a6 6 0 0 1 12 0zM30 55a6 6 0 0 1 12 0zM56 55a6 6 0 0 1 12 0zM22 79a7 7 0 0 1 14 0zM43 79a7 7 0 0 1 14 0zM64 79a7 7 0 0 1 14 0z" fill="#f3c6b0"/><path d="M42 30a4 4 0 0 1 8 0zM32 52a4 4 0 0 1 8 0zM58 52a4 4 0 0 1 8 0zM24 76a5 5 0 0 1 10 0zM45 76a5 5 0 0 1 10 0zM66 76a5 5 0 0 1 10 0z" fill="#e88fa4"/>`,
  cakeCase: (p, s) => cakeCase(50, 52, 1.08, s, p.b, "#fff3e4", p.d === "#fff4e6" ? "#cf4047" : p.d),
  cakeTin: (p, s) =>
    `<ellipse cx="50" cy="80" rx="34" ry="8" fill="${p.b}"/><path d="M16 40h68v40H16z" fill="${s}"/><path d="M16 80a34 8 0 0 0 68 0z" fill="${p.b}" opacity=".35"/><path d="M13 30h74v12a37 8 0 0 1-74 0z" fill="${p.b}"/><ellipse cx="50" cy="30" rx="37" ry="8" fill="${p.c}"/><ellipse cx="50" cy="26" rx="5" ry="3" fill="${p.b}"/>`,
  plate: (p, s) =>
    `<circle cx="50" cy="52" r="38" fill="${s}"/><circle cx="50" cy="52" r="26" fill="#fffaf0"/><circle cx="50" cy="52" r="26" fill="none" stroke="${p.b}" stroke-width="1.5" opacity=".5"/><path d="M50 40c6 0 8 6 4 9 6 0 7 8 1 9 2 6-6 8-8 3-5 4-10-2-6-6-6-2-3-9 2-8-1-4 3-7 7-7z" fill="${p.c}"/><circle cx="49" cy="52" r="3.5" fill="${p.b}"/>`,
  bowl: (p, s) =>
    `<path d="M12 44h76c0 26-14 40-38 40S12 70 12 44z" fill="${s}"/><ellipse cx="50" cy="44" rx="38" ry="8" fill="${p.c}"/><ellipse cx="50" cy="46" rx="31" ry="5" fill="${p.b}" opacity=".45"/><path d="M34 82h32l3 6H31z" fill="${p.b}"/>`,
  napkins: (p, s) =>
    `<path d="m50 14 36 32-36 40-36-40z" fill="${p.b}" transform="rotate(10 50 50)"/><path d="m50 12 36 34-36 38-36-38z" fill="${p.c}"/><path d="m50 20 28 26-28 30-28-30z" fill="${s}"/><path d="m50 12 36 34H50z" fill="#fff" opacity=".2"/>`,
  cutlery: (p, s) =>
    `<path d="M30 12v18c0 6-3 8-5 9l1 47a4 4 0 0 0 8 0l1-47c-2-1-5-3-5-9" fill="${s}"/><path d="M23 12v17a7 7 0 0 0 14 0V12" fill="none" stroke="${s}" stroke-width="3.5" stroke-linecap="round"/><ellipse cx="54" cy="26" rx="9" ry="14" fill="${s}"/><rect x="50.5" y="38" width="7" height="52" rx="3.5" fill="${s}"/><path d="M72 12c10 8 10 28 4 36h-4z" fill="${p.c}"/><rect x="69.5" y="46" width="7" height="44" rx="3.5" fill="${s}"/>`,
  whisk: (p, s) =>
    `<g transform="rotate(28 50 50)"><rect x="45" y="50" width="10" height="42" rx="5" fill="${s}"/><path d="M50 54C28 44 30 8 50 8s22 36 0 46zM50 54C40 44 40 10 50 8c10 2 10 36 0 46z" fill="none" stroke="${p.b}" stroke-width="2.6"/><rect x="43" y="50" width="14" height="6" rx="2" fill="${p.b}"/></g>`,
  cutter: (p, s) =>
    `<path d="M50 10c9 0 15 6 15 14 0 5-2 8-5 11 10 1 22-2 26 3 3 6-4 11-18 13 0 10 12 20 14 30 1 7-8 10-14 5-6-6-12-14-18-14s-12 8-18 14c-6 5-15 2-14-5 2-10 14-20 14-30-14-2-21-7-18-13 4-5 16-2 26-3-3-3-5-6-5-11 0-8 6-14 15-14z" fill="${s}"/><circle cx="45" cy="22" r="2" fill="${p.ink}"/><circle cx="55" cy="22" r="2" fill="${p.ink}"/><path d="M45 28c3 3 7 3 10 0" stroke="${p.ink}" stroke-width="1.8" fill="none" stroke-linecap="round"/><circle cx="50" cy="44" r="3" fill="${p.d}"/><circle cx="50" cy="55" r="3" fill="${p.d}"/>`,
  eggCup: (p, s) =>
    `<path d="M50 10c13 0 21 20 21 34H29c0-14 8-34 21-34z" fill="#fbe9d2"/><path d="M24 42h52c0 20-10 28-20 30v8h12a4 4 0 0 1 4 4v4H28v-4a4 4 0 0 1 4-4h12v-8c-10-2-20-10-20-30z" fill="${s}"/><path d="M38 26c2-5 5-8 8-9" stroke="#fff" stroke-width="3.5" fill="none" stroke-linecap="round" opacity=".8"/><rect x="22" y="40" width="56" height="5" rx="2.5" fill="${p.b}"/>`,
  towel: (p, s) =>
    `<path d="M14 16h72" stroke="${p.line}" stroke-width="4" stroke-linecap="round" opacity=".65"/><path d="M24 16h52v66c-9 6-17-2-26 3-9 5-17-5-26-1z" fill="${s}"/><path d="M24 62h52M24 69h52" stroke="${p.d}" stroke-width="3"/><path d="M24 16h10v68c-4-1-7-1-10 0z" fill="#fff" opacity=".22"/>`,
  apron: (p, s) =>
    `<path d="M36 26C30 4 70 4 64 26" fill="none" stroke="${p.b}" stroke-width="3.5"/><path d="M34 24h32c1 14 6 20 16 24v36a4 4 0 0 1-4 4H22a4 4 0 0 1-4-4V48c10-4 15-10 16-24z" fill="${s}"/><path d="M34 60h32v14a6 6 0 0 1-6 6H40a6 6 0 0 1-6-6z" fill="${p.c}"/><path d="M34 60h32" stroke="${p.b}" stroke-width="3"/>`,
  shopper: (p, s) =>
    `<path d="M36 36V26a14 14 0 0 1 28 0v10" fill="none" stroke="${p.b}" stroke-width="4.5"/><path d="M16 34h68l5 50a4 4 0 0 1-4 4H15a4 4 0 0 1-4-4z" fill="${s}"/><path d="M16 34h68l1 8H15z" fill="${p.b}"/><circle cx="36" cy="38" r="2.4" fill="${p.d}"/><circle cx="64" cy="38" r="2.4" fill="${p.d}"/><path d="M84 34l5 50a4 4 0 0 1-4 4h-7z" fill="${p.b}" opacity=".35"/>`,
  lunchBag: (p, s) =>
    `<path d="M40 26V18a10 10 0 0 1 20 0v8" fill="none" stroke="${p.b}" stroke-width="4"/><path d="M24 26h52l4 56a6 6 0 0 1-6 6H26a6 6 0 0 1-6-6z" fill="${s}"/><path d="M22 26h56l2 18H20z" fill="${p.b}"/><rect x="44" y="36" width="12" height="14" rx="2" fill="${p.d}"/><circle cx="50" cy="45" r="2" fill="${p.b}"/>`,
  lunchBox: (p, s) =>
    `<path d="M36 32v-8a6 6 0 0 1 6-6h16a6 6 0 0 1 6 6v8" fill="none" stroke="${p.b}" stroke-width="4.5"/><rect x="12" y="32" width="76" height="54" rx="9" fill="${s}"/><path d="M12 54h76" stroke="${p.b}" stroke-width="3"/><rect x="43" y="48" width="14" height="13" rx="3" fill="${p.d}"/><path d="M12 41a9 9 0 0 1 9-9h58a9 9 0 0 1 9 9v4H12z" fill="#fff" opacity=".2"/>`,
  purse: (p, s) =>
    `<path d="M24 40c-14 10-18 46 4 48h44c22-2 18-38 4-48z" fill="${s}"/><path d="M22 42c6-16 50-16 56 0z" fill="${p.b}"/><circle cx="45" cy="28" r="5" fill="#e5b744"/><circle cx="55" cy="28" r="5" fill="#e5b744"/><path d="M22 42h56" stroke="#e5b744" stroke-width="4" stroke-linecap="round"/>`,
  wallet: (p, s) =>
    `<rect x="14" y="24" width="72" height="56" rx="5" fill="${p.b}"/><rect x="20" y="18" width="60" height="30" rx="3" fill="#fffaf0"/><path d="M26 26h26M26 33h18" stroke="${p.c}" stroke-width="3" stroke-linecap="round"/><path d="M14 40h72v35a5 5 0 0 1-5 5H19a5 5 0 0 1-5-5z" fill="${s}"/><path d="M70 54h16v14H70a7 7 0 0 1 0-14z" fill="${p.b}"/><circle cx="72" cy="61" r="2.6" fill="${p.d}"/>`,
  necklace: (p, s) =>
    `<path d="M16 10c2 34 16 52 34 56 18-4 32-22 34-56" fill="none" stroke="#c9a24b" stroke-width="2.4"/>` +
    [[20, 26], [27, 42], [37, 55], [63, 55], [73, 42], [80, 26]].map(([x, y]) => `<circle cx="${x}" cy="${y}" r="5" fill="${s}"/>`).join("") +
    `<path d="M50 62 64 74 50 92 36 74z" fill="${p.a}"/><path d="M50 62 64 74H36z" fill="${p.c}"/>`,
} satisfies Record<string, Motif>;
