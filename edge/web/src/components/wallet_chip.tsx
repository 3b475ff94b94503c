import { useQuery } from "@connectrpc/connect-query";
import { WalletService } from "@contracts/blytz/payment/v1/wallet_service_pb";
import { formatMoney } from "../format/money";
import { Link } from "../router";
import { Icon } from "./icons";
import styles from "./wallet_chip.module.css";

/** What the signed-in person can spend, as a link to their wallet. */
export function WalletChip() {
  const { data } = useQuery(WalletService.method.getWallet, {}, { refetchInterval: 15_000 });
  const available = data?.balances[0]?.available;
  return (
    <Link href="/wallet" className={styles.chip}>
      <Icon name="wallet" size={18} />
      <span className="visually-hidden">Wallet</span>
      <span>{available ? formatMoney(available) : data ? "Add money" : "Wallet"}</span>
    </Link>
  );
}
