import { lazy, Suspense, useEffect, useRef } from "react";
import styles from "./app.module.css";
import { Header } from "./components/header";
import { AuctionsPage } from "./pages/auctions";
import { NotFoundPage } from "./pages/not_found";
import { RoomPage } from "./pages/room";
import { usePath } from "./router";

// The lists and the rooms come at once; the rest is fetched when somebody opens it.
const SignInPage = lazy(() =>
  import("./pages/account/sign_in").then((page) => ({ default: page.SignInPage })),
);
const SignUpPage = lazy(() =>
  import("./pages/account/sign_up").then((page) => ({ default: page.SignUpPage })),
);
const WalletPage = lazy(() =>
  import("./pages/wallet").then((page) => ({ default: page.WalletPage })),
);
const SellPage = lazy(() => import("./pages/sell").then((page) => ({ default: page.SellPage })));
const ShowsPage = lazy(() => import("./pages/shows").then((page) => ({ default: page.ShowsPage })));
const ShowPage = lazy(() =>
  import("./pages/shows/show_page").then((page) => ({ default: page.ShowPage })),
);

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
        <Suspense fallback={<div role="status" aria-label="Loading" />}>
          <Page path={path} />
        </Suspense>
      </main>
    </>
  );
}

function Page({ path }: { path: string }) {
  const auctionId = /^\/auctions\/([0-9a-f-]{36})$/.exec(path)?.[1];
  if (auctionId) return <RoomPage key={auctionId} auctionId={auctionId} />;
  const showId = /^\/shows\/([0-9a-f-]{36})$/.exec(path)?.[1];
  if (showId) return <ShowPage key={showId} showId={showId} />;
  if (path === "/shows") return <ShowsPage />;
  if (path === "/") return <AuctionsPage />;
  if (path === "/sign-in") return <SignInPage />;
  if (path === "/sign-up") return <SignUpPage />;
  if (path === "/wallet") return <WalletPage />;
  if (path === "/sell") return <SellPage />;
  return <NotFoundPage />;
}
