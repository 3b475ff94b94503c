import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { AuctionService } from "@contracts/blytz/auction/v1/auction_service_pb";
import { AuthService } from "@contracts/blytz/identity/v1/auth_service_pb";
import { UserService } from "@contracts/blytz/identity/v1/user_service_pb";
import { WalletService } from "@contracts/blytz/payment/v1/wallet_service_pb";
import { RealtimeService } from "@contracts/blytz/realtime/v1/realtime_service_pb";
import { ServerClock } from "./clock";
import { contractTransport, NO_TOKENS } from "./contract_transport";
import { SessionStore, type SessionSurroundings } from "./session";

/** Everything that the page says to the mesh, and the session and clock that come with it. */
export interface Api {
  readonly transport: Transport;
  readonly clock: ServerClock;
  readonly session: SessionStore;
  readonly auth: Client<typeof AuthService>;
  readonly users: Client<typeof UserService>;
  readonly auctions: Client<typeof AuctionService>;
  readonly wallet: Client<typeof WalletService>;
  readonly realtime: Client<typeof RealtimeService>;
}

/** Builds the page's side of the contracts over a transport. */
export function createApi(base: Transport, surroundings: SessionSurroundings): Api {
  const clock = new ServerClock();
  const auth = createClient(AuthService, contractTransport(base, NO_TOKENS, clock));
  const session = new SessionStore(auth, clock, surroundings);
  const transport = contractTransport(base, session, clock);
  return {
    transport,
    clock,
    session,
    auth,
    users: createClient(UserService, transport),
    auctions: createClient(AuctionService, transport),
    wallet: createClient(WalletService, transport),
    realtime: createClient(RealtimeService, transport),
  };
}

/**
 * The session surroundings of a browser: its local storage, and a lock that all its pages share.
 */
export const browserSessionSurroundings: SessionSurroundings = {
  storage: localStorageOf(globalThis),
  exclusively: (task) =>
    "locks" in navigator ? navigator.locks.request("blytz.session", task) : task(),
};

function localStorageOf(scope: typeof globalThis): SessionSurroundings["storage"] {
  const kept = new Map<string, string>();
  try {
    return scope.localStorage;
  } catch {
    // Storage is forbidden on this device: the session lives as long as the page.
    return {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
      removeItem: (key) => void kept.delete(key),
    };
  }
}
