// One visit of 32 events, as events and as the rows that the network's featuriser makes of them: a
// column for each kind of event.
const KINDS = [
  "page_view", "search", "view_item_list", "select_item", "view_item", "add_to_wishlist", "add_to_cart",
  "remove_from_cart", "view_cart", "begin_checkout", "add_shipping_info", "add_payment_info",
];
const FEATURES = 16;
const PADDING = 2;
const ORDER = [0, 1, 2, 3, 4, 4, 5, 2, 3, 4, 6, 8, 0, 2, 4, 4, 6, 7, 1, 2, 3, 4, 6, 8, 9, 10, 8, 2, 4, 6, 8, 9];

const SECOND = 1000;

/** The visit as a shop sends it, ending now. */
export const events = () =>
  ORDER.map((kind, at) => ({
    event: KINDS[kind],
    timestamp: Date.now() - (ORDER.length - at) * SECOND,
    items: KINDS[kind].includes("item") || KINDS[kind].includes("cart") ? [{ item_id: "85123A", price: 2.55 }] : [],
  }));

/** Two rows of zeros, then a row for each event. */
export const padded = () => {
  const rows = new Float32Array((PADDING + ORDER.length) * FEATURES);
  ORDER.forEach((kind, at) => {
    rows[(PADDING + at) * FEATURES + kind] = 1;
  });
  return rows;
};
