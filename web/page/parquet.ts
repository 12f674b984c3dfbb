// A Parquet file as a table of texts: what `propense prepare` writes, or any with the same columns.

import { parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";

/** The columns that are read, as they are called in a CSV. */
const COLUMNS = ["timestamp", "event", "session_id", "user_id", "item_id", "item_name", "item_category", "price", "quantity", "page_type", "value", "context", "event_no"];

/** The names of the columns, then a row for each of the file's. */
export async function rowsOf(file: Blob): Promise<string[][]> {
  const buffer = { byteLength: file.size, slice: (start: number, end?: number) => file.slice(start, end ?? file.size).arrayBuffer() };
  try {
    const metadata = await parquetMetadataAsync(buffer);
    const there = new Set(metadata.schema.map(({ name }) => name));
    const columns = COLUMNS.filter((name) => there.has(name));
    if (!there.has("timestamp") || !there.has("event")) return [[...there].slice(1)];
    const rows = await parquetReadObjects({ file: buffer, metadata, columns, compressors });
    return [columns, ...rows.map((row) => columns.map((name) => text(row[name])))];
  } catch (thrown) {
    throw new Error(`The Parquet file cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`, { cause: thrown });
  }
}

/** A value as a CSV has it. */
function text(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Date) return String(value.getTime());
  return typeof value === "object" ? JSON.stringify(value) : String(value as string | number | bigint | boolean);
}
