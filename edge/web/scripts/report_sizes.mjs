// Prints what the built page weighs, and fails when its code outgrows what a phone should load.
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
const codeKb = sizes
  .filter(({ name }) => name.endsWith(".js"))
  .reduce((sum, { gzipKb }) => sum + gzipKb, 0);
console.log(`${codeKb.toFixed(1).padStart(8)} KB gzip  code in all, of ${CODE_GZIP_KB_MAX}`);
if (codeKb > CODE_GZIP_KB_MAX) process.exit(1);
