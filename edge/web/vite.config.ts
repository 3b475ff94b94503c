import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const contracts = fileURLToPath(new URL("../../gen/ts", import.meta.url));

// The page is served from the gateway's own origin, and its policy allows no inline script: so
// nothing is inlined, and every file but index.html carries its hash in its name.
export default defineConfig({
  plugins: [react()],
  resolve: {
    alias: [{ find: /^@contracts\//, replacement: `${contracts}/` }],
    // The contracts lie outside this folder; they use this folder's protobuf runtime.
    dedupe: ["@bufbuild/protobuf"],
  },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: "licenses.md" },
    reportCompressedSize: false,
  },
  server: {
    host: "127.0.0.1",
    fs: { allow: [".", contracts] },
    // A mesh on this machine, when the page is developed against it.
    proxy: { "^/(blytz\\.|v1/)": process.env.BLYTZ_EDGE_URL ?? "http://127.0.0.1:8080" },
  },
  test: { include: ["tests/**/*.test.ts"], environment: "node", setupFiles: "tests/setup.ts" },
});
