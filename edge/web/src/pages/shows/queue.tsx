import type { Auction } from "@contracts/blytz/auction/v1/auction_pb";
import type { Show } from "@contracts/blytz/auction/v1/show_pb";
import { ShowState } from "@contracts/blytz/auction/v1/show_pb";
import { type ReactNode, useRef } from "react";
import { isSold } from "../../api/fold";
import { newRequestId } from "../../api/request_id";
import { sentenceFor } from "../../api/sentences";
import { useCommand } from "../../api/use_command";
import { Button } from "../../components/button";
import { Cover } from "../../components/cover";
import { Icon } from "../../components/icons";
import { Notice } from "../../components/notice";
import { isDutch, wordsOf } from "../../format/auction_format";
import { formatMoney } from "../../format/money";
import { Link } from "../../router";
import { moved } from "./lots";
import styles from "./queue.module.css";
import { useShowsClient } from "./use_shows_client";

interface Group {
  show: Show;
  /** Whether the show is the signed-in person's own. */
  own: boolean;
  onChanged: () => Promise<void>;
}

/** The lots that wait, in order; their seller moves them. */
export function UpNext({ show, waiting, own, onChanged }: Group & { waiting: readonly Auction[] }) {
  const shows = useShowsClient();
  const ids = waiting.map((lot) => lot.auctionId);
  const reorder = useCommand(async (lotIds: string[]) => {
    await shows.reorderLots({ showId: show.showId, etag: show.etag, lotIds }).finally(onChanged);
  });
  const move = (lot: Auction, direction: "up" | "down") => {
    const lotIds = moved(ids, lot.auctionId, direction);
    if (lotIds) void reorder.run(lotIds);
  };
  return (
    <section className={styles.group} aria-labelledby="up-next">
      <h2 id="up-next">Up next</h2>
      {reorder.failure ? <Notice kind="bad">{sentenceFor(reorder.failure)}</Notice> : null}
      {waiting.length === 0 ? <p className={styles.none}>No lot waits.</p> : null}
      <ol className={styles.lots}>
        {waiting.map((lot, index) => (
          <LotRow key={lot.auctionId} lot={lot} words={waitingWords(lot)}>
            {own ? (
              <div className={styles.moves}>
                <Mover
                  label={`Move ${lot.title} up`}
                  disabled={reorder.busy || index === 0}
                  onPress={() => move(lot, "up")}
                />
                <Mover
                  label={`Move ${lot.title} down`}
                  down
                  disabled={reorder.busy || index === waiting.length - 1}
                  onPress={() => move(lot, "down")}
                />
              </div>
            ) : null}
          </LotRow>
        ))}
      </ol>
    </section>
  );
}

/** The lots that are over; their seller may put up again what was not sold. */
export function Over({ show, over, own, onChanged }: Group & { over: readonly Auction[] }) {
  const shows = useShowsClient();
  const key = useRef({ lotId: "", requestId: "" });
  const rerun = useCommand(async (lotId: string) => {
    if (key.current.lotId !== lotId) key.current = { lotId, requestId: newRequestId() };
    await shows.addLot({
      requestId: key.current.requestId,
      showId: show.showId,
      lot: { case: "rerunAuctionId", value: lotId },
    });
    key.current = { lotId: "", requestId: "" };
    await onChanged();
  });
  if (over.length === 0) return null;
  const running = show.state !== ShowState.ENDED;
  return (
    <section className={styles.group} aria-labelledby="lots-over">
      <h2 id="lots-over">Over</h2>
      {rerun.failure ? <Notice kind="bad">{sentenceFor(rerun.failure)}</Notice> : null}
      <ol className={styles.lots}>
        {over.toReversed().map((lot) => (
          <LotRow key={lot.auctionId} lot={lot} words={overWords(lot)}>
            {own && running && !isSold(lot) ? (
              <Button kind="quiet" busy={rerun.busy} onClick={() => rerun.run(lot.auctionId)}>
                Once more
              </Button>
            ) : null}
          </LotRow>
        ))}
      </ol>
    </section>
  );
}

function LotRow({ lot, words, children }: { lot: Auction; words: string; children: ReactNode }) {
  return (
    <li className={styles.lot}>
      <Link href={`/auctions/${lot.auctionId}`} className={styles.link}>
        <span className={styles.picture}>
          <Cover title={lot.title} imageUrl={lot.imageUrl} />
        </span>
        <span className={styles.words}>
          <span className={styles.title}>{lot.title}</span>
          <span className={styles.facts}>{words}</span>
        </span>
      </Link>
      {children}
    </li>
  );
}

function Mover({
  label,
  down = false,
  disabled,
  onPress,
}: {
  label: string;
  down?: boolean;
  disabled: boolean;
  onPress: () => void;
}) {
  return (
    <button
      type="button"
      className={styles.mover}
      data-down={down}
      aria-label={label}
      disabled={disabled}
      onClick={onPress}
    >
      <Icon name="up" />
    </button>
  );
}

function waitingWords(lot: Auction): string {
  const { name } = wordsOf(lot.terms?.format);
  const price = formatMoney(lot.price);
  if (isDutch(lot)) return `${name} from ${price}`;
  if (lot.bidCount === 0) return `${name} from ${price}, bid ahead`;
  const bids = lot.bidCount === 1 ? "1 bid" : `${lot.bidCount} bids`;
  return `${name}, ${bids} ahead`;
}

function overWords(lot: Auction): string {
  if (isSold(lot)) return `${lot.leaderAlias}, ${formatMoney(lot.price)}`;
  return lot.bidCount > 0 ? "Not sold" : "No bids";
}
