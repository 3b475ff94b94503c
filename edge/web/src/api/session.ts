import { fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Client, Code } from "@connectrpc/connect";
import {
  type AuthService,
  type Session,
  SessionSchema,
} from "@contracts/blytz/identity/v1/auth_service_pb";
import type { ServerClock } from "./clock";
import type { Tokens } from "./contract_transport";
import { failureOf } from "./failure";

const STORAGE_KEY = "blytz.session";
const RENEW_BEFORE_EXPIRY_MS = 45_000;

/** What a session store needs of its surroundings. */
export interface SessionSurroundings {
  storage: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  /** Runs one task at a time over all pages of this browser: a refresh token works only once. */
  exclusively<R>(task: () => Promise<R>): Promise<R>;
}

/**
 * Keeps the signed-in person's session, and renews it before it expires or when it was refused.
 * All pages of one browser share it; whoever comes second takes what the first has fetched.
 */
export class SessionStore implements Tokens {
  readonly #auth: Client<typeof AuthService>;
  readonly #clock: ServerClock;
  readonly #surroundings: SessionSurroundings;
  readonly #listeners = new Set<() => void>();
  #session: Session | null;
  #renewal: Promise<string | null> | null = null;

  constructor(
    auth: Client<typeof AuthService>,
    clock: ServerClock,
    surroundings: SessionSurroundings,
  ) {
    this.#auth = auth;
    this.#clock = clock;
    this.#surroundings = surroundings;
    this.#session = this.#stored();
  }

  /** The session now; null when nobody is signed in. The same object until it changes. */
  readonly current = (): Session | null => this.#session;

  /** Calls the listener after each change; returns the way to stop that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Takes a session that the server has just given. */
  adopt(session: Session | undefined): void {
    if (!session) return;
    this.#surroundings.storage.setItem(STORAGE_KEY, toJsonString(SessionSchema, session));
    this.#replaceWith(session);
  }

  /** Forgets the session on this browser. */
  signOut(): void {
    this.#surroundings.storage.removeItem(STORAGE_KEY);
    this.#replaceWith(null);
  }

  /** Takes over what another page of this browser has stored. */
  readonly reload = (): void => this.#replaceWith(this.#stored());

  async accessToken(): Promise<string | null> {
    const session = this.#session;
    if (!session?.accessTokenExpiresAt) return null;
    const leftMs = timestampMs(session.accessTokenExpiresAt) - this.#clock.now();
    if (leftMs > RENEW_BEFORE_EXPIRY_MS) return session.accessToken;
    return await this.replace(session.accessToken);
  }

  replace(refusedToken: string): Promise<string | null> {
    this.#renewal ??= this.#surroundings
      .exclusively(() => this.#renew(refusedToken))
      .finally(() => {
        this.#renewal = null;
      });
    return this.#renewal;
  }

  /** Gets new tokens now, for example because the person's roles have changed. */
  async renew(): Promise<void> {
    if (this.#session) await this.replace(this.#session.accessToken);
  }

  async #renew(refusedToken: string): Promise<string | null> {
    const stored = this.#stored();
    if (stored?.accessToken !== refusedToken) {
      this.#replaceWith(stored);
      return stored?.accessToken ?? null;
    }
    try {
      const { session } = await this.#auth.refreshToken({ refreshToken: stored.refreshToken });
      this.adopt(session);
      return session?.accessToken ?? null;
    } catch (error) {
      if (failureOf(error).code !== Code.Unauthenticated) throw error;
      this.signOut();
      return null;
    }
  }

  #stored(): Session | null {
    const text = this.#surroundings.storage.getItem(STORAGE_KEY);
    if (!text) return null;
    try {
      return fromJsonString(SessionSchema, text, { ignoreUnknownFields: true });
    } catch {
      // Written by another version of the page: as good as no session.
      this.#surroundings.storage.removeItem(STORAGE_KEY);
      return null;
    }
  }

  #replaceWith(session: Session | null): void {
    if (session?.accessToken === this.#session?.accessToken) return;
    this.#session = session;
    for (const listener of this.#listeners) listener();
  }
}
