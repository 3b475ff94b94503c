import { Code } from "@connectrpc/connect";
import { useSession } from "../../api/hooks";
import { sentenceFor } from "../../api/sentences";
import { Button } from "../../components/button";
import { Notice } from "../../components/notice";
import { useTitle } from "../../components/use_title";
import { formatMoney } from "../../format/money";
import { NotFoundPage } from "../not_found";
import { BidPanel } from "./bid_panel";
import { History } from "./history";
import { About, Lot } from "./lot";
import styles from "./room.module.css";
import { SellerPanel } from "./seller_panel";
import { Stage } from "./stage";
import { standingOf } from "./standing";
import { useBid } from "./use_bid";
import { type RoomKnowledge, useRoom } from "./use_room";

/** The auction room: one lot, live. */
export function RoomPage({ auctionId }: { auctionId: string }) {
  const knowledge = useRoom(auctionId);
  const auction = knowledge.room?.auction;
  useTitle(auction ? `${formatMoney(auction.price)} ${auction.title}` : "Auction");
  if (!auction) return <Waiting knowledge={knowledge} />;
  return <Room knowledge={knowledge} auctionId={auctionId} />;
}

function Room({ knowledge, auctionId }: { knowledge: RoomKnowledge; auctionId: string }) {
  const { room, status, answer, refresh } = knowledge;
  const bidding = useBid(auctionId);
  const userId = useSession()?.user?.userId;
  if (!room) return null;
  const { auction, bids } = room;
  const standing = standingOf(room, answer?.ownStanding, bidding.accepted);
  const own = userId !== undefined && userId === auction.sellerId;
  return (
    <div className={styles.room}>
      <div className={styles.left}>
        <Lot auction={auction} />
        <About auction={auction} />
      </div>
      <Stage room={room} status={status} standing={standing} />
      <div className={styles.side}>
        <div className={styles.bid}>
          {own ? (
            <SellerPanel auction={auction} onChanged={refresh} />
          ) : (
            <BidPanel room={room} standing={standing} bidding={bidding} />
          )}
        </div>
        <History bids={bids} ownAlias={standing?.alias ?? ""} />
      </div>
    </div>
  );
}

function Waiting({ knowledge: { failure, refresh } }: { knowledge: RoomKnowledge }) {
  if (failure?.code === Code.NotFound || failure?.code === Code.InvalidArgument) {
    return <NotFoundPage what="There is no such auction, or it is somebody's draft." />;
  }
  if (failure) {
    return (
      <Notice kind="bad">
        {sentenceFor(failure)}
        <Button kind="quiet" onClick={refresh}>
          Try again
        </Button>
      </Notice>
    );
  }
  return <div className={styles.loading} role="status" aria-label="Entering the room" />;
}
