// The shop's catalogue: loading, departments, search.

/** A product as the page shows it. */
export interface Product {
  id: string;
  name: string;
  department: string;
  /** In pounds. */
  price: number;
  /** Ids of products bought together with this one, the closest first. */
  also: readonly string[];
  /** Units sold in the data. */
  sold: number;
}

/** A department and how many products it has. */
export interface Department {
  name: string;
  slug: string;
  size: number;
}

interface Row {
  item_id: string;
  item_name: string;
  item_category: string;
  price: number;
  also?: string[];
  sold?: number;
}

/** The products of the shop in the order of the file: the most often ordered first. */
export class Catalogue {
  readonly products: readonly Product[];
  readonly departments: readonly Department[];
  private readonly byId: ReadonlyMap<string, Product>;

  constructor(rows: readonly Row[]) {
    this.products = rows.map((row) => ({
      id: row.item_id,
      name: row.item_name,
      department: row.item_category,
      price: row.price,
      also: row.also ?? [],
      sold: row.sold ?? 0,
    }));
    this.byId = new Map(this.products.map((product) => [product.id, product]));
    const sizes = new Map<string, number>();
    for (const { department } of this.products) {
      sizes.set(department, (sizes.get(department) ?? 0) + 1);
    }
    this.departments = [...sizes]
      .map(([name, size]) => ({ name, size, slug: slugOf(name) }))
      .sort((a, b) => b.size - a.size);
  }

  /** The product with this id. */
  get(id: string): Product | undefined {
    return this.byId.get(id);
  }

  /** The products of a department, or all. */
  inDepartment(slug: string | undefined): readonly Product[] {
    if (slug === undefined) {
      return this.products;
    }
    return this.products.filter((product) => slugOf(product.department) === slug);
  }

  /** The products whose name or department has every word of the query. */
  search(query: string): readonly Product[] {
    const words = query.toLowerCase().split(/\s+/).filter((word) => word !== "");
    return this.products.filter((product) => {
      const text = `${product.name} ${product.department} ${product.id}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
  }

  /** What is bought together with a product; filled up from its department. */
  alsoBought(product: Product, n: number): readonly Product[] {
    const found = product.also.flatMap((id) => this.get(id) ?? []);
    if (found.length < n) {
      const known = new Set([product.id, ...found.map(({ id }) => id)]);
      found.push(...this.products.filter((other) => other.department === product.department && !known.has(other.id)));
    }
    return found.slice(0, n);
  }
}

/** A department's name as it stands in an address. */
export function slugOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
}

/** Loads the catalogue; throws an `Error` that says what is missing. */
export async function loadCatalogue(url: URL): Promise<Catalogue> {
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`The catalogue ${url.pathname} could not be read (HTTP ${response.status}).`);
  }
  const file = (await response.json()) as { items?: Row[] };
  if (!Array.isArray(file.items) || file.items.length === 0) {
    throw new Error(`The catalogue ${url.pathname} has no items.`);
  }
  return new Catalogue(file.items);
}
