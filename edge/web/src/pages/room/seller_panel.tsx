import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Auction, AuctionState } from "@contracts/blytz/auction/v1/auction_pb";
import { useState } from "react";
import { isOver } from "../../api/fold";
import { useApi } from "../../api/hooks";
import { sentenceFor } from "../../api/sentences";
import { useCommand } from "../../api/use_command";
import { Button, buttonClass } from "../../components/button";
import { Choice } from "../../components/field";
import { Notice } from "../../components/notice";
import { Link } from "../../router";
import { DURATIONS, type DurationSeconds } from "../sell/choices";
import styles from "./bid_panel.module.css";

/** What a seller can do with their own auction, as far as its state may allow it. */
export function SellerPanel({ auction, onChanged }: { auction: Auction; onChanged: () => void }) {
  const { auctions, clock } = useApi();
  const [seconds, setSeconds] = useState<DurationSeconds>("300");
  const { auctionId } = auction;
  const draft = auction.state === AuctionState.DRAFT;
  const live = auction.state === AuctionState.LIVE;
  const command = useCommand(async (what: "start" | "close" | "cancel") => {
    if (what === "start") {
      const endsAt = timestampFromMs(clock.now() + Number(seconds) * 1000);
      await auctions.startAuction(draft ? { auctionId, endsAt } : { auctionId });
    } else if (what === "close") await auctions.closeAuction({ auctionId });
    else await auctions.cancelAuction({ auctionId, reason: "Called off by the seller." });
    onChanged();
  });
  return (
    <div className={styles.panel}>
      <p className={styles.headline}>Your auction</p>
      {auction.showId && !isOver(auction) ? (
        <Link href={`/shows/${auction.showId}`} className={buttonClass("volt", true)}>
          Run it from the show
        </Link>
      ) : null}
      {isOver(auction) ? (
        <>
          <p className={styles.detail}>It is over. The scoreboard says how it ended.</p>
          <Link href="/sell" className={buttonClass("volt", true)}>
            Sell something else
          </Link>
        </>
      ) : null}
      {draft ? (
        <Choice label="Runs for" value={seconds} options={DURATIONS} onChange={setSeconds} />
      ) : null}
      {command.failure ? <Notice kind="bad">{sentenceFor(command.failure)}</Notice> : null}
      {draft || auction.state === AuctionState.SCHEDULED ? (
        <Button kind="volt" wide busy={command.busy} onClick={() => command.run("start")}>
          Start now
        </Button>
      ) : null}
      {isOver(auction) ? null : (
        <div className={styles.ways}>
          {live ? (
            <Button kind="quiet" disabled={command.busy} onClick={() => command.run("close")}>
              End now
            </Button>
          ) : null}
          <Button kind="quiet" disabled={command.busy} onClick={() => command.run("cancel")}>
            Call off
          </Button>
        </div>
      )}
    </div>
  );
}
