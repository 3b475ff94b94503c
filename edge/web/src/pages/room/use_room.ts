import { useQuery } from "@connectrpc/connect-query";
import { type Auction, AuctionState } from "@contracts/blytz/auction/v1/auction_pb";
import {
  AuctionService,
  type GetAuctionResponse,
  type ListBidsResponse,
} from "@contracts/blytz/auction/v1/auction_service_pb";
import { useEffect, useState } from "react";
import { type Failure, failureOf } from "../../api/failure";
import { type FeedEvent, watchAuction } from "../../api/feed";
import type { RoomState } from "../../api/fold";
import { useApi, useSession } from "../../api/hooks";
import { pause } from "../../api/pause";
import { browserSurroundings } from "../../api/surroundings";

/** What the auction room knows. */
export interface RoomKnowledge extends FeedEvent {
  /** The auction as it was asked for by name, with the person's own standing. */
  readonly answer: GetAuctionResponse | undefined;
  readonly failure: Failure | null;
  /** Asks for the auction by name again, and watches it from the start. */
  readonly refresh: () => void;
}

const START: FeedEvent & { failure: Failure | null } = {
  status: "connecting",
  room: null,
  failure: null,
};

/** How long to wait for a list of bids that is recent enough, in milliseconds. */
const LIST_AGAIN_MS = 1000;
const BIDS_LISTED = 200;

/** Watches an auction while the component is shown. */
export function useRoom(auctionId: string): RoomKnowledge {
  const { realtime, clock } = useApi();
  const userId = useSession()?.user?.userId ?? "";
  const [feed, setFeed] = useState(START);
  const [round, setRound] = useState(0);
  const asked = useQuery(
    AuctionService.method.getAuction,
    { auctionId },
    { staleTime: 0, refetchOnWindowFocus: true },
  );
  const { refetch } = asked;
  // A draft is its seller's alone: there is nothing to watch yet.
  const draft = asked.data?.auction?.state === AuctionState.DRAFT;

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round watches from the start
  useEffect(() => {
    if (draft) return;
    const controller = new AbortController();
    const watch = async () => {
      const events = watchAuction({
        auctionId,
        open: realtime.watchAuction,
        clock,
        surroundings: browserSurroundings,
        signal: controller.signal,
      });
      for await (const event of events) {
        if (!controller.signal.aborted) setFeed({ ...event, failure: null });
      }
    };
    watch().catch((error: unknown) => {
      if (!controller.signal.aborted) setFeed({ ...START, failure: failureOf(error) });
    });
    return () => controller.abort();
  }, [auctionId, realtime, clock, draft, round]);

  // Another person has another standing.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the person is what it depends on
  useEffect(() => void refetch(), [refetch, userId]);

  const listed = useBidsWhenDoubtful(auctionId, feed.room);
  const askedFailure = asked.error ? failureOf(asked.error) : null;
  return {
    status: draft ? "finished" : feed.status,
    room: withListed(feed.room, listed) ?? fromAuction(asked.data?.auction),
    answer: asked.data,
    failure: asked.data ? null : (feed.failure ?? askedFailure),
    refresh: () => {
      void refetch();
      setRound((count) => count + 1);
    },
  };
}

/** Lists the bids anew when some were taken back, since the feed does not say which. */
function useBidsWhenDoubtful(auctionId: string, room: RoomState | null): ListBidsResponse | null {
  const { auctions } = useApi();
  const [listed, setListed] = useState<ListBidsResponse | null>(null);
  const from = room?.bidsDoubtfulFrom ?? 0n;
  useEffect(() => {
    if (from === 0n) return;
    const controller = new AbortController();
    const list = async () => {
      for (;;) {
        const answer = await auctions.listBids(
          { auctionId, pageSize: BIDS_LISTED },
          { signal: controller.signal },
        );
        if ((answer.position?.sequence ?? 0n) >= from) return setListed(answer);
        await pause(LIST_AGAIN_MS, controller.signal);
      }
    };
    // Without an answer the bids stay as they were; the price and the leader are right anyway.
    list().catch(() => undefined);
    return () => controller.abort();
  }, [auctions, auctionId, from]);
  return listed;
}

/** Returns the room with the bids of a list in place of those that are not to be trusted. */
export function withListed(
  room: RoomState | null,
  listed: ListBidsResponse | null,
): RoomState | null {
  const sequence = listed?.position?.sequence;
  if (!room || !listed || sequence === undefined || room.bidsDoubtfulFrom === 0n) return room;
  if (sequence < room.bidsDoubtfulFrom) return room;
  const later = room.bids.filter((bid) => bid.sequence > sequence);
  return { ...room, bids: [...later, ...listed.bids] };
}

/** Returns the room of an auction whose feed has not spoken yet; null without an auction. */
function fromAuction(auction: Auction | undefined): RoomState | null {
  if (!auction?.position) return null;
  const { position } = auction;
  return {
    auction,
    bids: [],
    bidsDoubtfulFrom: 0n,
    position,
    extendedAtMs: 0,
    cancellationReason: "",
  };
}
