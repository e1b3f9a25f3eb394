import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Plugin } from "vite";

const NOTICE = /^(licen[cs]e|notice|copying|third-?party-?notices?)/i;
const FONTS = "licenses";

interface Entry {
  version?: string;
  license?: string;
  dev?: boolean;
  optional?: boolean;
}

/**
 * Write the licences of everything that may be in the bundle to `licenses.txt`.
 *
 * All locked packages that are not for development alone are listed, rather than the ones the
 * bundler saw: workers are bundled apart, and packages embed others.
 */
export function licenses(): Plugin {
  return {
    name: "licenses",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "licenses.txt", source: allNotices() });
    },
  };
}

function allNotices(): string {
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as {
    packages: Record<string, Entry>;
  };
  const packages = Object.entries(lock.packages)
    .filter(([folder, entry]) => folder !== "" && !entry.dev && !entry.optional)
    .map(([folder, entry]) => packageNotice(folder, entry));
  const fonts = readdirSync(FONTS).sort();
  return [...packages, section("Fonts", textsIn(FONTS, fonts))].join("\n");
}

function packageNotice(folder: string, { version = "", license = "" }: Entry): string {
  const name = folder.replace(/^.*node_modules\//, "");
  const notices = readdirSync(folder).filter((file) => NOTICE.test(file)).sort();
  const texts = textsIn(folder, notices);
  const none = `Published without a text of its licence, ${license}: https://www.npmjs.com/package/${name}`;
  return section(`${name} ${version} (${license})`, texts.length > 0 ? texts : [none]);
}

function textsIn(folder: string, files: string[]): string[] {
  return files.map((file) => readFileSync(join(folder, file), "utf8").trim());
}

function section(title: string, texts: string[]): string {
  return [`${"=".repeat(80)}\n${title}`, ...texts].join("\n\n") + "\n";
}
