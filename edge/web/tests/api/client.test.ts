import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  Code,
  ConnectError,
  createRouterTransport,
  type HandlerContext,
} from "@connectrpc/connect";
import { AuctionService } from "@contracts/blytz/auction/v1/auction_service_pb";
import { AuthService, SessionSchema } from "@contracts/blytz/identity/v1/auth_service_pb";
import { ErrorInfoSchema } from "@contracts/google/rpc/error_details_pb";
import { beforeEach, describe, expect, it } from "vitest";
import { type Api, createApi } from "../../src/api/client";
import { failureOf } from "../../src/api/failure";
import { AUCTION_ID, auctionAt, usd } from "../fakes/frames";
import { FakeBrowser } from "../fakes/surroundings";

const REQUEST_ID = "00000000-0000-4000-8000-000000000001";
const BID = { requestId: REQUEST_ID, auctionId: AUCTION_ID, maximum: usd(1050) };

/** A mesh whose tokens are numbered, and which refuses those below `oldestToken`. */
class FakeMesh {
  issued = 0;
  oldestToken = 1;
  refreshes = 0;
  lifetimeMs = 900_000;
  readonly calls: { method: string; context: HandlerContext; requestId?: string }[] = [];
  failures: ConnectError[] = [];

  readonly transport = createRouterTransport(({ service }) => {
    service(AuthService, {
      refreshToken: ({ refreshToken }) => {
        this.refreshes += 1;
        if (refreshToken !== `refresh token ${this.issued}`)
          throw new ConnectError("reused", Code.Unauthenticated);
        return { session: this.session() };
      },
    });
    service(AuctionService, {
      getAuction: (_request, context) => {
        this.#take("GetAuction", context);
        return { auction: auctionAt(3) };
      },
      placeBid: ({ requestId }, context) => {
        this.#take("PlaceBid", context, requestId);
        return { leading: true };
      },
      startAuction: (_request, context) => {
        this.#take("StartAuction", context);
        return {};
      },
    });
  });

  session() {
    this.issued += 1;
    return create(SessionSchema, {
      accessToken: `access token ${this.issued}`,
      accessTokenExpiresAt: timestampFromMs(Date.now() + this.lifetimeMs),
      refreshToken: `refresh token ${this.issued}`,
    });
  }

  #take(method: string, context: HandlerContext, requestId?: string) {
    this.calls.push({ method, context, ...(requestId ? { requestId } : {}) });
    const failure = this.failures.shift();
    if (failure) throw failure;
    const token = /access token (\d+)/.exec(context.requestHeader.get("authorization") ?? "")?.[1];
    if (token && Number(token) < this.oldestToken)
      throw new ConnectError("expired", Code.Unauthenticated);
  }
}

let mesh: FakeMesh;
let browser: FakeBrowser;
let api: Api;

beforeEach(() => {
  mesh = new FakeMesh();
  browser = new FakeBrowser();
  api = createApi(mesh.transport, browser);
});

describe("a call", () => {
  it("has the deadline and the route key of its contract", async () => {
    await api.auctions.getAuction({ auctionId: AUCTION_ID });
    const { context } = mesh.calls[0] ?? {};
    expect(context?.requestHeader.get("x-route-key")).toBe(AUCTION_ID);
    expect(context?.timeoutMs()).toBeLessThanOrEqual(2000);
    expect(context?.timeoutMs()).toBeGreaterThan(1000);
  });

  it("carries the token of the person who is signed in, and none of nobody", async () => {
    await api.auctions.getAuction({ auctionId: AUCTION_ID });
    api.session.adopt(mesh.session());
    await api.auctions.getAuction({ auctionId: AUCTION_ID });
    const sent = mesh.calls.map(({ context }) => context.requestHeader.get("authorization"));
    expect(sent).toEqual([null, "Bearer access token 1"]);
  });

  it("is repeated as the same command when the service is away", async () => {
    mesh.failures = [
      new ConnectError("away", Code.Unavailable),
      new ConnectError("away", Code.Unavailable),
    ];
    const answer = await api.auctions.placeBid(BID);
    expect(answer.leading).toBe(true);
    expect(mesh.calls.map(({ requestId }) => requestId)).toEqual([
      REQUEST_ID,
      REQUEST_ID,
      REQUEST_ID,
    ]);
  });

  it("is not repeated where the contract calls that unsafe", async () => {
    mesh.failures = [new ConnectError("away", Code.Unavailable)];
    await expect(api.auctions.startAuction({ auctionId: AUCTION_ID })).rejects.toMatchObject({
      code: Code.Unavailable,
    });
    expect(mesh.calls).toHaveLength(1);
  });

  it("is not repeated when the server has decided", async () => {
    const detail = {
      reason: "BID_TOO_LOW",
      domain: "blytz.live",
      metadata: { minimum_minor: "1100" },
    };
    const details = [{ desc: ErrorInfoSchema, value: detail }];
    mesh.failures = [new ConnectError("too low", Code.FailedPrecondition, undefined, details)];
    const error = await api.auctions.placeBid(BID).catch((reason: unknown) => reason);
    expect(failureOf(error)).toMatchObject({
      reason: "BID_TOO_LOW",
      metadata: { minimum_minor: "1100" },
    });
    expect(mesh.calls).toHaveLength(1);
  });
});

describe("a session", () => {
  it("is renewed once when its token was refused, however many calls were", async () => {
    api.session.adopt(mesh.session());
    mesh.oldestToken = 2;
    await Promise.all([
      api.auctions.placeBid(BID),
      api.auctions.placeBid(BID),
      api.auctions.placeBid(BID),
    ]);
    expect(mesh.refreshes).toBe(1);
    expect(api.session.current()?.accessToken).toBe("access token 2");
  });

  it("is renewed before it expires", async () => {
    mesh.lifetimeMs = 20_000;
    api.session.adopt(mesh.session());
    mesh.lifetimeMs = 900_000;
    await api.auctions.placeBid(BID);
    expect(mesh.calls.map(({ context }) => context.requestHeader.get("authorization"))).toEqual([
      "Bearer access token 2",
    ]);
  });

  it("is renewed by one of two pages of a browser, and taken over by the other", async () => {
    api.session.adopt(mesh.session());
    const other = createApi(mesh.transport, browser);
    mesh.oldestToken = 2;
    await Promise.all([api.auctions.placeBid(BID), other.auctions.placeBid(BID)]);
    expect(mesh.refreshes).toBe(1);
    expect(other.session.current()?.accessToken).toBe("access token 2");
  });

  it("is over when the refresh token is refused; public calls go on without it", async () => {
    api.session.adopt(mesh.session());
    mesh.issued = 7;
    mesh.oldestToken = 8;
    const { auction } = await api.auctions.getAuction({ auctionId: AUCTION_ID });
    expect(auction?.auctionId).toBe(AUCTION_ID);
    expect(api.session.current()).toBeNull();
    expect(createApi(mesh.transport, browser).session.current()).toBeNull();
  });

  it("survives a reload of the page", async () => {
    api.session.adopt(mesh.session());
    expect(createApi(mesh.transport, browser).session.current()?.accessToken).toBe(
      "access token 1",
    );
  });
});
