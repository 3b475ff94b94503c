import { useApi, useSession } from "../api/hooks";
import { Link, navigate, signInAddress, usePath } from "../router";
import { Avatar } from "./avatar";
import { buttonClass } from "./button";
import styles from "./header.module.css";
import { Icon } from "./icons";
import { WalletChip } from "./wallet_chip";

/** The bar on top of every page. */
export function Header() {
  const path = usePath();
  const session = useSession();
  const mark = (href: string) => (path === href ? { "aria-current": "page" as const } : {});
  return (
    <header className={styles.header}>
      <div className={styles.row}>
        <Link href="/" className={styles.brand} aria-label="Blytz, all auctions">
          <span className={styles.bolt}>
            <Icon name="bolt" size={18} />
          </span>
          <span className={styles.name}>Blytz</span>
        </Link>
        <nav className={styles.nav} aria-label="Main">
          <Link href="/" {...mark("/")} className={styles.auctions}>
            Auctions
          </Link>
          <Link href="/shows" {...mark("/shows")}>
            Shows
          </Link>
          <Link href="/sell" {...mark("/sell")}>
            Sell
          </Link>
        </nav>
        <div className={styles.person}>
          {session ? (
            <>
              <WalletChip />
              <Account name={session.user?.displayName ?? ""} />
            </>
          ) : (
            <Link href={signInAddress()} className={buttonClass("primary")}>
              Sign in
            </Link>
          )}
        </div>
      </div>
    </header>
  );
}

function Account({ name }: { name: string }) {
  const { session } = useApi();
  const leave = () => {
    session.signOut();
    navigate("/");
  };
  return (
    <details className={styles.account}>
      <summary aria-label={`Account of ${name}`}>
        <Avatar alias={name} size={36} />
      </summary>
      <div className={styles.menu}>
        <p className={styles.who}>
          Signed in as <strong>{name}</strong>
        </p>
        <button type="button" onClick={leave}>
          Sign out
        </button>
      </div>
    </details>
  );
}
