import { createConnectQueryKey, useInfiniteQuery, useQuery } from "@connectrpc/connect-query";
import { ShowState } from "@contracts/blytz/auction/v1/show_pb";
import { type GetShowResponse, ShowService } from "@contracts/blytz/auction/v1/show_service_pb";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { type Failure, failureOf } from "../../api/failure";
import { useApi, useSession } from "../../api/hooks";
import { type Command, useCommand } from "../../api/use_command";
import { useShowsClient } from "./use_shows_client";

const PAGE_SIZE = 24;
/** How often a show is read again while it is not over. */
const LOOK_AGAIN_MS = 2000;

/** Lists shows of one state, or those that the person has bookmarked, page by page. */
export function useShows(state: ShowState, bookmarkedOnly: boolean, enabled = true) {
  return useInfiniteQuery(
    ShowService.method.listShows,
    { state, bookmarkedOnly, pageSize: PAGE_SIZE, pageToken: "" },
    {
      enabled,
      pageParamKey: "pageToken",
      getNextPageParam: (page) => page.nextPageToken || undefined,
      refetchInterval: 5000,
    },
  );
}

/** A show as it was last read. */
export interface ShowKnowledge {
  readonly answer: GetShowResponse | undefined;
  readonly failure: Failure | null;
  readonly refresh: () => Promise<void>;
}

/** Reads a show again and again until it is over. */
export function useShow(showId: string): ShowKnowledge {
  const userId = useSession()?.user?.userId ?? "";
  const asked = useQuery(
    ShowService.method.getShow,
    { showId },
    {
      staleTime: 0,
      refetchInterval: ({ state }) =>
        state.data?.show?.state === ShowState.ENDED ? false : LOOK_AGAIN_MS,
    },
  );
  const { refetch } = asked;
  // Another person has other bookmarks.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the person is what it depends on
  useEffect(() => void refetch(), [refetch, userId]);
  return {
    answer: asked.data,
    failure: asked.data || !asked.error ? null : failureOf(asked.error),
    refresh: async () => void (await refetch()),
  };
}

/** Puts a show on the person's list, or takes it off. */
export function useBookmark(showId: string, bookmarked: boolean): Command<void> {
  const { transport } = useApi();
  const shows = useShowsClient();
  const queries = useQueryClient();
  return useCommand<void>(async () => {
    await shows.bookmarkShow({ showId, remove: bookmarked });
    const schema = ShowService.method.getShow;
    const queryKey = createConnectQueryKey({ schema, transport, cardinality: "finite" });
    await queries.invalidateQueries({ queryKey });
  });
}
