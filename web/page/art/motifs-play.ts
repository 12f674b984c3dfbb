// Drawings of paper, play, craft and the seasons, in a 100 × 100 box that stands on y = 88.

import type { Motif } from "./motifs-home.js";

export const playMotifs = {
  bunting: (p, s) =>
    `<path d="M2 24c26 20 70 20 96 0" fill="none" stroke="${p.line}" stroke-width="2"/><path d="m6 28 20 8-14 24z" fill="${s}"/><path d="m28 36 22 3-12 28z" fill="${p.c}"/><path d="m52 39 21-3-9 30z" fill="${p.b}"/><path d="m75 35 19-9-5 28z" fill="${s}"/><path d="M2 64c26 16 70 16 96 0" fill="none" stroke="${p.line}" stroke-width="1.5" opacity=".4"/><path d="m20 71 14 3-9 15zM66 74l14-3-4 17z" fill="${p.a}" opacity=".5"/><path d="m42 75 15 0-8 15z" fill="${p.b}" opacity=".5"/>`,
  wrap: (p, s) =>
    `<g transform="rotate(-32 50 50)"><rect x="6" y="28" width="84" height="18" rx="9" fill="${s}"/><ellipse cx="90" cy="37" rx="5" ry="9" fill="${p.c}"/><ellipse cx="90" cy="37" rx="2" ry="4" fill="${p.b}"/><rect x="10" y="54" width="84" height="18" rx="9" fill="${p.b}"/><ellipse cx="94" cy="63" rx="5" ry="9" fill="${p.c}"/><ellipse cx="94" cy="63" rx="2" ry="4" fill="${p.b}"/><path d="M40 26v22M44 26v22M52 52v22M56 52v22" stroke="${p.d}" stroke-width="2.5"/></g>`,
  ribbon: (p, s) =>
    `<path d="M62 64c14 8 20 16 30 12" fill="none" stroke="${s}" stroke-width="9"/><circle cx="46" cy="50" r="36" fill="${p.b}"/><circle cx="46" cy="50" r="30" fill="${s}"/><circle cx="46" cy="50" r="20" fill="none" stroke="${p.c}" stroke-width="2.5" opacity=".7"/><circle cx="46" cy="50" r="11" fill="#fff6e8"/><circle cx="46" cy="50" r="5" fill="${p.b}"/>`,
  card: (p, s) =>
    `<path d="M20 22 62 14l4 66-46 8z" fill="${p.b}"/><path d="M28 20h54v66H28z" fill="#fffaf0"/><path d="M28 20h54v66H28z" fill="${s}" opacity=".9"/><rect x="36" y="30" width="38" height="30" rx="2" fill="#fffaf0"/><path d="M55 54 46 45a5 5 0 0 1 9-5 5 5 0 0 1 9 5z" fill="${p.a}"/><path d="M40 70h30M46 77h18" stroke="${p.d}" stroke-width="2.6" stroke-linecap="round"/>`,
  book: (p, s) =>
    `<path d="M24 14h52a4 4 0 0 1 4 4v66a4 4 0 0 1-4 4H24z" fill="#fffaf0"/><path d="M20 16a4 4 0 0 1 4-4h50a4 4 0 0 1 4 4v62H26a6 6 0 0 0-6 6z" fill="${s}"/><path d="M20 16a4 4 0 0 1 4-4h6v66h-4a6 6 0 0 0-6 6z" fill="${p.b}"/><rect x="40" y="26" width="28" height="18" rx="2" fill="#fffaf0"/><path d="M45 32h18M48 38h12" stroke="${p.b}" stroke-width="2.2" stroke-linecap="round"/><path d="M20 84a4 4 0 0 0 4 4h52" fill="none" stroke="${p.b}" stroke-width="2"/>`,
  pencils: (p, s) => {
    const colours = ["#cf4047", "#e5b744", "#7ba98c", "#6c9dc4"];
    return (
      colours.map((colour, i) => `<g transform="rotate(${-18 + i * 12} 50 90)"><rect x="${35 + i * 8}" y="28" width="8" height="40" fill="${colour}"/><path d="m${35 + i * 8} 28 4-12 4 12z" fill="#f3d9b4"/><path d="m${37.6 + i * 8} 20 1.4-4 1.4 4z" fill="${colour}"/></g>`).join("") +
      `<path d="M26 50h48l-4 34a5 5 0 0 1-5 4H35a5 5 0 0 1-5-4z" fill="${s}"/><path d="M26 50h48l-1 7H27z" fill="${p.b}"/>`
    );
  },
  scissors: (p, s) =>
    `<path d="M36 66 68 10c6 4 6 10 4 14L44 70zM64 66 32 10c-6 4-6 10-4 14l28 46z" fill="#b9c4ca"/><circle cx="34" cy="76" r="11" fill="none" stroke="${s}" stroke-width="7"/><circle cx="66" cy="76" r="11" fill="none" stroke="${s}" stroke-width="7"/><circle cx="50" cy="44" r="3" fill="${p.ink}"/>`,
  tissues: (p, s) =>
    `<path d="M36 44c-6-16 4-20 10-26 4 8 12 2 18 4-4 8 2 14-2 22z" fill="#fffaf0"/><path d="M40 44c0-10 8-12 8-20M56 44c2-8 0-12 4-18" stroke="${p.c}" stroke-width="2" fill="none"/><rect x="14" y="42" width="72" height="46" rx="5" fill="${s}"/><ellipse cx="50" cy="44" rx="20" ry="4" fill="${p.b}"/><rect x="30" y="58" width="40" height="16" rx="3" fill="#fffaf0" opacity=".92"/><path d="M37 66h26" stroke="${p.b}" stroke-width="2.6" stroke-linecap="round"/>`,
  plasters: (p, s) =>
    `<rect x="14" y="28" width="72" height="58" rx="8" fill="${p.b}"/><rect x="14" y="24" width="72" height="56" rx="8" fill="${s}"/><circle cx="50" cy="52" r="19" fill="#fffaf0"/><path d="M45 40h10v7h7v10h-7v7H45v-7h-7V47h7z" fill="${p.a}"/>`,
  sewing: (p, s) =>
    `<rect x="26" y="14" width="48" height="9" rx="3" fill="#bd9266"/><rect x="26" y="79" width="48" height="9" rx="3" fill="#bd9266"/><rect x="32" y="22" width="36" height="58" fill="${s}"/><path d="M32 30h36M32 38h36M32 46h36M32 54h36M32 62h36M32 70h36" stroke="${p.b}" stroke-width="2" opacity=".6"/><path d="M68 66c14 4 6 16 18 20" fill="none" stroke="${p.a}" stroke-width="2"/><path d="m74 30 14-18" stroke="#8b97a0" stroke-width="2.6" stroke-linecap="round"/>`,
  button: (p, s) =>
    `<circle cx="50" cy="50" r="38" fill="${p.b}"/><circle cx="50" cy="48" r="38" fill="${s}"/><circle cx="50" cy="48" r="28" fill="none" stroke="${p.b}" stroke-width="3" opacity=".6"/><g fill="${p.ink}"><circle cx="42" cy="40" r="4"/><circle cx="58" cy="40" r="4"/><circle cx="42" cy="56" r="4"/><circle cx="58" cy="56" r="4"/></g><path d="m42 40 16 16M58 40 42 56" stroke="${p.d}" stroke-width="3"/>`,
  toy: (p, s) =>
    `<path d="M50 8v20" stroke="${p.line}" stroke-width="4" stroke-linecap="round"/><circle cx="50" cy="9" r="5" fill="${p.d}"/><path d="M50 24c26 0 38 12 38 20 0 14-28 28-38 44-10-16-38-30-38-44 0-8 12-20 38-20z" fill="${s}"/><path d="M12 42c16 10 60 10 76 0 0 4-2 7-5 11-16 7-50 7-66 0-3-4-5-7-5-11z" fill="${p.c}"/><path d="M25 60c14 5 36 5 50 0l-7 7c-10 3-26 3-36 0z" fill="${p.d}" opacity=".85"/>`,
  glider: (p, s) =>
    `<path d="M8 56 90 20 60 84 46 64z" fill="${s}"/><path d="M90 20 46 64l-2 20z" fill="${p.b}"/><path d="M8 56 90 20 38 61z" fill="${p.c}"/><path d="M12 76c8 4 14 4 20 0M10 86c6 3 10 3 14 0" stroke="${p.b}" stroke-width="2" fill="none" opacity=".5" stroke-linecap="round"/>`,
  doll: (p, s) =>
    `<path d="M50 8c16 0 24 11 24 23 0 9-4 14-4 18 8 6 12 16 12 26 0 9-8 13-32 13s-32-4-32-13c0-10 4-20 12-26 0-4-4-9-4-18C26 19 34 8 50 8z" fill="${s}"/><circle cx="50" cy="33" r="16" fill="#fbe0c8"/><path d="M34 31c4-12 28-12 32 0-8-3-12-7-14-9-4 5-10 8-18 9z" fill="#7a4a35"/><circle cx="44" cy="36" r="1.8" fill="${p.ink}"/><circle cx="56" cy="36" r="1.8" fill="${p.ink}"/><path d="M46 42c2.5 2 5.5 2 8 0" fill="none" stroke="#cf4047" stroke-width="1.6" stroke-linecap="round"/><circle cx="40" cy="40" r="2.5" fill="#f0a39c" opacity=".8"/><circle cx="60" cy="40" r="2.5" fill="#f0a39c" opacity=".8"/><path d="M32 62c8 8 28 8 36 0 3 6 3 14-2 18-8 4-24 4-32 0-5-4-5-12-2-18z" fill="${p.d}" opacity=".9"/>`,
  puzzle: (p, s) =>
    `<path d="M18 20h22c-4 10 16 10 12 0h30v24c-10-4-10 14 0 10v32H56c4-10-16-10-12 0H18V58c10 4 10-14 0-10z" fill="${s}"/><path d="M18 20h22c-4 10 16 10 12 0h30v6H18z" fill="#fff" opacity=".25"/><path d="M50 28v44M26 53h48" stroke="${p.d}" stroke-width="1.5" stroke-dasharray="3 4" opacity=".8"/>`,
  rocket: (p, s) =>
    `<path d="M40 76c2 10 18 10 20 0l-10 16z" fill="#f4b53f"/><path d="M34 54 18 76l18-2zM66 54l16 22-18-2z" fill="${p.b}"/><path d="M50 6c18 16 20 44 12 70H38C30 50 32 22 50 6z" fill="${s}"/><circle cx="50" cy="38" r="9" fill="#fffaf0"/><circle cx="50" cy="38" r="6" fill="#6c9dc4"/><path d="M38 70h24" stroke="${p.d}" stroke-width="4"/>`,
  magnet: (p, s) =>
    `<path d="M20 20h20v34a10 10 0 0 0 20 0V20h20v34a30 30 0 0 1-60 0z" fill="${s}"/><path d="M20 20h20v13H20zM60 20h20v13H60z" fill="#e8edef"/><path d="M12 12l5 5M50 8v7M88 12l-5 5" stroke="${p.b}" stroke-width="2.5" stroke-linecap="round"/>`,
  balloons: (p, s) =>
    `<path d="M34 50c2 16 12 20 16 40M68 54c-6 14-14 18-18 36M52 36c-2 20-2 30-2 54" fill="none" stroke="${p.line}" stroke-width="1.3" opacity=".6"/><ellipse cx="32" cy="34" rx="17" ry="21" fill="${p.c}"/><ellipse cx="70" cy="38" rx="16" ry="20" fill="${p.b}"/><ellipse cx="52" cy="28" rx="18" ry="22" fill="${s}"/><path d="M44 20c1-5 4-8 7-9" stroke="#fff" stroke-width="3" fill="none" stroke-linecap="round" opacity=".6"/>`,
  tree: (p, s) =>
    `<rect x="45" y="78" width="10" height="11" fill="#97704a"/><path d="M50 12 68 38H58l16 22H62l18 22H20l18-22H26l16-22H32z" fill="${p.a === "#cf4047" ? "#7ba98c" : s}"/><g fill="${p.a === "#cf4047" ? "#cf4047" : p.d}"><circle cx="46" cy="34" r="3"/><circle cx="56" cy="52" r="3.5"/><circle cx="40" cy="58" r="3"/><circle cx="36" cy="74" r="3.5"/><circle cx="62" cy="73" r="3.5"/></g><path d="m50 4 2.4 5 5.6.7-4 3.9 1 5.4-5-2.7-5 2.7 1-5.4-4-3.9 5.6-.7z" fill="#f4b53f"/>`,
  bauble: (p, s) =>
    `<path d="M50 4v16" stroke="${p.line}" stroke-width="1.5" opacity=".6"/><rect x="43" y="18" width="14" height="9" rx="2" fill="#c9a24b"/><circle cx="50" cy="57" r="31" fill="${s}"/><path d="M20 50c18 10 42 10 60 0v12c-18 10-42 10-60 0z" fill="${p.d}" opacity=".85"/><path d="M32 40c3-6 7-9 12-11" stroke="#fff" stroke-width="4" fill="none" stroke-linecap="round" opacity=".6"/>`,
  star: (p, s) =>
    `<path d="M50 2v12" stroke="${p.line}" stroke-width="1.5" opacity=".6"/><path d="m50 12 11.5 25 27 3.3-20 18.6 5.3 26.9L50 72.4 26.2 85.8l5.3-26.9-20-18.6 27-3.3z" fill="${s}"/><path d="m50 12 11.5 25L50 54 38.5 37zM88.5 40.3l-20 18.6L50 54l11.5-17zM73.8 85.8 50 72.4V54l18.5 4.9z" fill="#fff" opacity=".2"/>`,
  egg: (p, s) =>
    `<path d="M50 12c18 0 30 26 30 44S68 88 50 88 20 74 20 56s12-44 30-44z" fill="${s}"/><path d="m21 50 10-6 10 6 9-6 9 6 10-6 10 6v10l-10-6-10 6-9-6-9 6-10-6-10 6z" fill="${p.d}"/><path d="M24 70c16 6 36 6 52 0" stroke="${p.c}" stroke-width="4" fill="none"/>`,
  gift: (p, s) =>
    `<rect x="18" y="44" width="64" height="44" rx="3" fill="${s}"/><rect x="13" y="32" width="74" height="15" rx="3" fill="${p.b}"/><rect x="44" y="32" width="12" height="56" fill="${p.d}"/><path d="M50 32c-10-22-34-16-26-4 4 5 16 4 26 4zm0 0c10-22 34-16 26-4-4 5-16 4-26 4z" fill="none" stroke="${p.d === "#fff4e6" ? "#e88fa4" : p.d}" stroke-width="6" stroke-linejoin="round"/>`,
} satisfies Record<string, Motif>;
