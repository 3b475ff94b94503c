import { createConnectQueryKey } from "@connectrpc/connect-query";
import { WalletService } from "@contracts/blytz/payment/v1/wallet_service_pb";
import { useQueryClient } from "@tanstack/react-query";
import { useApi } from "./hooks";

/** Returns the way to read the wallet again, for after something that moves money. */
export function useRefreshWallet(): () => Promise<void> {
  const { transport } = useApi();
  const queries = useQueryClient();
  const schema = WalletService.method.getWallet;
  const queryKey = createConnectQueryKey({ schema, transport, cardinality: "finite" });
  return () => queries.invalidateQueries({ queryKey });
}
