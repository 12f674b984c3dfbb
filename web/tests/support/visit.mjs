// The visit that most tests score.

const START = Date.UTC(2024, 10, 12, 14, 30);

const item = (item_id, price, quantity = 1) => ({
  item_id,
  item_name: `Item ${item_id}`,
  item_category: "Kitchen",
  price,
  quantity,
});

/** A visit with some of everything: looks, hesitates, fills the cart, goes to the checkout. */
export const VISIT = [
  { event: "page_view", at: 0, page_type: "informational" },
  { event: "view_item_list", at: 8, page_type: "product", items: [item("22423", 12.75), item("85123A", 2.55)] },
  { event: "view_item", at: 21, page_type: "product", items: [item("85123A", 2.55)] },
  { event: "view_item", at: 74, page_type: "product", items: [item("22423", 12.75)] },
  { event: "add_to_cart", at: 131, page_type: "product", items: [item("85123A", 2.55, 6)] },
  { event: "view_item", at: 150, page_type: "product", items: [item("85123A", 2.55)] },
  { event: "remove_from_cart", at: 190, page_type: "product", items: [item("85123A", 2.55, 2)] },
  { event: "view_cart", at: 203, page_type: "administrative", items: [item("85123A", 2.55, 4)] },
  { event: "begin_checkout", at: 240, page_type: "administrative", items: [item("85123A", 2.55, 4)], value: 10.2 },
].map(({ at, ...event }) => ({ ...event, timestamp: START + at * 1000 }));
