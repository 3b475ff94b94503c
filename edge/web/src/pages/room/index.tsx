import { Code } from "@connectrpc/connect";
import type { Auction } from "@contracts/blytz/auction/v1/auction_pb";
import { isOver, type RoomState } from "../../api/fold";
import { useSession } from "../../api/hooks";
import { sentenceFor } from "../../api/sentences";
import { Button } from "../../components/button";
import { Notice } from "../../components/notice";
import { useTitle } from "../../components/use_title";
import { isDutch, isSealed } from "../../format/auction_format";
import { formatMoney } from "../../format/money";
import { NotFoundPage } from "../not_found";
import { BidPanel } from "./bid_panel";
import { History } from "./history";
import { About, Lot } from "./lot";
import { OwnBids } from "./own_bids";
import styles from "./room.module.css";
import { SellerPanel } from "./seller_panel";
import { Stage } from "./stage";
import { standingOf } from "./standing";
import { useBid } from "./use_bid";
import { type RoomKnowledge, useRoom } from "./use_room";

/** The auction room: one lot, live. */
export function RoomPage({ auctionId }: { auctionId: string }) {
  return <Room auctionId={auctionId} />;
}

/** One lot, live; within the page of its show the window's title and the way on are the show's. */
export function Room({ auctionId, inShow = false }: { auctionId: string; inShow?: boolean }) {
  const knowledge = useRoom(auctionId);
  if (!knowledge.room) return <Waiting knowledge={knowledge} />;
  return (
    <>
      {inShow ? null : <Title auction={knowledge.room.auction} />}
      <Floor knowledge={knowledge} room={knowledge.room} inShow={inShow} />
    </>
  );
}

function Title({ auction }: { auction: Auction }) {
  const price = isSealed(auction) && !isOver(auction) ? "" : `${formatMoney(auction.price)} `;
  useTitle(isDutch(auction) ? auction.title : `${price}${auction.title}`);
  return null;
}

function Floor({
  knowledge,
  room,
  inShow,
}: {
  knowledge: RoomKnowledge;
  room: RoomState;
  inShow: boolean;
}) {
  const { status, answer, refresh } = knowledge;
  const { auction, bids } = room;
  const bidding = useBid(auction.auctionId);
  const userId = useSession()?.user?.userId;
  const standing = standingOf(room, answer?.ownStanding, bidding.accepted);
  const own = userId !== undefined && userId === auction.sellerId;
  const takenBack = () => {
    bidding.forgetAccepted();
    refresh();
  };
  return (
    <div className={styles.room}>
      <div className={styles.left}>
        <Lot auction={auction} />
        <About auction={auction} inShow={inShow} />
      </div>
      <Stage room={room} status={status} standing={standing} />
      <div className={styles.side}>
        <div className={styles.bid}>
          {own ? (
            <SellerPanel auction={auction} onChanged={refresh} />
          ) : (
            <BidPanel room={room} standing={standing} bidding={bidding} inShow={inShow} />
          )}
        </div>
        {standing ? <OwnBids room={room} alias={standing.alias} onTakenBack={takenBack} /> : null}
        <History bids={bids} ownAlias={standing?.alias ?? ""} sealed={isSealed(auction)} />
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
