// A file of events or sessions, read in the page: CSV with a header, JSON lines, plain or gzip, or Parquet.

import type { Context, ShopEvent, ShopItem } from "../index.js";

/** A session of a file, with what the file calls it. */
export interface FileSession {
  name: string;
  context: Context;
  events: ShopEvent[];
}

/** One event of a file, with the session that it belongs to. */
interface Line {
  owner: string;
  /** Lines of one number are one event. */
  number: string | undefined;
  context: Context;
  event: ShopEvent;
}

/** The sessions of a file, by its content. `gap` is the pause in milliseconds after which a new one begins. */
export async function readSessions(file: Blob, gap: number): Promise<FileSession[]> {
  const head = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  if (String.fromCharCode(...head) === "PAR1") {
    // A library of its own, which only those load who need it.
    const { rowsOf } = await import("./parquet.js");
    return cut(tableLines(await rowsOf(file), "Row", 1).lines, gap);
  }
  return sessionsOf(await textOf(file, head), gap);
}

/** The file as text, unpacked where it is gzip. */
async function textOf(file: Blob, head: Uint8Array): Promise<string> {
  const packed = head[0] === 0x1f && head[1] === 0x8b;
  const stream = packed ? file.stream().pipeThrough(new DecompressionStream("gzip")) : file.stream();
  return new Response(stream).text();
}

/** The sessions of a file's text. `gap` is the pause in milliseconds after which a new one begins. */
export function sessionsOf(text: string, gap: number): FileSession[] {
  const start = text.trimStart();
  if (start === "") {
    throw new Error("The file is empty.");
  }
  const found = start.startsWith("{") || start.startsWith("[") ? jsonLines(start) : tableLines(parseCsv(text), "Line", 2);
  return "sessions" in found ? found.sessions : cut(found.lines, gap);
}

function jsonLines(text: string): { sessions: FileSession[] } | { lines: Line[] } {
  const records = text.startsWith("[")
    ? (JSON.parse(text) as unknown[])
    : text
        .split("\n")
        .map((line, i) => ({ line: line.trim(), i }))
        .filter(({ line }) => line !== "")
        .map(({ line, i }) => {
          try {
            return JSON.parse(line) as unknown;
          } catch (thrown) {
            throw new Error(`Line ${i + 1}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
          }
        });
  const objects = records.map((record) => (record ?? {}) as Partial<ShopEvent> & { events?: ShopEvent[]; session_id?: string });
  if (objects.some(({ events }) => Array.isArray(events))) {
    return {
      sessions: objects.map(({ events, context, session_id }, i) => ({
        name: session_id ?? String(i + 1),
        context: context ?? {},
        events: Array.isArray(events) ? events : [],
      })),
    };
  }
  return {
    lines: objects.map((event) => ({
      owner: String(event.session_id ?? event.user_id ?? event.anonymous_id ?? "1"),
      number: undefined,
      context: event.context ?? {},
      event: event as ShopEvent,
    })),
  };
}

/** The lines of a table, whose first row has the columns' names; what the others are called, and the first one's number. */
function tableLines([names = [], ...rows]: string[][], what: string, first: number): { lines: Line[] } {
  for (const needed of ["timestamp", "event"]) {
    if (!names.includes(needed)) {
      throw new Error(`There is no column "${needed}" in the file. It has: ${names.slice(0, 12).join(", ")}.`);
    }
  }
  return {
    lines: rows.map((row, i) => {
      const value = (name: string): string | undefined => row[names.indexOf(name)] || undefined;
      const item: Record<string, unknown> = {};
      for (const name of ["item_id", "item_name", "item_category", "price", "quantity"]) {
        if (value(name) !== undefined) {
          item[name] = value(name);
        }
      }
      const given = value("context");
      let context: Context = {};
      try {
        context = given === undefined ? {} : (JSON.parse(given) as Context);
      } catch {
        throw new Error(`${what} ${i + first}: the context is no JSON: ${given ?? ""}`);
      }
      const time = value("timestamp") ?? "";
      const event: Record<string, unknown> = { event: value("event"), timestamp: /^\d+$/.test(time) ? Number(time) : Date.parse(time) };
      if (item["item_id"] !== undefined) {
        event["items"] = [item];
      }
      for (const name of ["page_type", "value"]) {
        if (value(name) !== undefined) {
          event[name] = value(name);
        }
      }
      return {
        owner: value("session_id") ?? value("user_id") ?? "1",
        number: value("event_no"),
        context,
        event: event as unknown as ShopEvent,
      };
    }),
  };
}

/** RFC 4180, with any of the three line ends. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|\r|$)/y;
  cell.lastIndex = text.startsWith("\uFEFF") ? 1 : 0;
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex;
    const found = cell.exec(text);
    if (!found) {
      throw new Error(`A quote is not closed, or stands inside a value: ${text.slice(at, at + 40)}`);
    }
    row.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? "");
    if (found[3] !== ",") {
      if (row.length > 1 || row[0] !== "") {
        rows.push(row);
      }
      row = [];
    } else if (cell.lastIndex === text.length) {
      rows.push([...row, ""]);
    }
  }
  return rows;
}

/** Puts the lines into sessions: by owner, in order of time, cut at pauses. */
function cut(lines: readonly Line[], gap: number): FileSession[] {
  const owners = new Map<string, Line[]>();
  for (const line of lines) {
    const own = owners.get(line.owner);
    if (own === undefined) {
      owners.set(line.owner, [line]);
    } else {
      const last = own.at(-1);
      if (line.number !== undefined && last?.number === line.number) {
        last.event = { ...last.event, items: [...(last.event.items ?? []), ...(line.event.items ?? [])] as ShopItem[] };
      } else {
        own.push(line);
      }
    }
  }
  const sessions: FileSession[] = [];
  for (const [owner, own] of owners) {
    own.sort((a, b) => a.event.timestamp - b.event.timestamp);
    let open: FileSession | undefined;
    let before = Number.NaN;
    let nth = 0;
    for (const { context, event } of own) {
      if (open === undefined || event.timestamp - before > gap) {
        nth += 1;
        open = { name: nth === 1 ? owner : `${owner}#${nth}`, context, events: [] };
        sessions.push(open);
      }
      open.events.push(event);
      before = event.timestamp;
    }
  }
  return sessions;
}
