// Prints what the built page weighs, and fails when the code that is loaded at first outgrows a phone.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const CODE_GZIP_KB_MAX = 150;
const folder = new URL("../dist/assets/", import.meta.url);
const sizes = readdirSync(folder).map((name) => {
  const content = readFileSync(new URL(name, folder));
  return { name, gzipKb: gzipSync(content, { level: 9 }).length / 1024 };
});
for (const { name, gzipKb } of sizes)
  console.log(`${gzipKb.toFixed(1).padStart(8)} KB gzip  ${name}`);
// What index.html names is loaded at once; the rest comes with the pages that need it.
const page = readFileSync(new URL("../dist/index.html", import.meta.url), "utf8");
const codeKb = sizes
  .filter(({ name }) => name.endsWith(".js") && page.includes(name))
  .reduce((sum, { gzipKb }) => sum + gzipKb, 0);
console.log(`${codeKb.toFixed(1).padStart(8)} KB gzip  code at first, of ${CODE_GZIP_KB_MAX}`);
if (codeKb > CODE_GZIP_KB_MAX) process.exit(1);
