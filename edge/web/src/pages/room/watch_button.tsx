import { useSession } from "../../api/hooks";
import { Icon } from "../../components/icons";
import { useWatching } from "../../components/use_watchlist";
import { navigate, signInAddress } from "../../router";
import styles from "./watch_button.module.css";

/** The heart that puts an auction on one's watch list, or takes it off. */
export function WatchButton({ auctionId }: { auctionId: string }) {
  const signedIn = useSession() !== null;
  const { watched, toggle } = useWatching(auctionId);
  const press = () => {
    if (signedIn) void toggle.run();
    else navigate(signInAddress());
  };
  return (
    <button
      type="button"
      className={styles.heart}
      aria-pressed={watched}
      aria-label="Watch this auction"
      title={watched ? "On your watch list" : "Put it on your watch list"}
      disabled={toggle.busy}
      onClick={press}
    >
      <Icon name="heart" size={22} />
    </button>
  );
}
