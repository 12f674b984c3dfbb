/** What is kept on the device to learn from: one record in IndexedDB, read and written as a whole. */
import type { Lesson } from "./types.js";

/** The database, and the record's key in its only store. `docs/privacy.md` names them. */
const NAME = "propense";
const STORE = "learning";
const KEY = "notebook";

/** A session whose outcome is not known yet. */
export interface Pending {
  /** Time of its newest event, in milliseconds since 1970. */
  last: number;
  bought: boolean;
  /** The head's inputs by the number of events after which they were taken. */
  inputs: Record<number, Float32Array>;
}

/** All that is kept. */
export interface Notes {
  /** The model whose inputs these are: another one's mean nothing to it. */
  model: string;
  /** By the name of the session. */
  pending: Record<string, Pending>;
  /** The oldest first. */
  lessons: Lesson[];
  /** The noise of each contribution that was sent. */
  spent: number[];
  /** The model that was contributed to last. */
  contributed: string;
}

const empty = (): Notes => ({ model: "", pending: {}, lessons: [], spent: [], contributed: "" });

/** The record. A database that is denied or broken keeps nothing, and says nothing. */
export class Notebook {
  #opened: Promise<IDBDatabase | undefined> | undefined;

  /** What there is. */
  read(): Promise<Notes> {
    return this.change(() => undefined, "readonly");
  }

  /** Changes it in one transaction: no other tab comes in between. Gives what there is then. */
  async change(work: (notes: Notes) => void, mode: IDBTransactionMode = "readwrite"): Promise<Notes> {
    const database = await (this.#opened ??= open());
    let notes = empty();
    if (database === undefined) return notes;
    await new Promise<void>((resolve) => {
      try {
        const transaction = database.transaction(STORE, mode);
        const store = transaction.objectStore(STORE);
        const found = store.get(KEY);
        found.onsuccess = () => {
          notes = { ...notes, ...(found.result as Partial<Notes> | undefined) };
          work(notes);
          if (mode === "readwrite") store.put(notes, KEY);
        };
        transaction.oncomplete = transaction.onabort = () => {
          resolve();
        };
      } catch {
        resolve();
      }
    });
    return notes;
  }

  /** Deletes all of it, the database too. */
  async erase(): Promise<void> {
    (await this.#opened)?.close();
    this.#opened = undefined;
    await new Promise<void>((resolve) => {
      try {
        const gone = indexedDB.deleteDatabase(NAME);
        // Other tabs close theirs when they are told.
        gone.onsuccess = gone.onerror = gone.onblocked = () => {
          resolve();
        };
      } catch {
        resolve();
      }
    });
  }
}

function open(): Promise<IDBDatabase | undefined> {
  return new Promise((resolve) => {
    try {
      const asked = indexedDB.open(NAME, 1);
      asked.onupgradeneeded = () => {
        asked.result.createObjectStore(STORE);
      };
      asked.onsuccess = () => {
        const database = asked.result;
        // Erased in another tab.
        database.onversionchange = () => {
          database.close();
        };
        resolve(database);
      };
      asked.onerror = asked.onblocked = () => {
        resolve(undefined);
      };
    } catch {
      resolve(undefined);
    }
  });
}
