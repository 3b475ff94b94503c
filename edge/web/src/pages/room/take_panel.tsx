import { create } from "@bufbuild/protobuf";
import { MoneySchema } from "@contracts/blytz/common/v1/money_pb";
import type { RoomState } from "../../api/fold";
import { Button } from "../../components/button";
import { TimeLeft } from "../../components/time_left";
import { useFallenPrice } from "../../components/use_fallen_price";
import { formatMinor } from "../../format/money";
import { BidResult } from "./bid_result";
import styles from "./take_panel.module.css";
import type { Bidding } from "./use_bid";

/** Takes a lot whose price falls, at the price of the moment: the first to take it has it. */
export function TakePanel({ room, bidding }: { room: RoomState; bidding: Bidding }) {
  const { place, accepted } = bidding;
  const price = useFallenPrice(room.auction);
  const currencyCode = room.auction.price?.currencyCode ?? "USD";
  if (!price) return null;
  const { amountMinor, nextDropAtMs, dropMinor } = price;
  const take = () => void place.run(create(MoneySchema, { currencyCode, amountMinor }));
  return (
    <div className={styles.panel}>
      <BidResult
        room={room}
        failure={place.failure}
        accepted={accepted}
        leading={false}
        onFunded={place.reset}
      />
      <Button kind="volt" wide className={styles.take ?? ""} busy={place.busy} onClick={take}>
        Take it for {formatMinor(amountMinor, currencyCode)}
      </Button>
      <p className={styles.note}>
        {nextDropAtMs === null ? (
          "This is the lowest it goes. The first to take it has it."
        ) : (
          <>
            Falls by {formatMinor(dropMinor, currencyCode)} in{" "}
            <TimeLeft endsAtMs={nextDropAtMs} over="a moment" />. The first to take it has it.
          </>
        )}
      </p>
    </div>
  );
}
