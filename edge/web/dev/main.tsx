import { MoneySchema } from "@contracts/blytz/common/v1/money_pb";
import { PositionSchema } from "@contracts/blytz/common/v1/position_pb";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { AuctionSchema, AuctionOutcome, AuctionState, BidSchema, ReserveStatus, type Auction, type Bid } from "@contracts/blytz/auction/v1/auction_pb";
import { AuctionService } from "@contracts/blytz/auction/v1/auction_service_pb";
import { AuthService, SessionSchema } from "@contracts/blytz/identity/v1/auth_service_pb";
import { UserService, Role } from "@contracts/blytz/identity/v1/user_service_pb";
import { WalletService, DepositState } from "@contracts/blytz/payment/v1/wallet_service_pb";
import { ErrorInfoSchema } from "@contracts/google/rpc/error_details_pb";
import { RealtimeService, type WatchAuctionResponse, WatchAuctionResponseSchema } from "@contracts/blytz/realtime/v1/realtime_service_pb";
import { createApi, browserSessionSurroundings } from "../src/api/client";
import { show } from "../src/show";

const usd = (m: number | bigint) => create(MoneySchema, { currencyCode: "USD", amountMinor: BigInt(m) });
const at2 = (sequence: bigint) => create(PositionSchema, { epoch: 1, sequence });
const ALIASES = ["Amber Heron 27", "Coral Otter 4", "Indigo Lynx 88", "Mint Falcon 12", "Rust Badger 61", "Opal Finch 35", "Slate Wolf 9", "Lime Gecko 50"];
const TITLES = ["Cartier Tank, 1990s", "Palm M515, boxed", "Xbox, translucent green", "Leica M3 double stroke, 1955", "Eames lounge chair, rosewood", "Jordan 1 Chicago, size 43", "Roland TR-808", "First edition Dune, signed", "Omega Speedmaster 105.012", "Pokémon Charizard, PSA 9", "Braun T3 pocket radio"];
const id = (n: number) => `0193${n.toString(16).padStart(4, "0")}-0000-7000-8000-${n.toString(16).padStart(12, "0")}`;
const params = new URLSearchParams(location.search);
const scenario = params.get("s") ?? "live";
interface Lot { auction: Auction; bids: Bid[]; seq: bigint; own: boolean; ownMax: bigint; listeners: Set<(f: WatchAuctionResponse) => void> }
const lots = new Map<string, Lot>();
const now = Date.now();
TITLES.forEach((title, n) => {
  const endsMs = now + [47, 130, 320, 900, 4000, 9000, 60000, 90000, 200000, 300000, 500000][n]! * 1000;
  const auction = create(AuctionSchema, {
    auctionId: id(n + 1), sellerId: id(99), sellerName: ["Second Hand Watches", "Retro Lab", "Nordic Rooms"][n % 3]!, title,
    description: "Worn with love, serviced last spring. Box and papers are there, the strap is new.\n\nShips insured from Lisbon within two days.",
    terms: { format: 1, openingPrice: usd(1000 + n * 900), softClose: { extendWithin: { seconds: 10n }, extendBy: { seconds: 30n }, extensionsMax: 100 }, fundingPolicy: 1 },
    reserveStatus: n % 3 === 0 ? ReserveStatus.NOT_MET : ReserveStatus.NONE, state: AuctionState.LIVE,
    price: usd(1000 + n * 900), minimumNextBid: usd(1000 + n * 900), bidCount: 0, startsAt: timestampFromMs(now - 180_000), endsAt: timestampFromMs(endsMs), createdAt: timestampFromMs(now - 300_000), position: { epoch: 1, sequence: 2n },
  });
  lots.set(auction.auctionId, { auction, bids: [], seq: 2n, own: false, ownMax: 0n, listeners: new Set() });
});
function step(p: number) { return p < 2500 ? 50 : p < 10000 ? 100 : p < 25000 ? 250 : p < 50000 ? 500 : 1000; }
function bid(lot: Lot, alias: string, price: number, leader: string, at = Date.now(), quiet = false) {
  lot.seq += 1n;
  const b = create(BidSchema, { bidId: id(Number(lot.seq) + 5000), auctionId: lot.auction.auctionId, sequence: lot.seq, bidderAlias: alias, price: usd(price), leaderAlias: leader, placedAt: timestampFromMs(Math.round(at)) });
  lot.bids.unshift(b);
  const min = usd(price + step(price));
  const reserveStatus = lot.auction.reserveStatus === ReserveStatus.NONE ? ReserveStatus.NONE : price > 15000 ? ReserveStatus.MET : ReserveStatus.NOT_MET;
  lot.auction = create(AuctionSchema, { ...lot.auction, price: usd(price), leaderAlias: leader, minimumNextBid: min, bidCount: lot.auction.bidCount + 1, reserveStatus, position: at2(lot.seq) });
  if (!quiet) emit(lot, { updates: [{ sequence: lot.seq, occurredAt: timestampFromMs(at), change: { case: "bid", value: { bid: b, minimumNextBid: min, bidCount: lot.auction.bidCount, reserveStatus } } }] });
  return b;
}
function emit(lot: Lot, f: any) {
  const frame = create(WatchAuctionResponseSchema, { position: at2(lot.seq), serverTime: timestampFromMs(Date.now()), ...f });
  for (const l of lot.listeners) l(frame);
}
function extend(lot: Lot) {
  const left = Number(lot.auction.endsAt!.seconds) * 1000 - Date.now();
  if (left > 10_000) return;
  lot.seq += 1n;
  const endsAt = timestampFromMs(Date.now() + 30_000);
  lot.auction = create(AuctionSchema, { ...lot.auction, endsAt, extensionCount: lot.auction.extensionCount + 1, position: at2(lot.seq) });
  emit(lot, { updates: [{ sequence: lot.seq, occurredAt: timestampFromMs(Date.now()), change: { case: "extension", value: { endsAt, extensionCount: lot.auction.extensionCount } } }] });
}
const pick = <T,>(list: readonly T[]) => list[Math.floor(Math.random() * list.length)]!;
let seed = 7; const rnd = () => ((seed = (seed * 16807) % 2147483647) / 2147483647);
for (const lot of lots.values()) {
  let p = Number(lot.auction.price!.amountMinor), t = now - 170_000;
  const count = Math.floor(rnd() * 26) + (lot.auction.auctionId === id(1) ? 18 : 0);
  for (let i = 0; i < count; i++) {
    const a = ALIASES[Math.floor(rnd() * ALIASES.length)]!;
    if (i) p += step(p) * (1 + Math.floor(rnd() * 3));
    t += rnd() * (170_000 / (count + 1)) * 1.6; if (t > now - 1500) break;
    bid(lot, a, p, a, t, true);
  }
}
const first = lots.get(id(1))!;
if (scenario === "urgent") first.auction.endsAt = timestampFromMs(now + 9800);
if (scenario === "sold" || scenario === "won") {
  first.auction.state = AuctionState.ENDED; first.auction.outcome = AuctionOutcome.SOLD; first.auction.endsAt = timestampFromMs(now);
  if (scenario === "won") { first.own = true; first.auction.leaderAlias = "Opal Finch 35"; }
}
if (scenario === "leading" || scenario === "outbid") {
  first.own = true; first.ownMax = 40_000n;
  const p = Number(first.auction.price!.amountMinor);
  bid(first, "Opal Finch 35", p + 200, "Opal Finch 35", now - 6000, true);
  if (scenario === "outbid") { first.ownMax = BigInt(p + 400); bid(first, "Rust Badger 61", p + 700, "Rust Badger 61", now - 2000, true); }
}
if (params.get("bots") !== "0") setInterval(() => {
  const lot = first; if (lot.auction.state !== AuctionState.LIVE) return;
  const a = pick(ALIASES); const p = Number(lot.auction.minimumNextBid!.amountMinor);
  bid(lot, a, p, a); extend(lot);
}, 2500);
let balance = scenario === "empty" ? 0n : 48_250n;
let roles: Role[] = params.get("role") === "seller" ? [Role.SELLER] : [];
const session = () => create(SessionSchema, { accessToken: `t${Date.now()}`, accessTokenExpiresAt: timestampFromMs(Date.now() + 900_000), refreshToken: "x".repeat(30), user: { userId: params.get("role") === "seller" ? id(99) : id(500), displayName: "Ada", email: "ada@example.com", roles } });
const oops = (reason: string, code: Code, metadata = {}) => new ConnectError(reason, code, undefined, [{ desc: ErrorInfoSchema, value: { reason, domain: "blytz.live", metadata } }]);
const transport = createRouterTransport(({ service }) => {
  service(AuthService, { register: () => ({ session: session() }), login: () => ({ session: session() }), refreshToken: () => ({ session: session() }) });
  service(UserService, { applyAsSeller: () => { roles = [Role.SELLER]; return {}; } });
  service(WalletService, {
    getWallet: () => ({ balances: balance ? [{ available: usd(balance), biddingPower: usd(12_000), pendingEarnings: usd(0) }] : [] }),
    createDeposit: (r) => { if (r.paymentMethodId.includes("Declined")) throw oops("CARD_DECLINED", Code.FailedPrecondition, { decline_code: "insufficient_funds" }); balance += r.amount!.amountMinor; return { deposit: { state: DepositState.SUCCEEDED, amount: r.amount! } }; },
  });
  service(AuctionService, {
    listAuctions: (r) => ({ auctions: [...lots.values()].map((l) => l.auction).filter((a) => a.state === r.state && (!r.sellerId || a.sellerId === r.sellerId)) }),
    getAuction: (r) => { const l = lots.get(r.auctionId); if (!l) throw oops("AUCTION_NOT_FOUND", Code.NotFound); return { auction: l.auction, ...(l.own ? { ownStanding: { alias: "Opal Finch 35", leading: l.auction.leaderAlias === "Opal Finch 35", maximum: usd(l.ownMax) } } : {}) }; },
    placeBid: async (r) => {
      await new Promise((f) => setTimeout(f, 350));
      const l = lots.get(r.auctionId)!; const m = r.maximum!.amountMinor; const min = l.auction.minimumNextBid!.amountMinor;
      if (m < min) throw oops("BID_TOO_LOW", Code.FailedPrecondition, { minimum_minor: String(min) });
      if (m > balance) throw oops("INSUFFICIENT_FUNDS", Code.FailedPrecondition, { shortfall_minor: String(m - balance) });
      l.own = true; l.ownMax = m; const b = bid(l, "Opal Finch 35", Number(min), "Opal Finch 35"); extend(l);
      return { bid: b, leading: true, price: b.price!, minimumNextBid: l.auction.minimumNextBid!, position: { epoch: 1, sequence: l.seq }, endsAt: l.auction.endsAt! };
    },
  });
  service(RealtimeService, {
    async *watchAuction(r, ctx) {
      const l = lots.get(r.auctionId); if (!l) throw oops("AUCTION_NOT_FOUND", Code.NotFound);
      const queue: WatchAuctionResponse[] = []; let wake = () => {};
      const listen = (f: WatchAuctionResponse) => { queue.push(f); wake(); };
      l.listeners.add(listen); ctx.signal.addEventListener("abort", () => wake());
      yield create(WatchAuctionResponseSchema, { position: { epoch: 1, sequence: l.seq }, serverTime: timestampFromMs(Date.now()), snapshot: { auction: l.auction, recentBids: l.bids.slice(0, 50) } });
      while (!ctx.signal.aborted) { const f = queue.shift(); if (f) yield f; else await new Promise<void>((res) => { wake = res; }); }
      l.listeners.delete(listen);
    },
  });
});
const api = createApi(transport, browserSessionSurroundings);
if (params.get("in") === "1") api.session.adopt(session()); else api.session.signOut();
if (params.get("p")) history.replaceState(null, "", params.get("p"));
show(api);
