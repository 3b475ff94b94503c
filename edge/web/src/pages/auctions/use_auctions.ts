import { useInfiniteQuery } from "@connectrpc/connect-query";
import { AuctionState } from "@contracts/blytz/auction/v1/auction_pb";
import { AuctionService } from "@contracts/blytz/auction/v1/auction_service_pb";

const PAGE_SIZE = 24;

/** Lists auctions of one state page by page; the live ones are read again every few seconds. */
export function useAuctions(state: AuctionState, sellerId = "") {
  return useInfiniteQuery(
    AuctionService.method.listAuctions,
    { state, sellerId, pageSize: PAGE_SIZE, pageToken: "" },
    {
      pageParamKey: "pageToken",
      getNextPageParam: (page) => page.nextPageToken || undefined,
      refetchInterval: state === AuctionState.LIVE ? 3000 : 10_000,
    },
  );
}

/** Lists the auctions that the signed-in person watches, latest added first. */
export function useWatchlist(enabled: boolean) {
  return useInfiniteQuery(
    AuctionService.method.listWatchlist,
    { pageSize: PAGE_SIZE, pageToken: "" },
    {
      enabled,
      pageParamKey: "pageToken",
      getNextPageParam: (page) => page.nextPageToken || undefined,
      refetchInterval: 5000,
    },
  );
}
