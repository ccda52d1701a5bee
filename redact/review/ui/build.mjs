// Builds the page: `redact/review/page/{index.html,icon.svg,app.js,app.css,NOTICES.txt}`, or with --tests the unit tests.
// Everything comes from this folder and node_modules; nothing is fetched, and the page loads nothing from elsewhere.

import { build } from "esbuild";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const page = join(here, "..", "page");
const shared = { bundle: true, logLevel: "warning", jsx: "automatic", jsxImportSource: "preact" };

/** The packages that the page is made of, as the lock names them: libraries bundle others, so all that are no tools. */
async function shipped() {
  const lock = JSON.parse(await readFile(join(here, "package-lock.json"), "utf8"));
  const folders = Object.entries(lock.packages).filter(([folder, about]) => folder && !about.dev && !about.optional);
  return folders.map(([folder]) => folder.replace(/^.*node_modules\//, ""));
}

const RULE = "-".repeat(78);
const LICENCES = new Set(["MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "0BSD"]);

/** Their licences in full. Fails on a licence that is not on the list, or that has no text. */
async function notices(names) {
  const parts = ["The review page holds code of these packages.\n"];
  for (const name of names) {
    if (name === "svelte") {
      parts.push(`${RULE}\nsvelte 4 (MIT)\n\n${await licenceText(here, name)}`);
      continue;
    }
    const folder = join(here, "node_modules", name);
    const about = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    if (!LICENCES.has(about.license)) throw new Error(`${name}: licence ${about.license} is not on the list`);
    parts.push(`${RULE}\n${name} ${about.version} (${about.license})\n\n${await licenceText(folder, name)}`);
  }
  return parts.join("\n");
}

async function licenceText(folder, name) {
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e(\.md|\.txt)?$/i.test(entry));
  if (file) return readFile(join(folder, file), "utf8");
  return readFile(join(here, "licences", `${name.replace("/", "+")}.txt`), "utf8");
}

async function buildPage() {
  await rm(page, { recursive: true, force: true });
  await mkdir(page, { recursive: true });
  await build({
    ...shared,
    entryPoints: [join(here, "src", "app.tsx"), join(here, "src", "app.css")],
    outdir: page,
    format: "iife",
    target: ["chrome109", "firefox115", "safari16"],
    minify: true,
    legalComments: "none",
    absWorkingDir: here,
  });
  for (const name of ["index.html", "icon.svg"]) await copyFile(join(here, "src", name), join(page, name));
  // Annotorious has Svelte's runtime built in, though it depends on no such package: it is named by hand.
  await writeFile(join(page, "NOTICES.txt"), await notices([...(await shipped()), "svelte"].sort()));
}

async function buildTests() {
  const folder = join(here, "test");
  const files = (await readdir(folder)).filter((name) => name.endsWith(".test.ts"));
  await rm(join(here, "build"), { recursive: true, force: true });
  await build({
    ...shared,
    entryPoints: files.map((name) => join(folder, name)),
    outdir: join(here, "build"),
    outExtension: { ".js": ".mjs" },
    format: "esm",
    platform: "node",
    target: "node18",
  });
}

await (process.argv.includes("--tests") ? buildTests() : buildPage());
