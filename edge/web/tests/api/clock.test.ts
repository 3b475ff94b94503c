import { expect, it } from "vitest";
import { ServerClock } from "../../src/api/clock";

it("believes the answer that travelled the shortest", () => {
  let localMs = 1_000_000;
  const clock = new ServerClock(() => localMs);
  // The server is 5 s ahead; answers take 300, 40 and 900 ms.
  for (const delayMs of [300, 40, 900]) {
    localMs += 1000;
    clock.observe(localMs + 5000 - delayMs);
  }
  expect(clock.now() - localMs).toBe(4960);
});

it("follows a local clock that was set", () => {
  let localMs = 1_000_000;
  const clock = new ServerClock(() => localMs);
  clock.observe(localMs);
  localMs += 3_600_000;
  for (let count = 0; count < 64; count += 1) clock.observe(localMs - 3_600_000);
  expect(clock.now()).toBe(1_000_000);
});
