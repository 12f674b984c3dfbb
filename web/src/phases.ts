/** What loading is made of, in the browser's own timeline: DevTools shows it, and so does `cargo xtask bench`. */

/** Does this work and has the time it took shown as `propense: NAME`. */
export async function phase<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await work();
  } finally {
    performance.measure(`propense: ${name}`, { start });
  }
}
