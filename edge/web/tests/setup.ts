import { vi } from "vitest";

// Amounts and times read the same on every machine.
vi.stubGlobal("navigator", { language: "en-US" });
