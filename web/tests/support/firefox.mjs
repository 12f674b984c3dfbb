// Firefox, headless, as the tests meet it: driven over WebDriver BiDi, and spoken to as Playwright's pages are.
import puppeteer from "puppeteer-core";

/** The browser at this path, with as much of Playwright's as the module's tests ask for. */
export async function firefox(executablePath) {
  const browser = await puppeteer.launch({ browser: "firefox", executablePath });
  const version = await browser.version();
  return {
    version: () => version,
    newPage: async () => withRoutes(await browser.newPage()),
    close: () => browser.close(),
  };
}

/** Adds `page.route`: what the given paths answer. */
function withRoutes(page) {
  const routes = [];
  page.route = async (pattern, answer) => {
    if (routes.push([matcher(pattern), answer]) > 1) return;
    await page.setRequestInterception(true);
    page.on("request", (request) => {
      const [, answer] = routes.find(([matches]) => matches.test(request.url())) ?? [];
      if (answer === undefined) return request.continue();
      return answer({
        request: () => request,
        fulfill: ({ body }) => request.respond({ status: 200, contentType: "application/octet-stream", body }),
      });
    });
  };
  return page;
}

/** A pattern of Playwright's with `**` in it, as an expression. */
function matcher(pattern) {
  const parts = pattern.split("**").map((part) => part.replace(/[.?+^$()|[\]{}\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`);
}
