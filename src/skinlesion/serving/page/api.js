// The service: what it is asked, and what it answers when it refuses.

import { format } from "./csv.js";

const TRIES_WHEN_BUSY = 5;
const SUMMARIES = new Map([
  [0, "The service does not answer"],
  [401, "The service wants a token"],
  [413, "Too much for one request"],
  [422, "The service cannot use what was sent"],
  [429, "The service is busy, and was so each time it was asked"],
  [503, "The service is not ready"],
]);

/** A refusal: `detail` is a list of {field, expected, found}. */
export class ServiceError extends Error {
  constructor(status, detail) {
    super(SUMMARIES.get(status) ?? `The service failed, with status ${status}`);
    this.status = status;
    this.detail = detail;
  }
}

/** The service. Its token is asked for when it is needed, and kept in memory only. */
export class Service {
  #token = null;
  #askToken;

  /** `askToken(again)` gives a token, or null where the user has none. */
  constructor(askToken) {
    this.#askToken = askToken;
  }

  model() {
    return this.#ask("v1/model", {});
  }

  patient({ columns, rows, tiles }, signal) {
    const body = new FormData();
    body.append("table", new Blob([format([columns, ...rows])], { type: "text/csv" }), "table.csv");
    for (const [isicId, tile] of tiles) body.append("tiles", tile, `${isicId}${suffix(tile)}`);
    return this.#ask("v1/patients", { method: "POST", body, signal });
  }

  occlusion(row, tile, signal) {
    const body = new FormData();
    body.append("tile", tile, `tile${suffix(tile)}`);
    body.append("row", JSON.stringify(row));
    return this.#ask("v1/occlusion", { method: "POST", body, signal });
  }

  async #ask(path, request) {
    for (let busy = 0, refused = false; ;) {
      const headers = this.#token ? { Authorization: `Bearer ${this.#token}` } : {};
      const response = await answer(path, { ...request, headers, cache: "no-store" });
      if (response.ok) return response.json();
      if (response.status === 401) {
        this.#token = await this.#askToken(refused);
        if (this.#token === null) throw new ServiceError(401, []);
        refused = true;
      } else if (response.status === 429 && ++busy < TRIES_WHEN_BUSY) {
        const seconds = Number(response.headers.get("Retry-After") ?? 1);
        await pause(Math.min(seconds || 0, 30), request.signal);
      } else {
        throw new ServiceError(response.status, await detail(response));
      }
    }
  }
}

async function answer(path, request) {
  try {
    return await fetch(path, request);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServiceError(0, []);
  }
}

async function detail(response) {
  const found = await response.json().then(
    (body) => body.detail,
    () => null,
  );
  if (Array.isArray(found)) return found;
  return found ? [{ field: "", expected: "", found: String(found) }] : [];
}

const suffix = (tile) => /\.\w+$/.exec(tile.name ?? "")?.[0] ?? ".jpg";

function pause(seconds, signal) {
  return new Promise((done, fail) => {
    const timer = setTimeout(done, 1000 * seconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      fail(signal.reason);
    });
  });
}
