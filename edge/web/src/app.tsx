import { useEffect, useRef } from "react";
import styles from "./app.module.css";
import { Header } from "./components/header";
import { SignInPage, SignUpPage } from "./pages/account";
import { AuctionsPage } from "./pages/auctions";
import { NotFoundPage } from "./pages/not_found";
import { RoomPage } from "./pages/room";
import { SellPage } from "./pages/sell";
import { WalletPage } from "./pages/wallet";
import { usePath } from "./router";

/** The page: a header, and what belongs to the path below it. */
export function App() {
  const path = usePath();
  const main = useRef<HTMLElement>(null);
  const shown = useRef(path);
  useEffect(() => {
    // A screen reader goes on reading where the new page begins.
    if (shown.current !== path) main.current?.focus({ preventScroll: true });
    shown.current = path;
  }, [path]);
  return (
    <>
      <a className="skip-link" href="#content">
        Skip to the content
      </a>
      <Header />
      <main id="content" ref={main} tabIndex={-1} className={styles.main}>
        <Page path={path} />
      </main>
    </>
  );
}

function Page({ path }: { path: string }) {
  const auctionId = /^\/auctions\/([0-9a-f-]{36})$/.exec(path)?.[1];
  if (auctionId) return <RoomPage key={auctionId} auctionId={auctionId} />;
  if (path === "/") return <AuctionsPage />;
  if (path === "/sign-in") return <SignInPage />;
  if (path === "/sign-up") return <SignUpPage />;
  if (path === "/wallet") return <WalletPage />;
  if (path === "/sell") return <SellPage />;
  return <NotFoundPage />;
}
