import type { Session } from "@contracts/blytz/identity/v1/auth_service_pb";
import { Role } from "@contracts/blytz/identity/v1/user_service_pb";
import { createContext, useContext, useEffect, useState, useSyncExternalStore } from "react";
import type { Api } from "./client";

/** Carries the page's side of the contracts to every component. */
export const ApiContext = createContext<Api | null>(null);

/** Returns the page's side of the contracts. */
export function useApi(): Api {
  const api = useContext(ApiContext);
  if (!api) throw new Error("a component outside of ApiContext asked for the API");
  return api;
}

/** Returns the session of the person who is signed in; null if nobody is. */
export function useSession(): Session | null {
  const { session } = useApi();
  return useSyncExternalStore(session.subscribe, session.current);
}

/** Says whether the signed-in person may sell. */
export function maySell(session: Session | null): boolean {
  return session?.user?.roles.some((role) => role === Role.SELLER || role === Role.ADMIN) ?? false;
}

/** Returns the server's time in milliseconds, renewed at the given interval. */
export function useServerTime(intervalMs: number): number {
  const { clock } = useApi();
  const [now, setNow] = useState(() => clock.now());
  useEffect(() => {
    const tick = () => setNow(clock.now());
    tick();
    const timer = setInterval(tick, intervalMs);
    return () => clearInterval(timer);
  }, [clock, intervalMs]);
  return now;
}
