import { useQuery } from "@connectrpc/connect-query";
import { type Balance, WalletService } from "@contracts/blytz/payment/v1/wallet_service_pb";
import { failureOf } from "../../api/failure";
import { useSession } from "../../api/hooks";
import { sentenceFor } from "../../api/sentences";
import { Notice } from "../../components/notice";
import { PageHeading, Panel } from "../../components/panel";
import { SignInFirst } from "../../components/sign_in_first";
import { useTitle } from "../../components/use_title";
import { formatMoney } from "../../format/money";
import { DepositForm } from "./deposit_form";
import styles from "./wallet.module.css";

/** What the signed-in person has, and the way to add to it. */
export function WalletPage() {
  useTitle("Wallet");
  const session = useSession();
  if (!session) return <SignInFirst title="Wallet" why="Your wallet funds your bids." />;
  return (
    <>
      <PageHeading
        title="Wallet"
        lead="While you lead an auction, your maximum is set aside. Outbid, it is free again."
      />
      <div className={styles.columns}>
        <Balances />
        <Panel title="Add money">
          <DepositForm />
        </Panel>
      </div>
    </>
  );
}

function Balances() {
  const { data, error } = useQuery(WalletService.method.getWallet, {}, { refetchInterval: 3000 });
  if (error && !data) return <Notice kind="bad">{sentenceFor(failureOf(error))}</Notice>;
  if (data?.balances.length === 0) {
    return (
      <div className={styles.empty}>
        <p className={styles.zero}>Nothing here yet</p>
        <p>Add money to place your first bid.</p>
      </div>
    );
  }
  return (
    <div className={styles.balances} aria-live="polite">
      {data?.balances.map((balance) => (
        <BalanceCard key={balance.available?.currencyCode} balance={balance} />
      ))}
    </div>
  );
}

function BalanceCard({ balance }: { balance: Balance }) {
  return (
    <section className={styles.card} aria-label={`Balance in ${balance.available?.currencyCode}`}>
      <p className={styles.label}>Available</p>
      <p className={styles.available}>{formatMoney(balance.available)}</p>
      <dl className={styles.rest}>
        <div>
          <dt>Lent to auctions</dt>
          <dd>{formatMoney(balance.biddingPower)}</dd>
        </div>
        <div>
          <dt>Earned, on its way</dt>
          <dd>{formatMoney(balance.pendingEarnings)}</dd>
        </div>
      </dl>
    </section>
  );
}
