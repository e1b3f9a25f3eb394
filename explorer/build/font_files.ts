import { createHash } from "node:crypto";

import type { Plugin } from "vite";

const EMBEDDED = /url\("?data:font\/(\w+);base64,([A-Za-z0-9+/=]+)"?\)/g;

/**
 * Write fonts embedded in style sheets as files of their own.
 *
 * GraphiQL embeds its fonts as `data:` addresses, which `font-src 'self'` forbids; as files, a
 * browser also loads only those it shows.
 */
export function fontFiles(): Plugin {
  return {
    name: "font-files",
    enforce: "post",
    generateBundle(_, bundle) {
      for (const sheet of Object.values(bundle)) {
        if (sheet.type !== "asset" || !sheet.fileName.endsWith(".css")) continue;
        const text = Buffer.from(sheet.source).toString();
        sheet.source = text.replaceAll(EMBEDDED, (_, format: string, base64: string) => {
          const source = Buffer.from(base64, "base64");
          const digest = createHash("sha256").update(source).digest("hex").slice(0, 8);
          const file = `font-${digest}.${format}`;
          this.emitFile({ type: "asset", fileName: `assets/${file}`, source });
          return `url(${file})`;
        });
      }
    },
  };
}
