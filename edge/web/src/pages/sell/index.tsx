import { maySell, useSession } from "../../api/hooks";
import { PageHeading } from "../../components/panel";
import { SignInFirst } from "../../components/sign_in_first";
import { useTitle } from "../../components/use_title";
import { ApplyForm } from "./apply_form";
import { LotForm } from "./lot_form";
import { OwnAuctions } from "./own_auctions";
import styles from "./sell.module.css";

/** Where a person becomes a seller, and a seller puts a lot on sale. */
export function SellPage() {
  useTitle("Sell");
  const session = useSession();
  if (!session?.user) return <SignInFirst title="Sell" why="Put something up and go live." />;
  if (!maySell(session)) return <ApplyForm />;
  return (
    <>
      <PageHeading title="Put something up" lead="It goes live the moment you press start." />
      <div className={styles.columns}>
        <LotForm />
        <OwnAuctions sellerId={session.user.userId} />
      </div>
    </>
  );
}
