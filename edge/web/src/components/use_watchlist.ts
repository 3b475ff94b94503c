import { createConnectQueryKey, useQuery } from "@connectrpc/connect-query";
import { AuctionService } from "@contracts/blytz/auction/v1/auction_service_pb";
import { useQueryClient } from "@tanstack/react-query";
import { useApi, useSession } from "../api/hooks";
import { type Command, useCommand } from "../api/use_command";

/** More than anybody watches by hand. */
const WATCHED_MAX = 200;

/** Whether the signed-in person watches an auction, and the way to change that. */
export interface Watching {
  readonly watched: boolean;
  readonly toggle: Command<void>;
}

/** Reads and changes whether an auction is on the person's watch list. */
export function useWatching(auctionId: string): Watching {
  const { auctions, transport } = useApi();
  const queries = useQueryClient();
  const signedIn = useSession() !== null;
  const schema = AuctionService.method.listWatchlist;
  const list = useQuery(schema, { pageSize: WATCHED_MAX }, { enabled: signedIn });
  const watched = list.data?.auctions.some((auction) => auction.auctionId === auctionId) ?? false;
  const toggle = useCommand<void>(async () => {
    if (watched) await auctions.watchlistRemove({ auctionId });
    else await auctions.watchlistAdd({ auctionId });
    const finite = createConnectQueryKey({ schema, transport, cardinality: "finite" });
    const infinite = createConnectQueryKey({ schema, transport, cardinality: "infinite" });
    void queries.invalidateQueries({ queryKey: infinite });
    await queries.invalidateQueries({ queryKey: finite });
  });
  return { watched, toggle };
}
