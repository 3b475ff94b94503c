import { type Auction, AuctionFormat } from "@contracts/blytz/auction/v1/auction_pb";

/** A format as people know it. */
export interface FormatWords {
  readonly name: string;
  /** What a bidder has to know, in a sentence. */
  readonly hint: string;
}

const WORDS: Record<AuctionFormat, FormatWords> = {
  [AuctionFormat.UNSPECIFIED]: { name: "Auction", hint: "" },
  [AuctionFormat.ENGLISH]: {
    name: "Highest bid",
    hint: "Name your maximum; we bid only as much as it takes to lead.",
  },
  [AuctionFormat.LIVE_LOT]: {
    name: "Live lot",
    hint: "Short and quick: name your maximum and stay.",
  },
  [AuctionFormat.SUDDEN_DEATH]: {
    name: "Sudden death",
    hint: "The end never moves: the last second counts.",
  },
  [AuctionFormat.DUTCH]: {
    name: "Falling price",
    hint: "The price falls until somebody takes it. The first to take it has it.",
  },
  [AuctionFormat.SEALED_FIRST_PRICE]: {
    name: "Sealed bids",
    hint: "Nobody sees amounts until the end. The highest bid wins and pays what it says.",
  },
  [AuctionFormat.SEALED_SECOND_PRICE]: {
    name: "Sealed, second price",
    hint: "Nobody sees amounts until the end. The highest bid wins and pays the second-highest.",
  },
};

/** Returns how a format is called, and what bidders have to know of it. */
export function wordsOf(format: AuctionFormat | undefined): FormatWords {
  return WORDS[format ?? AuctionFormat.UNSPECIFIED] ?? WORDS[AuctionFormat.UNSPECIFIED];
}

/** Says whether the price falls by itself and the first bid wins. */
export function isDutch({ terms }: Auction): boolean {
  return terms?.format === AuctionFormat.DUTCH;
}

/** Says whether bids are sealed: their amounts are never told, the price only at the end. */
export function isSealed({ terms }: Auction): boolean {
  return (
    terms?.format === AuctionFormat.SEALED_FIRST_PRICE ||
    terms?.format === AuctionFormat.SEALED_SECOND_PRICE
  );
}
