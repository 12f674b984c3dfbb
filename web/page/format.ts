// Numbers and names as people read them.

const pounds = new Intl.NumberFormat("en-GB", { style: "currency", currency: "GBP" });
const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

/** A price in pounds, the currency of the data. */
export function money(amount: number): string {
  return pounds.format(amount);
}

/** A count with thousands set apart. */
export function count(n: number): string {
  return whole.format(n);
}

/** A probability as a percentage: one decimal below ten per cent, where a tenth matters. */
export function percent(probability: number): string {
  const value = probability * 100;
  return `${value.toFixed(value < 9.95 ? 1 : 0)}%`;
}

/** A time given in microseconds: microseconds as long as they can be read, then milliseconds. */
export function duration(micros: number): string {
  if (micros < 10) {
    return `${micros.toFixed(1)} µs`;
  }
  if (micros < 100_000) {
    return `${whole.format(micros)} µs`;
  }
  return micros < 2_000_000 ? `${whole.format(micros / 1000)} ms` : `${(micros / 1e6).toFixed(1)} s`;
}

/** Seconds of a visit as minutes and seconds. */
export function clock(seconds: number): string {
  const all = Math.max(0, Math.round(seconds));
  const minutes = Math.floor(all / 60);
  return `${minutes}:${String(all % 60).padStart(2, "0")}`;
}

/** Milliseconds of a stay: seconds, then minutes and seconds. */
export function staySeconds(ms: number): string {
  return ms < 60_000 ? `${Math.round(ms / 1000)} s` : clock(ms / 1000);
}

/** "1st", "2nd", "63rd": how a percentile is said. */
export function ordinal(n: number): string {
  const lastTwo = n % 100;
  if (lastTwo >= 11 && lastTwo <= 13) {
    return `${n}th`;
  }
  return `${n}${["th", "st", "nd", "rd"][n % 10] ?? "th"}`;
}

const KIND_WORDS: Record<string, string> = {
  page_view: "Page",
  search: "Search",
  view_item_list: "Browsed a list",
  select_item: "Clicked an item",
  view_item: "Looked at an item",
  add_to_wishlist: "Wish list",
  add_to_cart: "Added to the cart",
  remove_from_cart: "Removed from the cart",
  view_cart: "Opened the cart",
  begin_checkout: "Began the checkout",
  add_shipping_info: "Delivery details",
  add_payment_info: "Payment details",
  purchase: "Placed the order",
};

/** An event's GA4 name in words. */
export function eventWords(event: string): string {
  return KIND_WORDS[event] ?? event.replaceAll("_", " ");
}
