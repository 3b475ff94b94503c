import { type Client, createClient } from "@connectrpc/connect";
import { ShowService } from "@contracts/blytz/auction/v1/show_service_pb";
import { useMemo } from "react";
import { useApi } from "../../api/hooks";

/** Returns what the page says to `ShowService`; it is loaded with the pages about shows. */
export function useShowsClient(): Client<typeof ShowService> {
  const { transport } = useApi();
  return useMemo(() => createClient(ShowService, transport), [transport]);
}
