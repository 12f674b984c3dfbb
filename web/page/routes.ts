// Addresses within the page: the part behind "#/". The browser's back button and links work by themselves.

/** The information pages of the shop. */
export type InfoPage = "delivery" | "help" | "account";

/** What the address asks for. */
export type Route =
  | { view: "list"; department?: string; query?: string }
  | { view: "item"; id: string }
  | { view: "cart" }
  | { view: "checkout" }
  | { view: "info"; page: InfoPage };

/** Reads `location.hash`. Anything unknown is the shop's front; other anchors give `undefined`. */
export function parseRoute(hash: string): Route | undefined {
  if (hash !== "" && hash !== "#" && !hash.startsWith("#/")) {
    return undefined;
  }
  const [head = "", tail = ""] = hash.slice(2).split("/").map(decode);
  switch (head) {
    case "item":
      return { view: "item", id: tail };
    case "department":
      return { view: "list", department: tail };
    case "search":
      return tail === "" ? { view: "list" } : { view: "list", query: tail };
    case "cart":
    case "checkout":
      return { view: head };
    case "delivery":
    case "help":
    case "account":
      return { view: "info", page: head };
    default:
      return { view: "list" };
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

/** The address of a route. */
export function hashOf(route: Route): string {
  switch (route.view) {
    case "item":
      return `#/item/${encodeURIComponent(route.id)}`;
    case "list":
      if (route.department !== undefined) {
        return `#/department/${encodeURIComponent(route.department)}`;
      }
      return route.query !== undefined ? `#/search/${encodeURIComponent(route.query)}` : "#/";
    case "info":
      return `#/${route.page}`;
    default:
      return `#/${route.view}`;
  }
}
